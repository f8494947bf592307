import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BlobServiceClient } from "@azure/storage-blob";
import { create } from "ipfs-http-client";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { openLog } from "../../core/ledger/log.ts";
import { entryBytes } from "../../core/ledger/verify/entry.ts";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { drafts, naiveRoot, origin, testSigner } from "../unit/ledger-fixtures.ts";

const signer = testSigner();

/** The same store, until `lives` changes are made: then every further one fails, as after a kill. */
const mortal = (store: Store, lives: number): Store => {
  let left = lives;
  const change = (): void => {
    if (left-- <= 0) throw new Failure("StoreUnreachable", "killed");
  };
  return {
    ...store,
    put: async (key, bytes, signal) => {
      change();
      return store.put(key, bytes, signal);
    },
    delete: async (key, signal) => {
      change();
      return store.delete(key, signal);
    },
  };
};

/** Grows over a tile's end; an append of it is killed after each number of writes in `kills`, and others follow. */
const survives = async (store: Store, kills: readonly number[]): Promise<void> => {
  await (await openLog({ store, origin, signer })).append(drafts(0, 250));
  let next = 250;
  for (const lives of kills) {
    const torn = drafts(next, next + 7);
    const dying = await openLog({ store: mortal(store, lives), origin, signer });
    const killed = await dying.append(torn).then(
      () => false,
      () => true,
    );
    const log = await openLog({ store, origin, signer });
    assert.ok(!killed || log.size === next || log.size === next + 7);
    await log.append([...drafts(next + 1000, next + 1001), ...torn]);
    next += 8;
    assert.equal(log.size, next);
  }
  const log = await openLog({ store, origin, signer });
  await log.verifyAll();
  const leaves: Uint8Array[] = [];
  for await (const { entry } of log.entries()) leaves.push(entryBytes(entry));
  assert.deepEqual(log.checkpoint().root, naiveRoot(leaves));
  assert.equal(new Set(leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString()).identity)).size, leaves.length);
};

describe("the log in real stores", () => {
  test("a directory: killed after every number of writes; a tile altered on disk is named", async () => {
    const path = await mkdtemp(join(tmpdir(), "dbgov-log-"));
    try {
      const store = openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path });
      await survives(store, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const tile = join(path, "log/tile/0/000");
      const bytes = await readFile(tile);
      bytes[5000]! ^= 1;
      await writeFile(tile, bytes);
      await assert.rejects(
        openLog({ store, origin, signer }),
        (error) => isFailure(error, "LedgerCorrupt") && /^log\/tile\/0\/000 of the log .* in store disk/.test(error.message),
      );
      await store.close();
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  });

  test("Azure Blob", async () => {
    const { azurite } = await useStack("azurite");
    const container = `log-${randomUUID()}`;
    const store = openAzureBlobStore({
      kind: "azure-blob",
      name: "blob",
      domain: "azure",
      connection: azurite.connectionString,
      container,
    });
    try {
      await survives(store, [2, 4]);
    } finally {
      await store.close();
      await BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(container).deleteIfExists();
    }
  });

  test("IPFS", async () => {
    const { ipfs } = await useStack("ipfs");
    const folder = `/log-${randomUUID()}`;
    const store = openIpfsStore({ kind: "ipfs", name: "swarm", domain: "p2p", peers: ipfs, folder });
    try {
      await survives(store, [2, 4]);
    } finally {
      await store.close();
      for (const { api } of ipfs)
        await create({ url: api })
          .files.rm(folder, { recursive: true })
          .catch(() => {});
    }
  });

  test("a store that cannot replace objects is refused before anything is written", async () => {
    const path = await mkdtemp(join(tmpdir(), "dbgov-log-"));
    const store = openDirectoryStore({ kind: "directory", name: "disk", domain: "here", path });
    try {
      const forever: Store = { ...store, capabilities: { ...store.capabilities, deletion: "impossible" } };
      const log = await openLog({ store: forever, origin, signer });
      await assert.rejects(log.append(drafts(0, 1)), (error) => isFailure(error, "ConfigurationInvalid"));
      assert.equal((await openLog({ store, origin, signer })).checkpoint().note, "");
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  });
});

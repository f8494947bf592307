import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { isFailure } from "../../core/domain/failure.ts";
import { type Random, randomOf } from "../../core/domain/seeded-random.ts";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import { openS3Store } from "../../core/stores/s3.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { never } from "./store-expectations.ts";
import { faultyProxy, type NetworkFault, networkFaults } from "./store-faulty-proxy.ts";
import type { BadServer } from "./store-servers.ts";

/** `DBGOV_FAULT_ROUNDS` and `DBGOV_FAULT_SEED` make it longer, or run it again as it was. */
const rounds = Number(process.env.DBGOV_FAULT_ROUNDS ?? 40);
const seed = Number(process.env.DBGOV_FAULT_SEED ?? 1);

/** What an object may be after what was done to it, by the SHA-256 of its bytes; undefined: that there is none. */
type Possible = Set<string | undefined>;
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A wire that does to every other request what the seed says, and the store behind it. */
interface Place {
  readonly store: Store;
  /** The same place on a wire of its own that nothing happens to. */
  readonly calm: Store;
}

/**
 * Random calls over a bad wire: each either does what it says, or throws one of the failures that a store may throw. What was put is what
 * comes back, wholly; what may or may not have been done, was done wholly or not at all.
 */
const torment = async ({ store, calm }: Place, random: Random): Promise<{ failed: number; done: number }> => {
  const known = new Map<string, Possible>();
  // Where a put or delete was done last. One that failed may have been done on one of several peers: then they differ.
  const certain = new Set<string>();
  const counts = { failed: 0, done: 0 };
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      counts.done += 1;
      return true;
    } catch (error) {
      assert.ok(isFailure(error), `no failure of ours: ${error instanceof Error ? error.stack : String(error)}`);
      assert.ok(
        ["StoreUnreachable", "StoreRejected", "ObjectMissing", "ObjectCorrupt"].includes(error.type),
        `${error.type}: ${error.message}`,
      );
      counts.failed += 1;
      return false;
    }
  };
  const judge = async (key: string, read: Store): Promise<void> => {
    const possible = known.get(key)!;
    let found: string | undefined;
    try {
      found = hashOf(await read.get(key, never));
    } catch (error) {
      if (!isFailure(error, "ObjectMissing")) throw error;
    }
    assert.ok(possible.has(found), `${key} is ${found ?? "missing"}, and may be ${[...possible].map(String).join(" or ")}`);
  };
  for (let round = 0; round < rounds; round += 1) {
    const key = `packs/${random.between(0, 5)}`;
    const possible = known.get(key) ?? new Set([undefined]);
    known.set(key, possible);
    const act = random.between(0, 9);
    if (act < 5) {
      const bytes = randomBytes(random.oneOf([0, 1, 4_000, 70_000, 1_500_000]));
      const done = await attempt(async () => {
        assert.equal((await store.put(key, bytes, never)).bytes, bytes.length);
      });
      known.set(key, new Set(done ? [hashOf(bytes)] : [...possible, hashOf(bytes)]));
      certain[done ? "add" : "delete"](key);
    } else if (act < 8) {
      await attempt(() => judge(key, store));
    } else if (act < 9) {
      const done = await attempt(() => store.delete(key, never));
      known.set(key, new Set(done ? [undefined] : [...possible, undefined]));
      certain[done ? "add" : "delete"](key);
    } else {
      await attempt(async () => {
        const listed = new Set<string>();
        for await (const { key: each } of store.list("packs/", never)) listed.add(each);
        for (const each of certain) {
          const may = known.get(each)!;
          if (!may.has(undefined)) assert.ok(listed.has(each), `${each} is there, and not in the list`);
          if (may.has(undefined)) assert.ok(!listed.has(each), `${each} is gone, and in the list`);
        }
      });
    }
  }
  for (const key of known.keys()) await judge(key, calm);
  for (const [key] of known) {
    const bytes = randomBytes(10_000);
    await calm.put(key, bytes, never);
    assert.equal(hashOf(await calm.get(key, never)), hashOf(bytes), "afterwards it works as ever");
  }
  return counts;
};

describe("a bad wire between worker and store: what is believed is true, what failed can be repeated", () => {
  let stack: Awaited<ReturnType<typeof startStack>>;
  const startStack = () => useStack("s3", "azurite", "ipfs");
  before(async () => {
    stack = await startStack();
  });
  const random = randomOf(seed, 0);
  const faults = Object.keys(networkFaults).map((name) => (/^\d/.test(name) ? Number(name) : name)) as NetworkFault[];
  let struck = 0;
  const choose = (): NetworkFault => {
    const fault = random.next() < 0.6 ? "none" : random.oneOf(faults);
    if (fault !== "none") struck += 1;
    return fault;
  };
  const open: BadServer[] = [];
  const stores: Store[] = [];
  const through = async (url: string): Promise<string> => {
    const proxy = await faultyProxy(url, choose);
    open.push(proxy);
    return proxy.url;
  };
  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(open.map((proxy) => proxy[Symbol.asyncDispose]()));
  });
  const options = { silenceMs: 10_000 };
  const place = (store: Store, calm: Store): Place => {
    stores.push(store, calm);
    return { store, calm };
  };

  const places: Readonly<Record<string, () => Promise<Place>>> = {
    "a bucket": async () => {
      const { endpoint, ...credentials } = stack.s3;
      const bucket = `faults-${randomUUID()}`;
      const admin = new S3Client({ region: "us-east-1", endpoint, credentials, forcePathStyle: true });
      await admin.send(new CreateBucketCommand({ Bucket: bucket }));
      admin.destroy();
      const at = (url: string) =>
        ({ kind: "s3", name: "bucket", domain: "s3", bucket, prefix: "x", region: "us-east-1", endpoint: url, ...credentials }) as const;
      return place(openS3Store(at(await through(endpoint)), options), openS3Store(at(endpoint), options));
    },
    "Azure Blob": async () => {
      const { connectionString } = stack.azurite;
      const endpoint = /BlobEndpoint=(http:\/\/[^/]+)/.exec(connectionString)?.[1] ?? "";
      const container = `faults-${randomUUID()}`;
      const at = (connection: string) => ({ kind: "azure-blob", name: "azure", domain: "azure", connection, container }) as const;
      const calm = openAzureBlobStore(at(connectionString), options);
      await calm.probe(never);
      return place(openAzureBlobStore(at(connectionString.replace(endpoint, await through(endpoint))), options), calm);
    },
    "IPFS peers": async () => {
      const folder = `/faults-${randomUUID()}`;
      const at = (peers: { name: string; api: string }[]) => ({ kind: "ipfs", name: "swarm", domain: "ipfs", folder, peers }) as const;
      const peers = await Promise.all(stack.ipfs.map(async ({ name, api }) => ({ name, api: await through(api) })));
      return place(openIpfsStore(at(peers), options), openIpfsStore(at(stack.ipfs), options));
    },
  };
  test("a store that says yes and does nothing is found out", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "dbgov-faults-"));
    t.after(() => rm(folder, { recursive: true }));
    const calm = openDirectoryStore({ kind: "directory", name: "disk", domain: "disk", path: folder });
    const lying: Store = { ...calm, put: async (key, bytes) => ({ id: key, bytes: bytes.length }) };
    await assert.rejects(torment({ store: lying, calm }, randomOf(seed, 2)), /is missing, and may be|is there, and not in the list/);
  });
  for (const [name, openPlace] of Object.entries(places))
    test(`${name}: ${rounds} calls, seed ${seed}`, async () => {
      const before = struck;
      const { failed, done } = await torment(await openPlace(), randomOf(seed, 1));
      assert.ok(done > 0 && failed + done >= rounds);
      assert.ok(struck - before >= rounds / 8, `the wire did something to ${struck - before} requests only`);
    });
});

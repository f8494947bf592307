import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { StoreConfig } from "../../core/config/schema.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import { type Manifest, sealManifest } from "../../core/repository/manifest.ts";
import { manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { sealRange } from "../../core/repository/ranges.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { fetchManifest, fromAnyStore, type SnapshotAccess } from "../../core/snapshot/open-snapshot.ts";
import { packsOfManifest, rehydratePacks } from "../../core/snapshot/rehydrate-packs.ts";
import { withSnapshot } from "../../core/snapshot/snapshot-reader.ts";
import { type VerifyJob, verifySnapshot } from "../../core/snapshot/verify-snapshot.ts";
import { openStore } from "../../core/stores/stores.ts";
import { azureStub } from "../integration/azure-service-stub.ts";
import { memoryRepository, newRecipient, tableText } from "./repository-fixture.ts";

const signal = new AbortController().signal;
const context = { report: () => {}, settling: () => {}, signal };
const { recipient, secret } = await newRecipient("restorer");
const signer = signerFromSeed("03".repeat(32));
const stranger = signerFromSeed("04".repeat(32));

/** Two folders that each have the snapshots, one range in many packs. */
const writeSnapshots = async (...snapshots: string[]) => {
  const repository = memoryRepository();
  const { draft } = await repository.capture("lines", [tableText(60_000)]);
  const range = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
  const { rows, bytes, sum } = draft.digest;
  const stores: StoreConfig[] = [];
  for (const name of ["first", "second"]) {
    const path = await mkdtemp(join(tmpdir(), "dbgov verify "));
    after(() => rm(path, { recursive: true, force: true }));
    stores.push({ kind: "directory", name, path, domain: name } as StoreConfig);
  }
  const objects = new Map([...repository.packs].map(([id, content]) => [packKey(id), content]));
  objects.set(rangeKey(range.id), range.bytes);
  const sealed = async (snapshot: string, by = signer) => {
    const stream = {
      name: "t",
      kind: "rows",
      framing: "lines",
      target: {},
      rows,
      bytes,
      sum,
      ranges: [{ id: range.id, rows, bytes, sum }],
    };
    const manifest = {
      ...{ version: 1, snapshot, database: "shop", engine: "postgres", startedAt: "", capturedAt: "", consistency: "transactional" },
      ...{ serverVersion: "18", databaseName: "shop", notes: [], streams: [stream] },
      digestKey: Buffer.from(digestKeyOf(repository.keys.dedupSecret)).toString("base64"),
    } as unknown as Manifest;
    return await sealManifest(manifest, { recipients: [recipient], keys: repository.keys, signer: by, packs: range.packs });
  };
  const envelopes: Record<string, SnapshotAccess["envelopes"][string]> = { [range.id]: range.envelopes };
  for (const snapshot of snapshots) {
    const manifest = await sealed(snapshot);
    objects.set(manifestKey(snapshot), manifest.bytes);
    envelopes[snapshot] = manifest.envelopes;
  }
  for (const config of stores) {
    const store = await openStore(config);
    for (const [key, content] of objects) await store.put(key, content, signal);
  }
  const accessTo = (snapshot: string): SnapshotAccess => ({ snapshot, secret, signingKeys: [signer.publicKey], envelopes });
  return { stores, range, sealed, accessTo, pathOf: (store: number, key: string) => join((stores[store] as { path: string }).path, key) };
};

const ids = ["20261124T021500Z-5f3a9c01d2e4", "20261125T021500Z-5f3a9c01d2e5"] as const;

test("a flipped bit that is met while a range is opened is told of its pack, whichever packs were drawn, and the range stays good", async () => {
  const { stores, range, accessTo, pathOf } = await writeSnapshots(ids[0]);
  assert.ok(range.packs.length > 8, `${range.packs.length} packs`);
  const bad = packKey(range.packs[5]!);
  const content = await readFile(pathOf(0, bad));
  content[content.length >> 1]! ^= 1;
  await writeFile(pathOf(0, bad), content);
  for (const depth of ["sample", "full"] as const) {
    const job: VerifyJob = { access: accessTo(ids[0]), stores, depth, envelopes: [] };
    const { problems } = await verifySnapshot(job, context);
    assert.deepEqual(
      problems.map(({ store, object, type }) => [store, object, type]),
      [["first", bad, "ObjectCorrupt"]],
      depth,
    );
  }
});

test("a manifest that the key signed anew is refused where the catalog knows the one that was sealed", async () => {
  const { stores, sealed, accessTo, pathOf } = await writeSnapshots(ids[0]);
  const store = await openStore(stores[0]!);
  const manifestHash = hash("sha256", await readFile(pathOf(0, manifestKey(ids[0]))), "hex");
  const access = { ...accessTo(ids[0]), manifestHash };
  assert.equal((await fetchManifest(access, store, signal)).snapshot, ids[0]);
  await writeFile(pathOf(0, manifestKey(ids[0])), (await sealed(ids[0])).bytes);
  await assert.rejects(fetchManifest(access, store, signal), /is not the manifest that was sealed$/);
});

test("a store whose manifest is another snapshot's, or a stranger's, is passed over while another store has the right one", async () => {
  const { stores, sealed, accessTo, pathOf } = await writeSnapshots(...ids);
  const opened = await Promise.all(stores.map((config) => openStore(config)));
  const key = manifestKey(ids[1]);
  for (const [what, content] of [
    [/is the manifest of 20261124T021500Z/, await readFile(pathOf(0, manifestKey(ids[0])))],
    [/is not trusted/, (await sealed(ids[1], stranger)).bytes],
  ] as const) {
    await writeFile(pathOf(0, key), content);
    const damaged: string[] = [];
    const manifest = await fromAnyStore(
      opened,
      (store) => fetchManifest(accessTo(ids[1]), store, signal),
      (store, { message }) => damaged.push(`${store.name}: ${message}`),
    );
    assert.equal(manifest.snapshot, ids[1]);
    assert.equal(damaged.length, 1);
    assert.match(damaged[0]!, what);
  }
});

test("packs that are archived are no problem while another store has them; where none does, that is said, and nothing is read on", async () => {
  await using stub = await azureStub();
  const { stores, range, accessTo } = await writeSnapshots(ids[0]);
  const azure = { kind: "azure-blob" as const, name: "azure", domain: "azure", connection: stub.connection, container: "backups" };
  const [disk, cloud] = [await openStore(stores[0]!), await openStore(azure)];
  for await (const { key } of disk.list("", signal)) await cloud.put(key, await disk.get(key, signal), signal);
  const archived = range.packs.slice(0, range.packs.length - 1).map(packKey);
  for (const key of archived) await cloud.tier!(key, "archive", signal);
  const access = accessTo(ids[0]);
  for (const depth of ["sample", "full"] as const) {
    const both = await verifySnapshot({ access, stores: [stores[0]!, azure], depth, envelopes: [] }, context);
    assert.deepEqual([depth, both.problems], [depth, []]);
    assert.ok(!archived.some((key) => both.proven.azure!.includes(key)), "what nobody can read is not proven");
    const { problems } = await verifySnapshot({ access, stores: [azure], depth, envelopes: [] }, context);
    assert.deepEqual(
      new Set(problems.map(({ type, object }) => `${type} ${object}`)),
      new Set(archived.map((key) => `ObjectArchived ${key}`)),
    );
  }
  // A restore: the copy elsewhere serves; where there is none, it is refused before anything is written, also when another store lacks it.
  const refused = (sources: readonly (typeof azure | (typeof stores)[number])[]): Promise<void> =>
    withSnapshot({ access, stores: sources }, signal, async (reader) => reader.requireReadable(reader.manifest.streams));
  await refused([azure, stores[0]!]);
  await assert.rejects(refused([azure]), { type: "ObjectArchived" });
  for (const key of archived) await disk.delete(key, signal);
  await assert.rejects(refused([azure, stores[0]!]), { type: "ObjectArchived" });
  // With the kit alone: what the snapshot needs is known from its ranges.
  const packs = await packsOfManifest(await fetchManifest(access, cloud, signal), access, cloud, signal);
  assert.deepEqual(packs, [...range.packs].sort());
  const ask = () => rehydratePacks(cloud, packs, "high", signal, () => {});
  assert.deepEqual(await ask(), { packs: packs.length, online: 1 });
  stub.rehydrated();
  assert.deepEqual(await ask(), { packs: packs.length, online: packs.length });
  await refused([azure]);
  await assert.rejects(
    rehydratePacks(disk, packs, "high", signal, () => {}),
    { type: "UsageInvalid" },
  );
});

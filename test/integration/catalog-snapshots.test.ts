import assert from "node:assert/strict";
import { test } from "node:test";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deleteEnvelopes } from "../../core/catalog/destroy-envelopes.ts";
import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { liveSnapshots } from "../../core/catalog/live-snapshots.ts";
import { markProven } from "../../core/catalog/mark-proven.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { databasesWithEnvelopes, envelopesOf, envelopesOfDatabase, envelopesOfEach } from "../../core/catalog/read-envelopes.ts";
import { getSnapshot, latestSnapshot, listSnapshots } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { replicasMissing } from "../../core/catalog/replicas-missing.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, envelopeOf, freshId, hex, packOf, removeNow, snapshotOf, writtenPacks } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const later = new Date(Date.now() + 30 * 86_400_000);
const refused = (type: FailureType, words: RegExp) => (error: unknown) => isFailure(error, type) && words.test(error.message);
const verified = (snapshot: string) => reachState(catalog, snapshot, "verified", {}, new Date());

test("a committed snapshot reads back as it was, and a second commit changes nothing", async () => {
  const packs = await writtenPacks(catalog, 3);
  const ranges = [
    { id: freshId(), packs: packs.slice(0, 2) },
    { id: freshId(), packs: packs.slice(1) },
    { id: freshId(), packs: [] },
  ];
  const commit = snapshotOf("reads-back", ranges);
  await commitSnapshot(catalog, commit);
  await commitSnapshot(catalog, commit);
  const { ranges: _ranges, envelopes, ...facts } = commit;
  const record = await getSnapshot(catalog, commit.snapshot);
  const states = record?.states ?? [];
  assert.deepEqual(record, { ...facts, held: false, removedAt: null, states });
  assert.deepEqual(
    states.map(({ state, reachedAt, evidence }) => [state, state === "captured" ? reachedAt : "now", evidence]),
    [
      ["captured", commit.capturedAt, { consistency: "transactional", rows: 10 }],
      ["sealed", "now", { manifestHash: commit.manifestHash, ciphertextRoot: commit.ciphertextRoot }],
    ],
  );
  const objects = await snapshotObjects(catalog, commit.snapshot);
  assert.deepEqual(objects.ranges, ranges.map((range) => range.id).sort());
  assert.deepEqual(
    objects.packs,
    packs.toSorted().map((id) => ({ id, bytes: 1_000, root: hex(`root ${id}`) })),
  );
  assert.deepEqual(await envelopesOf(catalog, commit.snapshot), [envelopes[0]]);
  await assert.rejects(commitSnapshot(catalog, { ...commit, manifestHash: hex("other") }), refused("Unexpected", /with another manifest/));
  assert.equal(await getSnapshot(catalog, "20260101T000000Z-000000000000"), undefined);
});

test("a snapshot of many ranges is counted as soon as it is committed, so that the planner knows of them", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  const ranges = Array.from({ length: 1_200 }, () => ({ id: freshId(), packs: [pack!] }));
  await commitSnapshot(catalog, snapshotOf("many", ranges));
  const { rows } = await catalog.pool.query("SELECT reltuples FROM pg_class WHERE oid = 'dbgov.snapshot_range'::regclass");
  assert.ok(rows[0].reltuples >= 1_200, `${rows[0].reltuples} rows are known of`);
  const ids = ranges.map(({ id }) => id);
  const each = await envelopesOfEach(catalog, [...ids, "unknown"]);
  assert.deepEqual(Object.keys(each), [...ids, "unknown"]);
  assert.deepEqual(each.unknown, []);
  for (const id of [ids[0]!, ids.at(-1)!]) assert.deepEqual(each[id], await envelopesOf(catalog, id));
});

test("a snapshot that relies on what is gone, or could never be opened, is not committed at all", async () => {
  const [live, gone] = await writtenPacks(catalog, 2);
  const intended = freshId();
  await registerPack(catalog, packOf(intended));
  await committed(catalog, "relies", [live!]);
  await condemnUnreferenced(catalog, later);
  await beginDelete(catalog, [gone!]);
  for (const pack of [gone!, intended, freshId()]) {
    const commit = snapshotOf("relies", [{ id: freshId(), packs: [live!, pack] }]);
    await assert.rejects(commitSnapshot(catalog, commit), refused("PacksReclaimed", new RegExp(`needs pack ${pack}`)));
    assert.equal(await getSnapshot(catalog, commit.snapshot), undefined);
    assert.deepEqual(await envelopesOf(catalog, commit.ranges[0]!.id), []);
  }
  const noEnvelope = snapshotOf("relies", [{ id: freshId(), packs: [live!] }]);
  await assert.rejects(
    commitSnapshot(catalog, { ...noEnvelope, envelopes: noEnvelope.envelopes.slice(0, 1) }),
    refused("EnvelopeMissing", /its range/),
  );
  await assert.rejects(
    commitSnapshot(catalog, { ...noEnvelope, envelopes: noEnvelope.envelopes.slice(1) }),
    refused("EnvelopeMissing", /its manifest/),
  );
});

test("committing makes condemned packs live again", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  assert.ok((await condemnUnreferenced(catalog, later)).packs.includes(pack!));
  await committed(catalog, "revives", [pack!]);
  assert.deepEqual(await beginDelete(catalog, [pack!]), []);
  assert.ok(!(await condemnUnreferenced(catalog, later)).packs.includes(pack!));
});

test("states: the first evidence stays, in the order of states; unknown snapshots are refused", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  const { snapshot } = await committed(catalog, "states", [pack!]);
  await reachState(catalog, snapshot, "verified", { how: "drill" }, "2026-02-02T00:00:00.000Z");
  await reachState(catalog, snapshot, "replicated", { stores: ["a"] }, new Date("2026-02-03T00:00:00Z"));
  await reachState(catalog, snapshot, "verified", { how: "again" }, new Date());
  const states = (await getSnapshot(catalog, snapshot))!.states;
  assert.deepEqual(
    states.map(({ state }) => state),
    ["captured", "sealed", "replicated", "verified"],
  );
  assert.deepEqual(states[3], { state: "verified", reachedAt: "2026-02-02T00:00:00.000Z", evidence: { how: "drill" } });
  await assert.rejects(
    reachState(catalog, "20260101T000000Z-000000000000", "logged", {}, new Date()),
    refused("SnapshotUnknown", /not in the catalog/),
  );
});

test("listing: newest first, by database, limited, removed ones on demand", async () => {
  const packs = await writtenPacks(catalog, 1);
  const [first, second, third] = [
    await committed(catalog, "listing", packs),
    await committed(catalog, "listing", packs),
    await committed(catalog, "listing", packs),
  ];
  await committed(catalog, "listing-other", packs);
  const ids = async (...filter: Parameters<typeof listSnapshots> extends [unknown, ...infer F] ? F : never) =>
    (await listSnapshots(catalog, ...filter)).map(({ snapshot }) => snapshot);
  assert.deepEqual(await ids({ database: "listing" }), [third.snapshot, second.snapshot, first.snapshot]);
  assert.deepEqual(await ids({ database: "listing", limit: 1 }), [third.snapshot]);
  assert.ok((await ids()).length >= 4);
  await verified(second.snapshot);
  assert.equal((await latestSnapshot(catalog, "listing"))?.snapshot, third.snapshot);
  assert.equal((await latestSnapshot(catalog, "listing", "verified"))?.snapshot, second.snapshot);
  assert.equal(await latestSnapshot(catalog, "listing", "drilled"), undefined);
  await removeNow(catalog, [first.snapshot], new Date());
  assert.deepEqual(await ids({ database: "listing" }), [third.snapshot, second.snapshot]);
  assert.deepEqual(await ids({ database: "listing", removed: true }), [third.snapshot, second.snapshot, first.snapshot]);
  assert.notEqual((await getSnapshot(catalog, first.snapshot))?.removedAt, null);
  assert.deepEqual(
    (await liveSnapshots(catalog, "listing")).map(({ snapshot, states, held }) => [snapshot, states.toSorted(), held]),
    [
      [third.snapshot, ["captured", "sealed"], false],
      [second.snapshot, ["captured", "sealed", "verified"], false],
    ],
  );
});

test("replicas: what a store lacks, what it has, what is proven", async () => {
  const packs = (await writtenPacks(catalog, 2)).sort();
  const { snapshot, ranges } = await committed(catalog, "replicas", packs);
  const [a, b] = packs as [string, string];
  const all = [packKey(a), packKey(b), ...ranges.map((range) => rangeKey(range.id)).sort(), manifestKey(snapshot)];
  assert.deepEqual(await replicasMissing(catalog, snapshot, "disk"), all, "registered is not yet stored");
  const has = (object: string, provenAt: Date | null = null) =>
    recordReplica(catalog, { object, store: "disk", receipt: `etag ${object}`, bytes: 5, provenAt });
  await has(packKey(a));
  await has(packKey(a), new Date("2026-03-01T00:00:00Z"));
  await has(packKey(a));
  assert.deepEqual(await replicasMissing(catalog, snapshot, "disk"), all.slice(1));
  assert.deepEqual(await replicaSummary(catalog, snapshot), [
    { store: "disk", objects: 1, objectsOfAll: 5, packs: 1, archived: 0, verified: 1, oldestProof: "2026-03-01T00:00:00.000Z" },
  ]);
  for (const object of all) await has(object);
  assert.deepEqual(await replicasMissing(catalog, snapshot, "disk"), []);
  assert.deepEqual(await replicasMissing(catalog, snapshot, "azure"), all);
  assert.deepEqual(await replicaSummary(catalog, snapshot), [
    { store: "disk", objects: 5, objectsOfAll: 5, packs: 2, archived: 0, verified: 1, oldestProof: null },
  ]);
  await markProven(catalog, [packKey(b)], "disk", new Date("2026-02-01T00:00:00Z"));
  await markProven(catalog, [packKey(b)], "disk", new Date("2026-01-01T00:00:00Z"));
  await markProven(catalog, [packKey(b)], "nowhere", new Date());
  assert.equal((await replicaSummary(catalog, snapshot))[0]?.oldestProof, "2026-02-01T00:00:00.000Z");
  assert.deepEqual(await listReplicas(catalog, [packKey(b)]), [
    { object: packKey(b), store: "disk", receipt: `etag ${packKey(b)}`, bytes: 5, provenAt: "2026-02-01T00:00:00.000Z", archived: false },
  ]);
  await dropReplica(catalog, packKey(b), "disk");
  await dropReplica(catalog, packKey(b), "disk");
  assert.deepEqual(await replicasMissing(catalog, snapshot, "disk"), [packKey(b)]);
});

test("the keyring of a database: its envelopes in pages, base64 as it was given, destroyed once", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  const ranges = Array.from({ length: 600 }, () => ({ id: freshId(), packs: [pack!] }));
  const commit = snapshotOf("keyring", ranges);
  const second = ranges.map((range) => envelopeOf(range.id, "range", "fedcba9876543210"));
  await commitSnapshot(catalog, { ...commit, envelopes: [...commit.envelopes, ...second] });
  const found = [];
  for await (const envelope of envelopesOfDatabase(catalog, "keyring")) found.push(envelope);
  assert.equal(found.length, 1_201);
  assert.ok((await databasesWithEnvelopes(catalog)).includes("keyring"));
  const sort = (list: readonly { object: string; recipient: string }[]) =>
    list.toSorted((a, b) => (`${a.object}${a.recipient}` < `${b.object}${b.recipient}` ? -1 : 1));
  assert.deepEqual(found, sort([...commit.envelopes, ...second]));
  const [one, two] = [ranges[0]!.id, ranges[1]!.id];
  assert.deepEqual(await deleteEnvelopes(catalog.pool, [one, two, freshId()]), [one, two].sort());
  assert.deepEqual(await deleteEnvelopes(catalog.pool, [one]), []);
  assert.deepEqual(await envelopesOf(catalog, one), []);
});

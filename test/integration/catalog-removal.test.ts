import assert from "node:assert/strict";
import { test } from "node:test";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { claimRanges } from "../../core/catalog/claim-ranges.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deletable } from "../../core/catalog/deletable.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { liftHold } from "../../core/catalog/lift-hold.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { standingHolds } from "../../core/catalog/standing-holds.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, envelopeOf, freshId, removeNow, snapshotOf, writtenPacks } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const later = new Date(Date.now() + 30 * 86_400_000);
const muchLater = new Date(later.getTime() + 1);
const refused = (type: FailureType, words: RegExp) => (error: unknown) => isFailure(error, type) && words.test(error.message);
const verified = (snapshot: string) => reachState(catalog, snapshot, "verified", {}, new Date());

test("removal destroys and condemns what nobody else needs, keeps what is shared, and answers the same again", async () => {
  const [own, shared] = await writtenPacks(catalog, 2);
  const sharedRange = { id: freshId(), packs: [shared!] };
  const ownRange = { id: freshId(), packs: [own!, shared!] };
  const old = snapshotOf("removal", [ownRange, sharedRange]);
  const young = snapshotOf("removal", [sharedRange]);
  await commitSnapshot(catalog, old);
  await commitSnapshot(catalog, { ...young, envelopes: [envelopeOf(young.snapshot, "manifest")] });
  const at = new Date();
  const remove = () => removeNow(catalog, [old.snapshot], at);
  await assert.rejects(remove(), refused("RetentionRefused", /no newer snapshot/));
  await verified(young.snapshot);
  await assert.rejects(removeNow(catalog, [old.snapshot, young.snapshot], at), refused("RetentionRefused", /no newer snapshot/));
  const result = { snapshots: [old.snapshot], envelopes: [ownRange.id, old.snapshot].sort(), ranges: [ownRange.id], packs: [own] };
  assert.deepEqual(await remove(), result);
  assert.deepEqual(await remove(), result);
  assert.deepEqual(await envelopesOf(catalog, old.snapshot), []);
  assert.deepEqual(await envelopesOf(catalog, ownRange.id), []);
  assert.equal((await envelopesOf(catalog, sharedRange.id)).length, 1);
  assert.deepEqual((await snapshotObjects(catalog, young.snapshot)).ranges, [sharedRange.id]);
  await assert.rejects(removeNow(catalog, ["20260101T000000Z-000000000000"], at), refused("SnapshotUnknown", /not in the catalog/));
  const takenOver = snapshotOf("removal", [ownRange]);
  await assert.rejects(commitSnapshot(catalog, takenOver), refused("PacksReclaimed", /needs range/));
});

test("a range that a running capture has claimed outlives the snapshot that it came from", async () => {
  const [pack] = await writtenPacks(catalog, 2);
  const range = { id: freshId(), packs: [pack!] };
  const old = snapshotOf("takes-over", [range]);
  await commitSnapshot(catalog, old);
  const other = await committed(catalog, "takes-over", await writtenPacks(catalog, 1));
  await verified(other.snapshot);
  const unknown = freshId();
  assert.deepEqual(await claimRanges(catalog, [range.id, unknown]), [unknown]);
  assert.deepEqual(await removeNow(catalog, [old.snapshot], new Date()), {
    snapshots: [old.snapshot],
    envelopes: [old.snapshot],
    ranges: [],
    packs: [],
  });
  const next = snapshotOf("takes-over", [range]);
  await commitSnapshot(catalog, { ...next, envelopes: [envelopeOf(next.snapshot, "manifest")] });
  assert.deepEqual(
    (await snapshotObjects(catalog, next.snapshot)).packs.map(({ id }) => id),
    [pack],
  );
});

test("after the grace everything of a removed snapshot goes from every store, its envelopes at once", async () => {
  const [pack] = await writtenPacks(catalog, 1);
  const { snapshot, ranges } = await committed(catalog, "goes", [pack!]);
  const range = ranges[0]!.id;
  const young = await committed(catalog, "goes", await writtenPacks(catalog, 1));
  await verified(young.snapshot);
  const keys = [packKey(pack!), rangeKey(range), manifestKey(snapshot), envelopesKey(range), envelopesKey(snapshot)];
  for (const object of keys)
    for (const store of ["disk", "azure"]) await recordReplica(catalog, { object, store, receipt: "r", bytes: 1, provenAt: null });
  const doomed = async (before: Date) =>
    (await deletable(catalog, before, 10_000, ["azure", "disk"])).filter(({ key }) => keys.includes(key));
  assert.deepEqual(await doomed(muchLater), []);
  await removeNow(catalog, [snapshot], later);
  assert.deepEqual(
    (await doomed(later)).map(({ kind }) => kind),
    ["envelopes", "envelopes"],
  );
  const all = await doomed(muchLater);
  assert.deepEqual(new Set(all.map(({ key }) => key)), new Set(keys));
  assert.ok(all.every(({ stores }) => stores.join() === "azure,disk"));
  assert.deepEqual(
    await beginDelete(
      catalog,
      all.map(({ id }) => id),
    ),
    [pack, range, snapshot].sort(),
  );
  for (const { key, stores } of all) for (const store of stores) await finishDelete(catalog, key, store);
  assert.deepEqual(await doomed(muchLater), []);
});

test("a hold keeps what it names: a snapshot, a database, or everything", async () => {
  const packs = await writtenPacks(catalog, 1);
  const held = await committed(catalog, "held", packs);
  const free = await committed(catalog, "held", packs);
  await verified((await committed(catalog, "held", packs)).snapshot);
  const at = "2026-04-01T00:00:00.000Z";
  const hold = (id: string, database: string | null, snapshot: string | null) =>
    placeHold(catalog, { id, database, snapshot, reason: "case 7", by: "counsel", at });
  const remove = (...ids: string[]) => removeNow(catalog, ids, new Date());
  await hold("one", null, held.snapshot);
  await hold("one", null, held.snapshot);
  assert.deepEqual(await standingHolds(catalog), [
    { id: "one", database: null, snapshot: held.snapshot, reason: "case 7", by: "counsel", at, until: null },
  ]);
  assert.equal((await getSnapshot(catalog, held.snapshot))?.held, true);
  await assert.rejects(remove(free.snapshot, held.snapshot), refused("HoldStands", new RegExp(held.snapshot)));
  assert.equal((await getSnapshot(catalog, free.snapshot))?.removedAt, null, "all or nothing");
  await liftHold(catalog, "one", "counsel", new Date());
  await liftHold(catalog, "one", "somebody", new Date());
  await hold("one", null, held.snapshot);
  assert.deepEqual(await standingHolds(catalog), [], "a lifted hold stays lifted");
  for (const [id, database] of [
    ["two", "held"],
    ["three", null],
  ] as const) {
    await hold(id, database, null);
    await assert.rejects(remove(free.snapshot), refused("HoldStands", /legal hold/));
    await liftHold(catalog, id, "counsel", new Date());
  }
  await hold("four", "another", null);
  await remove(free.snapshot);
  await assert.rejects(hold("five", null, free.snapshot), refused("SnapshotUnknown", /cannot be held/));
  assert.deepEqual(
    (await standingHolds(catalog)).map(({ id }) => id),
    ["four"],
  );
  await liftHold(catalog, "four", "counsel", new Date());
  await assert.rejects(liftHold(catalog, "nine", "counsel", new Date()), refused("NameUnknown", /no hold nine/));
});

test("race: commits beside removals and deletions never refer to what is gone", async () => {
  let failed = 0;
  let succeeded = 0;
  for (let round = 0; round < 60; round += 1) {
    const packs = await writtenPacks(catalog, 2);
    const range = { id: freshId(), packs };
    const old = snapshotOf(`race-${round}`, [range]);
    await commitSnapshot(catalog, old);
    await verified((await committed(catalog, `race-${round}`, await writtenPacks(catalog, 1))).snapshot);
    const next = snapshotOf(`race-${round}`, [range, { id: freshId(), packs }]);
    const commit = () =>
      commitSnapshot(catalog, { ...next, envelopes: next.envelopes.filter(({ object }) => object !== range.id) }).then(
        () => true,
        (error) => {
          assert.ok(isFailure(error, "PacksReclaimed"), String(error));
          return false;
        },
      );
    const reclaim = async () => {
      await removeNow(catalog, [old.snapshot], later);
      await condemnUnreferenced(catalog, later);
      return await beginDelete(catalog, packs);
    };
    const [ok, deleted] =
      round % 3 === 0
        ? await Promise.all([commit(), reclaim()])
        : await Promise.all([reclaim(), commit()].toReversed() as [Promise<boolean>, Promise<string[]>]);
    if (ok) {
      succeeded += 1;
      assert.deepEqual(deleted, []);
      assert.deepEqual(await claimPacks(catalog, packs), []);
      assert.equal((await envelopesOf(catalog, range.id)).length, 1);
    } else {
      failed += 1;
      assert.deepEqual((await beginDelete(catalog, packs)).toSorted(), packs.toSorted());
    }
  }
  assert.ok(succeeded > 0, `${succeeded} commits won, ${failed} lost`);
});

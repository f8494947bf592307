import assert from "node:assert/strict";
import { test } from "node:test";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { run, transaction } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { deletable } from "../../core/catalog/deletable.ts";
import { markIdentity, unloggedMarks } from "../../core/catalog/deletion-marks.ts";
import { expireHolds } from "../../core/catalog/expire-holds.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { keepHeld } from "../../core/catalog/keep-held.ts";
import { lockReferences } from "../../core/catalog/locks.ts";
import { type Marking, markDeletions } from "../../core/catalog/mark-deletions.ts";
import { pendingDeletions } from "../../core/catalog/pending-deletions.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { envelopesOf } from "../../core/catalog/read-envelopes.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordLogEntries } from "../../core/catalog/record-log-entry.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import { noteRetained, retainedByStore } from "../../core/catalog/retained-copies.ts";
import { spacedSnapshots } from "../../core/catalog/spaced-snapshots.ts";
import { standingHolds } from "../../core/catalog/standing-holds.ts";
import { unloggedRemovals } from "../../core/catalog/unlogged-removals.ts";
import { unmarkDeletions } from "../../core/catalog/unmark-deletions.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, removeNow, snapshotOf, writtenPacks } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const hour = 3_600_000;
const refused = (type: FailureType, words: RegExp) => (error: unknown) => isFailure(error, type) && words.test(error.message);
const verified = (snapshot: string) => reachState(catalog, snapshot, "verified", {}, new Date());
const marking = (dueInMs: number, reason: Marking["reason"] = "retention"): Marking => {
  const at = new Date();
  return { at, dueAt: new Date(at.getTime() + dueInMs), reason };
};
/** Two snapshots of a database, the newer one verified. */
const pair = async (database: string) => {
  const packs = await writtenPacks(catalog, 1);
  const [old, young] = [await committed(catalog, database, packs), await committed(catalog, database, packs)];
  await verified(young.snapshot);
  return { old: old.snapshot, young: young.snapshot };
};

test("a marked snapshot lives until it is due, and can be kept until then; what is removed cannot", async () => {
  const { old } = await pair("two-phases");
  await assert.rejects(removeSnapshots(catalog, [old], new Date()), refused("RetentionRefused", /was not marked, or can still be kept/));
  assert.deepEqual(await markDeletions(catalog, [old], marking(hour)), [old]);
  assert.deepEqual(await markDeletions(catalog, [old], marking(9 * hour)), [], "it keeps its time");
  assert.equal((await pendingDeletions(catalog, "two-phases")).length, 1);
  await assert.rejects(removeSnapshots(catalog, [old], new Date()), refused("RetentionRefused", /can still be kept/));
  assert.ok((await envelopesOf(catalog, old)).length > 0 && (await getSnapshot(catalog, old))?.removedAt === null);
  assert.deepEqual(await unmarkDeletions(catalog, [old]), [old]);
  await assert.rejects(removeSnapshots(catalog, [old], new Date(Date.now() + 2 * hour)), refused("RetentionRefused", /was not marked/));
  await markDeletions(catalog, [old], marking(hour));
  await removeSnapshots(catalog, [old], new Date(Date.now() + 2 * hour));
  assert.deepEqual(await envelopesOf(catalog, old), []);
  assert.deepEqual([await unmarkDeletions(catalog, [old]), await pendingDeletions(catalog, "two-phases")], [[], []]);
});

test("beside a removal, nothing that it removes is said to stay", async () => {
  const { old } = await pair("unmarked-late");
  await markDeletions(catalog, [old], marking(0));
  const unmarked = await transaction(catalog, "removing slowly", async (db) => {
    await lockReferences(db, "alone");
    await run(db, "UPDATE dbgov.snapshot SET removed_at = now() WHERE id = $1", [old]);
    const unmarking = unmarkDeletions(catalog, [old]);
    // Until it waits for this removal, or has answered without waiting.
    const waits = async (): Promise<void> => {
      const waiting =
        "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND NOT granted";
      while ((await run(db, waiting)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await Promise.race([waits(), unmarking]);
    return { unmarking };
  });
  assert.deepEqual(await unmarked.unmarking, []);
});

test("two persons need no newer snapshot; a policy does, and a hold stops both", async () => {
  const { old, young } = await pair("all-of-it");
  await markDeletions(catalog, [young], marking(0));
  await assert.rejects(removeSnapshots(catalog, [young], new Date()), refused("RetentionRefused", /no newer snapshot/));
  await unmarkDeletions(catalog, [young]);
  await placeHold(catalog, { id: "h-all", database: null, snapshot: old, reason: "case 1", by: "counsel", at: new Date() });
  assert.deepEqual(await markDeletions(catalog, [old, young], marking(0, "request")), [young], "what is held is not marked");
  await removeSnapshots(catalog, [young], new Date());
  assert.notEqual((await getSnapshot(catalog, young))?.removedAt, null);
  assert.equal((await getSnapshot(catalog, old))?.removedAt, null);
});

test("a hold takes back what is marked, and ends by itself", async () => {
  const { old } = await pair("held-until");
  await markDeletions(catalog, [old], marking(0));
  const until = new Date(Date.now() + hour);
  await placeHold(catalog, {
    id: "h-until",
    database: "held-until",
    snapshot: null,
    reason: "case 2",
    by: "counsel",
    at: new Date(),
    until,
  });
  assert.ok((await keepHeld(catalog)).includes(old));
  const [standing] = (await standingHolds(catalog)).filter(({ id }) => id === "h-until");
  assert.deepEqual([standing?.by, standing?.reason, standing?.until], ["counsel", "case 2", until.toISOString()]);
  const ended = (): Promise<string[]> => expireHolds(catalog, new Date()).then((all) => all.map(({ id }) => id));
  assert.deepEqual(await ended(), []);
  assert.deepEqual(await expireHolds(catalog, new Date(Date.now() + 2 * hour)), [], "a clock that runs ahead ends none");
  assert.ok((await standingHolds(catalog)).some(({ id }) => id === "h-until"));
  const past = { at: new Date(Date.now() - 2 * hour), until: new Date(Date.now() - hour) };
  await placeHold(catalog, { id: "h-over", database: null, snapshot: old, reason: "case 3", by: "counsel", ...past });
  assert.ok(!(await standingHolds(catalog)).some(({ id }) => id === "h-over"), "it does not stand, told or not");
  assert.deepEqual(await expireHolds(catalog, new Date()), [{ id: "h-over", database: "held-until" }]);
  assert.deepEqual(await ended(), ["h-over"], "told until it is logged");
  const at = new Date().toISOString();
  const entry = { index: 0, kind: "hold-lifted", database: null, sequence: 1, entryHash: "00".repeat(32), at };
  await recordLogEntries(catalog, [{ identity: "hold-lifted/h-over", ...entry }]);
  assert.deepEqual(await ended(), []);
});

test("what the log does not tell of marks yet: those that stand, those that were undone, none of what was removed", async () => {
  const { old, young } = await pair("marks");
  const unlogged = async () => (await unloggedMarks(catalog, "marks")).map(({ snapshot, reason }) => [snapshot, reason]);
  let index = 100;
  const log = (kind: "deletion-scheduled" | "deletion-undone", snapshot: string, dueAt: string) => {
    index += 1;
    const entry = { index, kind, database: "marks", sequence: index, entryHash: "00".repeat(32), at: new Date().toISOString() };
    return recordLogEntries(catalog, [{ identity: markIdentity(kind, snapshot, dueAt), ...entry }]);
  };
  await markDeletions(catalog, [old, young], marking(hour));
  const dueAt = (await pendingDeletions(catalog, "marks"))[0]!.dueAt;
  assert.deepEqual(
    await unlogged(),
    [old, young].toSorted().map((one) => [one, "retention"]),
  );
  await log("deletion-scheduled", old, dueAt);
  await log("deletion-scheduled", young, dueAt);
  assert.deepEqual(await unlogged(), []);
  await unmarkDeletions(catalog, [old, young]);
  await removeNow(catalog, [old], new Date());
  assert.deepEqual(await unlogged(), [[young, null]]);
  await log("deletion-undone", young, dueAt);
  assert.deepEqual(await unlogged(), []);
});

test("what was removed is told until the log has it, with who asked for it", async () => {
  const { old, young } = await pair("untold");
  await markDeletions(catalog, [old], marking(0));
  await removeSnapshots(catalog, [old], new Date());
  await markDeletions(catalog, [young], marking(0, "request"));
  await removeSnapshots(catalog, [young], new Date());
  const untold = async () => (await unloggedRemovals(catalog, "untold")).map(({ snapshot, requested }) => [snapshot, requested]);
  const both = [
    [old, false],
    [young, true],
  ];
  assert.deepEqual(await untold(), both.toSorted());
  const entry = { index: 200, kind: "deleted", database: "untold", sequence: 1, entryHash: "00".repeat(32), at: new Date().toISOString() };
  await recordLogEntries(catalog, [{ identity: `deleted/${old}`, ...entry }]);
  assert.deepEqual(await untold(), [[young, true]]);
});

test("a copy that its store does not let go yet is asked for later, and keeps no other waiting", async () => {
  const [pack] = (await writtenPacks(catalog, 1)) as [string];
  const key = packKey(pack);
  await commitSnapshot(catalog, snapshotOf("retained", []));
  for (const store of ["locked", "free"]) await recordReplica(catalog, { object: key, store, receipt: "r", bytes: 1, provenAt: null });
  const later = new Date(Date.now() + 30 * 24 * hour);
  await condemnUnreferenced(catalog, later);
  const soon = new Date(later.getTime() + 1);
  await beginDelete(catalog, [pack]);
  const copies = async (): Promise<readonly string[]> =>
    (await deletable(catalog, soon, 1_000, ["locked", "free"])).find((one) => one.key === key)?.stores ?? [];
  assert.deepEqual(await copies(), ["free", "locked"]);
  const until = new Date(Date.now() + hour);
  await noteRetained(catalog, { object: key, store: "locked", until, retryAt: until });
  assert.deepEqual(await copies(), ["free"]);
  await finishDelete(catalog, key, "free");
  assert.deepEqual(await copies(), []);
  assert.deepEqual(await retainedByStore(catalog), [{ store: "locked", objects: 1, until: until.toISOString() }]);
  const past = new Date(Date.now() - 1);
  await noteRetained(catalog, { object: key, store: "locked", until: null, retryAt: past });
  assert.deepEqual(await copies(), ["locked"], "its time has come");
  await finishDelete(catalog, key, "locked");
  assert.deepEqual([await copies(), await retainedByStore(catalog)], [[], []]);
});

test("whether a snapshot counts is told from all there ever were", async () => {
  const { old, young } = await pair("spaced");
  await reachState(catalog, old, "replicated", {}, new Date());
  await removeNow(catalog, [old], new Date());
  const all = await spacedSnapshots(catalog, "spaced");
  assert.deepEqual(
    all.map(({ snapshot, replicated, verified, removed }) => [snapshot, replicated, verified, removed]).toSorted(),
    [
      [old, true, false, true],
      [young, false, true, false],
    ].toSorted(),
  );
  assert.ok(all.every(({ sealedAt }) => !Number.isNaN(Date.parse(sealedAt))));
});

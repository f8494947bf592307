import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createPlanRemoval } from "../../activities/retain/plan-removal.ts";
import { query } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { markDeletions } from "../../core/catalog/mark-deletions.ts";
import { pendingDeletions } from "../../core/catalog/pending-deletions.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { removeSnapshots } from "../../core/catalog/remove-snapshots.ts";
import { createCatalog, freshId, snapshotOf, writtenPacks } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";

const { catalog } = await createCatalog();
const packs = await writtenPacks(catalog, 1);
const hour = 3_600_000;
const day = 24 * hour;

const counts = { last: 2, daily: 0, weekly: 0, monthly: 0, yearly: 0, extra: 1, minimumAge: "0s", mostPerRun: 50 };

/** A site of one database, whose rules a test changes as an operator changes the file. */
const placeOf = (database: string) => {
  const policy = { ...exampleConfig.policies[0]!, retention: { ...counts } as Record<string, unknown> };
  const config = {
    ...exampleConfig,
    retention: { ...exampleConfig.retention, grace: "1d" },
    recordClasses: [{ name: "law", minimumAge: "7y" }],
  };
  const own: Record<string, unknown> = { name: database, engine: "postgres", policy: "nightly" };
  const site = {
    loaded: { config },
    catalog: async () => catalog,
    database: () => own,
    policyOf: () => policy,
  };
  const { planRemoval } = createPlanRemoval({ site: async () => site } as unknown as ActivityEnvironment);
  return {
    rules: policy.retention,
    own,
    plan: () => planRemoval({ database }),
    pending: async (): Promise<string[]> => (await pendingDeletions(catalog, database)).map(({ snapshot }) => snapshot),
    makeDue: () =>
      query(
        catalog,
        "letting the grace time pass",
        `UPDATE dbgov.pending_deletion p SET due_at = now() - interval '1 second'
         FROM dbgov.snapshot s WHERE s.snapshot_no = p.snapshot_no AND s.database = $1`,
        [database],
      ),
  };
};

/** A replicated and verified snapshot that was captured and sealed so many milliseconds ago. */
const stored = async (database: string, agoMs: number, rows = 1_000): Promise<string> => {
  const at = new Date(Date.now() - agoMs);
  const commit = snapshotOf(database, [{ id: freshId(), packs }], {
    capturedAt: at.toISOString(),
    rows,
  });
  await commitSnapshot(catalog, commit);
  await query(
    catalog,
    "dating",
    "UPDATE dbgov.snapshot_state SET reached_at = $2 WHERE snapshot_no = (SELECT snapshot_no FROM dbgov.snapshot WHERE id = $1)",
    [commit.snapshot, at],
  );
  for (const state of ["replicated", "verified"] as const) await reachState(catalog, commit.snapshot, state, {}, at);
  return commit.snapshot;
};
const nights = async (database: string, many: number): Promise<string[]> => {
  const ids: string[] = [];
  for (let night = many; night >= 1; night -= 1) ids.push(await stored(database, night * day));
  return ids;
};

test("what the rules let go is marked, is due after the grace time, and stays when they keep it by then", async () => {
  const { plan, pending, makeDue, rules } = placeOf("marks");
  const [first, second, third, fourth] = await nights("marks", 4);
  assert.deepEqual(await plan(), { snapshots: [] });
  assert.deepEqual((await pending()).toSorted(), [first, second].toSorted());
  assert.deepEqual((await plan()).snapshots, [], "nothing is due yet");
  rules.last = 3;
  await plan();
  assert.deepEqual(await pending(), [first], "what the rules keep again is not marked any more");
  await makeDue();
  assert.deepEqual((await plan()).snapshots, [first]);
  await placeHold(catalog, { id: "h-1", database: null, snapshot: first ?? "", reason: "case", by: "legal", at: new Date() });
  assert.deepEqual([(await plan()).snapshots, await pending()], [[], []]);
  assert.ok(third !== undefined && fourth !== undefined);
});

test("so many are marked and go in one run, oldest first", async () => {
  const { plan, pending, makeDue, rules } = placeOf("bound");
  const all = await nights("bound", 8);
  rules.mostPerRun = 2;
  await plan();
  assert.deepEqual(await pending(), all.slice(0, 2));
  await plan();
  assert.deepEqual((await pending()).toSorted(), all.slice(0, 4).toSorted(), "those that wait for their time keep no place");
  await makeDue();
  assert.deepEqual((await plan()).snapshots, all.slice(0, 2));
});

test("a flood, and a newest snapshot that is too small, stop everything that the rules let go, marked before or not", async () => {
  const { plan, makeDue, pending } = placeOf("flood");
  const [first] = await nights("flood", 5);
  await plan();
  await makeDue();
  assert.equal((await plan()).snapshots[0], first);
  // The first of them is what a night would be; the others are extra.
  for (let n = 0; n < 12; n += 1) await stored("flood", 2 * hour - n * 60_000);
  const flooded = await plan();
  assert.deepEqual([flooded.snapshots, flooded.alarm?.kind], [[], "flood"]);
  assert.ok((await pending()).includes(first ?? ""), "it is marked still, and goes when the alarm is over");

  const small = placeOf("shrunk");
  await nights("shrunk", 5);
  await stored("shrunk", 0, 10);
  const shrunk = await small.plan();
  assert.deepEqual([shrunk.snapshots, shrunk.alarm?.kind, await small.pending()], [[], "shrunk", []]);
});

test("what two persons asked for goes whatever the rules say, but not before the age that the law gives", async () => {
  const { plan, own, makeDue } = placeOf("asked");
  const all = await nights("asked", 3);
  const at = new Date();
  await markDeletions(catalog, all, { at, dueAt: at, reason: "request" });
  const planned = await plan();
  assert.deepEqual([planned.snapshots.toSorted(), planned.requested?.toSorted()], [all.toSorted(), all.toSorted()]);
  own.records = "law";
  await makeDue();
  assert.deepEqual((await plan()).snapshots, []);
  own.records = undefined;
  assert.equal((await plan()).snapshots.length, 3);
});

test("a database's own rules and time zone go before its policy's", async () => {
  const { plan, pending, own } = placeOf("own-rules");
  await nights("own-rules", 6);
  own.retention = { last: 5 };
  own.timeZone = "Pacific/Auckland";
  await plan();
  assert.equal((await pending()).length, 1);
});

test("what a run removed and did not log is told to the next one", async () => {
  const { plan, makeDue } = placeOf("untold");
  const [first = "", second = ""] = await nights("untold", 4);
  await plan();
  await makeDue();
  assert.deepEqual((await plan()).snapshots, [first, second]);
  await removeSnapshots(catalog, [first], new Date());
  const planned = await plan();
  assert.deepEqual([planned.snapshots, planned.untold], [[first, second], [first]]);
});

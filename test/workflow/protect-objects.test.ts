import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createProtectObjects } from "../../activities/retain/protect-objects.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { liftHold } from "../../core/catalog/lift-hold.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { Failure } from "../../core/domain/failure.ts";
import { envelopesKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { createCatalog, freshId, snapshotOf, writtenPacks } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { memoryStore } from "../unit/ledger-memory-store.ts";

const { catalog } = await createCatalog();
const day = 86_400_000;
const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();

/** A site of two databases with a landing store that can do nothing, and one that notes what it is asked for. */
const place = (policy: object) => {
  const asked: string[] = [];
  let refusing = false;
  const ask = async (what: string): Promise<void> => {
    if (refusing) throw new Failure("StoreRejected", "store vault: the container keeps no versions");
    asked.push(what);
  };
  const vault: Store = {
    ...memoryStore(),
    name: "vault",
    protect: (key, until) => ask(`lock ${key} ${until.toISOString().slice(0, 10)}`),
    legalHold: (key, held) => ask(`${held ? "hold" : "release"} ${key}`),
    tier: (key, tier) => ask(`${tier} ${key}`),
  };
  const landing: Store = { ...memoryStore(), name: "disk" };
  const nightly = { ...exampleConfig.policies[0]!, landing: "disk", stores: ["vault"], lock: false, tiers: {}, ...policy };
  const config = { ...exampleConfig, policies: [nightly] };
  const site = {
    loaded: { config },
    catalog: async () => catalog,
    database: (name: string) => ({ name, engine: "postgres", policy: "nightly" }),
    policyOf: () => nightly,
    store: async (name: string) => (name === "vault" ? vault : landing),
  };
  const { protectObjects } = createProtectObjects({ site: async () => site } as unknown as ActivityEnvironment);
  const run = (database: string) =>
    new MockActivityEnvironment().run(protectObjects as never, { database }) as ReturnType<typeof protectObjects>;
  return {
    run,
    refuse: (yes: boolean) => {
      refusing = yes;
    },
    taken: (): string[] => asked.splice(0).toSorted(),
  };
};

/** A snapshot whose objects are all in both stores, with one pack of its own beside those given. */
const stored = async (database: string, capturedAt: string, shared: readonly string[] = []) => {
  const [own] = (await writtenPacks(catalog, 1)) as [string];
  const range = { id: freshId(), packs: [own, ...shared] };
  const commit = snapshotOf(database, [range], { capturedAt });
  await commitSnapshot(catalog, commit);
  const objects = [packKey(own), rangeKey(range.id), manifestKey(commit.snapshot)];
  for (const object of [...objects, ...shared.map(packKey), envelopesKey(range.id), envelopesKey(commit.snapshot)])
    for (const store of ["disk", "vault"]) await recordReplica(catalog, { object, store, receipt: "r", bytes: 1, provenAt: null });
  return { snapshot: commit.snapshot, own, objects };
};

const retention = { ...exampleConfig.policies[0]!.retention, minimumAge: "1y" };

test("locks last for the minimum age of the newest snapshot that needs the object, are not asked for again, and never touch envelopes", async () => {
  const { run, taken } = place({ lock: true, retention });
  const old = await stored("locks", ago(100));
  const done = await run("locks");
  const until = (days: number): string => {
    const date = new Date(Date.now() - days * day + 7 * day);
    date.setUTCFullYear(date.getUTCFullYear() + 1);
    return date.toISOString().slice(0, 10);
  };
  assert.deepEqual([done.locked, done.problems], [3, []]);
  assert.deepEqual(taken(), old.objects.map((object) => `lock ${object} ${until(100)}`).toSorted());
  assert.equal((await run("locks")).locked, 0);
  // A newer snapshot that needs the old pack makes its lock longer, and leaves the old range and manifest as they are.
  const young = await stored("locks", ago(1), [old.own]);
  await run("locks");
  assert.deepEqual(taken(), [...young.objects, packKey(old.own)].map((object) => `lock ${object} ${until(1)}`).toSorted());
  // The next night is covered by what was added.
  const next = await stored("locks", ago(0), [old.own]);
  await run("locks");
  assert.deepEqual(taken(), next.objects.map((object) => `lock ${object} ${until(0)}`).toSorted());
});

test("what is held is held in the store, too, until no hold names a snapshot that needs it", async () => {
  const { run, taken } = place({ lock: true, retention: { ...retention, minimumAge: "1d" } });
  const held = await stored("holds", ago(30));
  const other = await stored("holds-too", ago(30), [held.own]);
  await run("holds");
  taken();
  await placeHold(catalog, { id: "h-a", database: "holds", snapshot: null, reason: "case", by: "legal", at: new Date() });
  await placeHold(catalog, { id: "h-b", database: null, snapshot: other.snapshot, reason: "case", by: "legal", at: new Date() });
  assert.equal((await run("holds")).holds, 6);
  assert.deepEqual(taken(), [...new Set([...held.objects, ...other.objects])].map((object) => `hold ${object}`).toSorted());
  await liftHold(catalog, "h-a", "legal", new Date());
  await run("holds");
  const released = held.objects.filter((object) => object !== packKey(held.own));
  assert.deepEqual(taken(), released.map((object) => `release ${object}`).toSorted());
});

test("packs that no young snapshot needs go to a cheaper tier, never back, and never those of the landing store", async () => {
  const { run, taken } = place({ tiers: { cool: "30d", cold: "90d" } });
  const [ancient, old, young] = [await stored("tiers", ago(120)), await stored("tiers", ago(60)), await stored("tiers", ago(1))];
  const shared = await stored("tiers", ago(100));
  await stored("tiers", ago(2), [shared.own]);
  assert.equal((await run("tiers")).tiered, 2);
  // The oldest goes straight to the colder one. What is shared is young.
  assert.deepEqual(taken(), [`cold ${packKey(ancient.own)}`, `cool ${packKey(old.own)}`].toSorted());
  assert.ok(young.own !== shared.own);
  assert.equal((await run("tiers")).tiered, 0);
});

test("a store that refuses is told of, once, and nothing is noted as done; where a policy asks for nothing, nothing is asked", async () => {
  const { run, refuse, taken } = place({ lock: true, retention });
  await stored("refused", ago(1));
  refuse(true);
  assert.deepEqual((await run("refused")).problems, ["store vault: the container keeps no versions"]);
  refuse(false);
  assert.equal((await run("refused")).locked, 3);
  taken();
  const idle = place({});
  await stored("idle", ago(200));
  assert.deepEqual([await idle.run("idle"), idle.taken()], [{ locked: 0, holds: 0, tiered: 0, problems: [] }, []]);
});

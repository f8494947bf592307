import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createRetireSparsePacks } from "../../activities/retain/retire-sparse-packs.ts";
import { findTakeover } from "../../activities/snapshot/find-takeover.ts";
import { putPlanObject } from "../../activities/snapshot/plan-objects.ts";
import { createReadReferences } from "../../activities/snapshot/read-references.ts";
import { query } from "../../core/catalog/catalog.ts";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { condemnUnreferenced } from "../../core/catalog/condemn-unreferenced.ts";
import { lookupChunks } from "../../core/catalog/lookup-chunks.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { packFacts, sparseCandidates } from "../../core/catalog/pack-facts.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { noteProtection } from "../../core/catalog/protections.ts";
import { recordReplicas } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { sparseSummary } from "../../core/catalog/sparse-packs.ts";
import { packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { packHeadBytes } from "../../core/repository/pack-layout.ts";
import { openPackDirectory, packEndBytes, packRoot } from "../../core/repository/packs.ts";
import { sealRange } from "../../core/repository/ranges.ts";
import type { Site } from "../../core/site/site.ts";
import { type TakeoverRecord, takeoverKey } from "../../core/snapshot/takeover.ts";
import { openStore } from "../../core/stores/stores.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { memoryRepository, newRecipient } from "../unit/repository-fixture.ts";
import { createCatalog, removeNow, snapshotOf } from "./catalog-database.ts";

const signal = new AbortController().signal;
const day = 86_400_000;
const { recipient } = await newRecipient("restorer");

/** A catalog, a store and a database of their own, in which captures are packs and ranges as the product makes them. */
const openPlace = async () => {
  const { catalog } = await createCatalog();
  const path = await mkdtemp(join(tmpdir(), "dbgov sparse "));
  after(() => rm(path, { recursive: true, force: true }));
  const store = await openStore({ kind: "directory", name: "disk", path, domain: "here" } as Parameters<typeof openStore>[0]);
  const repository = memoryRepository();
  const rules = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0, extra: 0, minimumAge: "0s", mostPerRun: 50, spacing: "0s" };
  const policy = { ...exampleConfig.policies[0]!, landing: "disk", stores: [], retention: rules };
  const retention = { ...exampleConfig.retention, grace: "0s", rewrite: { below: 30, bytesPerRun: "1MB", within: "400d" } };
  const config = {
    ...{ ...exampleConfig, policies: [policy], retention },
    ...{ databases: [{ name: "shop" }], stores: [{ kind: "directory", name: "disk", path }] },
  };
  const site = {
    loaded: { config },
    catalog: async () => catalog,
    store: async () => store,
    database: () => ({ name: "shop", policy: policy.name }),
    policyOf: () => policy,
    repositoryKeys: async () => repository.keys,
    recipients: async () => [recipient],
  } as unknown as Site;
  const environment = { site: async () => site } as unknown as ActivityEnvironment;
  const known = new Set<string>();

  /** Captures contents, each into a range; what is known already is not written again. */
  const capture = async (...contents: readonly Uint8Array[]) => {
    const ranges: { id: string; packs: string[]; bytes: Uint8Array }[] = [];
    const drafts = [];
    for (const content of contents) drafts.push((await repository.capture("opaque", [content], 1 << 20)).draft);
    for (const draft of drafts) ranges.push(await sealRange(draft, { recipients: [recipient], keys: repository.keys }));
    for (const [id, bytes] of repository.packs) {
      if (known.has(id)) continue;
      known.add(id);
      const chunks = openPackDirectory(bytes, repository.keys.indexKey, id);
      await registerPack(catalog, { id, bytes: bytes.length, root: packRoot(bytes), store: "disk", chunks });
      await markPackWritten(catalog, id);
      await store.put(packKey(id), bytes, signal);
    }
    for (const { id, bytes } of ranges) await store.put(rangeKey(id), bytes, signal);
    await recordReplicas(
      catalog,
      [
        ...ranges.map(({ id, bytes }) => [rangeKey(id), bytes.length] as const),
        ...ranges.flatMap(({ packs }) => packs.map((id) => [packKey(id), 1] as const)),
      ].map(([object, bytes]) => ({ object, store: "disk", receipt: "there", bytes, provenAt: null })),
    );
    return ranges;
  };
  /** A snapshot of the database, so many days old. */
  const snapshot = async (ranges: readonly { readonly id: string; readonly packs: readonly string[] }[], daysAgo: number) => {
    const at = new Date(Date.now() - daysAgo * day).toISOString();
    const commit = snapshotOf("shop", ranges, { capturedAt: at, startedAt: at });
    await commitSnapshot(catalog, commit);
    await query(
      catalog,
      "dating",
      `INSERT INTO dbgov.snapshot_state (snapshot_no, state, reached_at, evidence)
       SELECT snapshot_no, unnest(ARRAY['replicated', 'verified']), $2, '{}' FROM dbgov.snapshot WHERE id = $1`,
      [commit.snapshot, at],
    );
    return commit.snapshot;
  };
  const run = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work) as Promise<T>;
  return {
    ...{ catalog, path, store, site, config, repository, capture, snapshot },
    read: () => run(createReadReferences(environment).readReferences),
    retire: () => run(createRetireSparsePacks(environment).retireSparsePacks),
    verdicts: async (): Promise<Record<string, number>> =>
      Object.fromEntries((await sparseSummary(catalog)).map(({ verdict, packs }) => [verdict, packs])),
  };
};

const content = (chunks: number): Uint8Array => randomBytes(chunks * 4_096);

/** A range of two chunks that the newest snapshot needs, in a pack with one of twenty that only a snapshot which is gone needed. */
const sparsePlace = async () => {
  const place = await openPlace();
  const kept = content(2);
  const [large, small] = await place.capture(Buffer.concat([kept, content(20)]), kept);
  assert.ok(small !== undefined && large !== undefined);
  const first = await place.snapshot([small, large], 3);
  const second = await place.snapshot([small], 2);
  const third = await place.snapshot([small], 1);
  await removeNow(place.catalog, [first], new Date());
  return { ...place, kept, small, pack: small.packs[0]!, second, third };
};

test("what is needed of a pack is read once from the ranges, each chunk counts once, and what nobody has read is not judged", async () => {
  const { catalog, read, small, pack, snapshot, capture, kept, store, second, third } = await sparsePlace();
  assert.deepEqual(await sparseCandidates(catalog, 0.3), [], "nobody has read what the range refers to");
  // Another range of the same content, of which one chunk more is its own.
  const [wider] = await capture(Buffer.concat([kept, content(1)]));
  const fourth = await snapshot([wider!], 0.5);
  await store.delete(rangeKey(wider!.id), signal);
  assert.deepEqual(await read(), { read: 1, left: 1 });
  assert.deepEqual(await sparseCandidates(catalog, 0.3), [], "one of two ranges could not be read");
  await store.put(rangeKey(wider!.id), wider!.bytes, signal);
  assert.deepEqual(await read(), { read: 1, left: 0 });
  assert.deepEqual(await read(), { read: 0, left: 0 });

  const candidates = await sparseCandidates(catalog, 0.3);
  const [facts] = await packFacts(catalog, candidates, { going: [], backedUp: new Set(["shop"]), stores: [] });
  const { id, bytes, liveBytes, neededBytes, ranges, stays, held, abandoned } = facts!;
  assert.equal(id, pack);
  const live = packHeadBytes + 2 * (4_096 + 1 + 40) + packEndBytes(2);
  assert.deepEqual([liveBytes, neededBytes], [live, live], "chunks that two ranges need count once, with what a pack of them takes");
  assert.ok(live < bytes * 0.3);
  assert.deepEqual(ranges, [{ id: wider!.id, bytes: 3 * 4_096 }], "the newest snapshot's");
  assert.ok(small.id !== wider!.id);
  assert.deepEqual([stays, held, abandoned], [true, false, false]);

  const stores = [{ name: "disk", minimumDays: 30, forever: true }];
  const [costly] = await packFacts(catalog, candidates, { going: [second, third, fourth], backedUp: new Set(), stores });
  assert.deepEqual([costly?.stays, costly?.abandoned, costly?.forever, facts?.forever], [false, true, true, false]);
  assert.ok(costly!.billedUntil!.getTime() - Date.now() > 29 * day && facts!.billedUntil === null);
});

test("a damaged range object is left out, and its packs with it", async () => {
  const { path, read, small, verdicts, retire } = await sparsePlace();
  await writeFile(join(path, rangeKey(small.id)), "something else");
  assert.deepEqual(await read(), { read: 0, left: 1 });
  await retire();
  assert.deepEqual(await verdicts(), {});
});

test("a retiring pack is not referred to any more; two attempts at once leave the findings of one", async () => {
  const { catalog, repository, read, retire, verdicts, pack, small, third, site, store } = await sparsePlace();
  const [chunk] = openPackDirectory(repository.packs.get(pack)!, repository.keys.indexKey, pack);
  assert.equal((await lookupChunks(catalog, "disk", [chunk!.id]))[0]?.pack, pack);
  const part = { place: "0", mark: {}, range: small.id, rows: 1, bytes: 8_192, sum: "0", packs: small.packs };
  const record = { version: 2, snapshot: third, sinceFull: 0, parts: [part] } satisfies TakeoverRecord;
  await putPlanObject(store, repository.keys.indexKey, takeoverKey(third), record, signal);
  await query(catalog, "sealing to the recipient", "UPDATE dbgov.envelope SET recipient = $1", [recipient.id]);
  assert.deepEqual((await findTakeover(site, "shop", "disk", signal))?.again, new Set());

  await read();
  const [one, other] = await Promise.all([retire(), retire()]);
  assert.deepEqual(one, other);
  assert.deepEqual(await verdicts(), { rewrite: 1 });
  assert.deepEqual(await lookupChunks(catalog, "disk", [chunk!.id]), [undefined]);
  const takeover = await findTakeover(site, "shop", "disk", signal);
  assert.deepEqual(takeover?.again, new Set([small.id]), "it is read again");
  assert.equal(takeover?.parts.length, 1, "and compared with what it was");
});

test("a capture that looked before a pack was retired refers to it all the same, and the next ones move out", async () => {
  const { catalog, read, retire, verdicts, pack, snapshot, small, second, third, capture, kept, repository, store } = await sparsePlace();
  await read();
  // It found the chunks, and has not committed yet.
  assert.deepEqual(await claimPacks(catalog, [pack]), []);
  await retire();
  const fourth = await snapshot([small], 0.5);
  await condemnUnreferenced(catalog, new Date());
  await read();
  await retire();
  assert.deepEqual(await verdicts(), { rewrite: 1 });

  // As a capture that finds none of its chunks: it writes them anew.
  const fresh = memoryRepository(repository.keys);
  const { draft } = await fresh.capture("opaque", [kept]);
  const moved = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
  for (const [id, bytes] of fresh.packs) repository.packs.set(id, bytes);
  await capture();
  await store.put(rangeKey(moved.id), moved.bytes, signal);
  const there = { object: rangeKey(moved.id), store: "disk", receipt: "there", bytes: moved.bytes.length, provenAt: null };
  await recordReplicas(catalog, [there, { ...there, object: packKey(moved.packs[0]!) }]);
  await snapshot([moved], 0.1);
  await retire();
  assert.deepEqual(await verdicts(), { moved: 1 }, "it stays out of sight");

  // What a rebuilt catalog lacks: the next run reads it again, and captures refer to the younger pack all the same.
  await query(catalog, "forgetting", "DELETE FROM dbgov.sparse_pack");
  await query(catalog, "forgetting", "UPDATE dbgov.range_pack SET used_bytes = NULL, used = NULL");
  await query(catalog, "forgetting", "UPDATE dbgov.range SET content_bytes = NULL");
  assert.deepEqual(await read(), { read: 2, left: 0 });
  await retire();
  assert.deepEqual(await verdicts(), { old: 1 });
  const [chunk] = openPackDirectory(repository.packs.get(pack)!, repository.keys.indexKey, pack);
  assert.equal((await lookupChunks(catalog, "disk", [chunk!.id]))[0]?.pack, moved.packs[0]);

  await removeNow(catalog, [second, third, fourth], new Date());
  assert.deepEqual(await verdicts(), {});
  const [gone] = await query<{ condemned: boolean }>(
    catalog,
    "looking for it",
    "SELECT condemned_at IS NOT NULL AS condemned FROM dbgov.pack WHERE id = decode($1, 'hex')",
    [pack],
  );
  assert.equal(gone?.condemned, true, "it goes with the last snapshot that needed it");
});

test("of a chunk in two packs, the younger one is referred to, so that what was moved out of an older pack stays out", async () => {
  const { catalog } = await openPlace();
  const chunk = { id: randomBytes(32), offset: 0, storedBytes: 100, plainBytes: 300 };
  const ids = ["ff", "00"].map((first) => `${first}${randomBytes(31).toString("hex")}`);
  for (const id of ids) {
    await registerPack(catalog, { id, bytes: 1_000, root: "00".repeat(32), store: "disk", chunks: [chunk] });
    await markPackWritten(catalog, id);
  }
  assert.equal((await lookupChunks(catalog, "disk", [chunk.id]))[0]?.pack, ids[1]);
});

test("what stands against a rewriting is found in the catalog, and a changed configuration takes all of it back", async () => {
  const { catalog, read, retire, verdicts, pack, second, config, small, snapshot } = await sparsePlace();
  await read();
  const after = async (): Promise<string[]> => {
    await retire();
    return Object.keys(await verdicts());
  };
  assert.deepEqual(await after(), ["rewrite"]);

  const hold = { id: "h-1", database: null, snapshot: second, reason: "case", by: "legal" };
  await placeHold(catalog, { ...hold, at: new Date() });
  assert.deepEqual(await after(), ["held"]);
  await query(catalog, "lifting", "UPDATE dbgov.hold SET lifted_at = now(), lifted_by = 'legal'");
  assert.deepEqual(await after(), ["rewrite"]);

  const copy = { object: packKey(pack), store: "disk" };
  await noteProtection(catalog, copy, { until: new Date(Date.now() + 500 * day) });
  assert.deepEqual(await after(), ["locked"]);
  await noteProtection(catalog, copy, { until: new Date(Date.now() + 50 * day) });
  assert.deepEqual(await after(), ["rewrite"], "the lock ends in time");

  const rules = config.policies[0]!.retention as { minimumAge: string };
  rules.minimumAge = "2y";
  assert.deepEqual(await after(), ["stays"]);
  rules.minimumAge = "0s";
  config.retention.rewrite.bytesPerRun = "0B";
  assert.deepEqual(await after(), ["off"]);
  config.retention.rewrite.bytesPerRun = "5kB";
  assert.deepEqual(await after(), ["budget"], "the range is read as a whole, and is larger");
  config.retention.rewrite.bytesPerRun = "1MB";
  config.retention.grace = "1d";
  assert.deepEqual(await after(), ["young"]);
  config.retention.grace = "0s";
  await query(catalog, "waiting", "UPDATE dbgov.snapshot SET captured_at = captured_at - interval '10 days'");
  assert.deepEqual(await after(), ["abandoned"], "no backup has come for days");
  await snapshot([], 0);
  assert.deepEqual(await after(), ["old"], "the newest snapshot does not need it");
  assert.ok(small.packs.includes(pack));
});

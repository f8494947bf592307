import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { bringBackShared } from "../../activities/replicate/bring-back.ts";
import { createProtectObjects } from "../../activities/retain/protect-objects.ts";
import { query } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { listFindings } from "../../core/catalog/copy-findings.ts";
import { storeCoverage } from "../../core/catalog/due-copies.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { provenPacks } from "../../core/catalog/store-usage.ts";
import { packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { challengeCopies } from "../../core/site/challenge-copies.ts";
import { packsToRehydrate, type RehydrateRequest, rehydrateSnapshot } from "../../core/site/rehydrate-snapshot.ts";
import type { Site } from "../../core/site/site.ts";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Store } from "../../core/stores/store.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { azureStub } from "./azure-service-stub.ts";
import { createCatalog, freshId, snapshotOf } from "./catalog-database.ts";
import { fails, never } from "./store-expectations.ts";

/** The archive tier from end to end but for Temporal: a catalog, two folders that keep what is promised, and the stub of Azure. */

const { catalog } = await createCatalog();
const day = 86_400_000;
const ago = (days: number): string => new Date(Date.now() - days * day).toISOString();
const stub = await azureStub();
const folder = await mkdtemp(join(tmpdir(), "dbgov-archive-"));
after(async () => {
  await stub[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const placeOf = (name: string) => ({ kind: "directory" as const, name, domain: name, path: join(folder, name) });
const azure = { kind: "azure-blob" as const, name: "azure", domain: "azure", connection: stub.connection, container: "backups" };
const stores = new Map<string, Store>([
  ["disk", openDirectoryStore(placeOf("disk"))],
  ["other", openDirectoryStore(placeOf("other"))],
  ["azure", openAzureBlobStore(azure)],
]);
const policy = { ...exampleConfig.policies[0]!, landing: "disk", stores: ["azure", "other"], archive: [], envelopes: [], lock: false };
const nightly = { ...policy, tiers: { archive: "90d" } };
const config = {
  ...{ ...exampleConfig, policies: [nightly], stores: [placeOf("disk"), placeOf("other"), azure] },
  databases: [{ ...exampleConfig.databases[0]!, name: "shop", policy: "nightly" }],
};
const site = {
  loaded: { config },
  catalog: async () => catalog,
  database: (name: string) => ({ name, engine: "postgres", policy: "nightly" }),
  policyOf: () => nightly,
  store: async (name: string) => stores.get(name)!,
} as unknown as Site;
const { protectObjects } = createProtectObjects({ site: async () => site } as unknown as ActivityEnvironment);
const protect = () => new MockActivityEnvironment().run(protectObjects as never, { database: "shop" }) as ReturnType<typeof protectObjects>;
const challenge = () => challengeCopies(site, { store: "azure", askedBefore: new Date(), copies: 100, blocks: 2 }, never, () => {});
const tierOf = (pack: string): string | undefined => stub.versions.find(({ key }) => key === packKey(pack))?.tier;
const findings = async () => (await listFindings(catalog, { limit: 100 })).map(({ kind, object }) => `${kind} ${object}`);

/** A snapshot with one pack, in the stores that are given; what the folders have was read back. */
const stored = async (capturedAt: string, { names = [...stores.keys()], database = "shop", more = [] as string[], proven = true } = {}) => {
  const content = new Uint8Array(randomBytes(100_000));
  const id = createHash("sha256").update(content).digest("hex");
  await registerPack(catalog, { id, bytes: content.length, root: packRoot(content), store: "disk", chunks: [] });
  await markPackWritten(catalog, id);
  const range = { id: freshId(), packs: [id, ...more] };
  const commit = snapshotOf(database, [range], { capturedAt });
  await commitSnapshot(catalog, commit);
  for (const name of names) {
    for (const [object, bytes] of [[packKey(id), content] as const, [rangeKey(range.id), new Uint8Array(10)] as const]) {
      const { id: receipt } = await stores.get(name)!.put(object, bytes, never);
      const provenAt = proven && name !== "azure" ? new Date() : null;
      await recordReplica(catalog, { object, store: name, receipt, bytes: bytes.length, provenAt });
    }
  }
  return { id, snapshot: commit.snapshot, range: range.id };
};

const request = (snapshot: string, store?: string, priority: RehydrateRequest["priority"] = "standard"): RehydrateRequest => ({
  ...{ snapshot, store, priority, keepMs: 7 * day },
});

test("packs are archived that are old, that no other database needs, and whose promised copies were read back elsewhere; nothing else is", async () => {
  const old = await stored(ago(120));
  const young = await stored(ago(10));
  const needed = await stored(ago(120));
  await stored(ago(1), { more: [needed.id] });
  const alone = await stored(ago(120), { names: ["disk", "azure"] });
  const unproven = await stored(ago(120), { proven: false });
  const foreign = await stored(ago(120));
  await stored(ago(120), { database: "elsewhere", more: [foreign.id] });
  assert.deepEqual(await protect(), { locked: 0, holds: 0, tiered: 1, problems: [] });
  assert.equal(tierOf(old.id), "Archive");
  for (const { id } of [young, needed, alone, unproven, foreign]) assert.equal(tierOf(id), "Hot");
  assert.ok(stub.versions.filter(({ tier }) => tier === "Archive").every(({ key }) => key.startsWith("packs/")));
  assert.equal((await protect()).tiered, 0);
  // It is no readable copy any more, and none that was proven.
  const [summary] = await replicaSummary(catalog, old.snapshot);
  assert.deepEqual([summary?.store, summary?.archived, summary?.packs, summary?.verified], ["azure", 1, 1, 0]);
  const [replica] = await listReplicas(catalog, [packKey(old.id)]);
  assert.deepEqual([replica?.store, replica?.archived], ["azure", true]);
});

test("an archived copy is seen to be there, is not proven, and nothing is repaired; one that was altered is found", async () => {
  await query(catalog, "forgetting", "DELETE FROM dbgov.snapshot_range");
  await query(catalog, "forgetting", "DELETE FROM dbgov.replica");
  const old = await stored(ago(120));
  await protect();
  const result = await challenge();
  assert.deepEqual(
    [result.asked, result.found, result.stopped],
    [2, 1, undefined],
    "of the range, which is not what its name says, and the pack",
  );
  const packs = (await provenPacks(catalog)).find(({ store }) => store === "azure")!;
  assert.deepEqual([packs.packs, packs.proven, packs.archived, packs.present], [1, 0, 1, 1]);
  const coverage = (await storeCoverage(catalog, new Date(Date.now() - day))).find(({ store }) => store === "azure")!;
  assert.deepEqual([coverage.archived, coverage.present, coverage.covered, coverage.overdue], [1, 1, 0, 0]);
  assert.ok(!(await findings()).some((text) => text.includes(packKey(old.id))));
  // A changed ETag alone is no change of the bytes; another MD5 is.
  const version = stub.versions.find(({ key }) => key === packKey(old.id))!;
  version.etag = "another";
  await challenge();
  assert.ok(!(await findings()).some((text) => text.includes(packKey(old.id))));
  version.md5 = createHash("md5").update("x").digest("base64");
  await challenge();
  assert.ok((await findings()).includes(`changed ${packKey(old.id)}`));
  assert.deepEqual(
    (await listReplicas(catalog, [packKey(old.id)])).map(({ store }) => store),
    ["disk", "other"],
  );
});

test("what no policy archived is found, and counts no longer as readable; brought back, it is proven again", async () => {
  const own = await stored(ago(1));
  const before = nightly.tiers;
  stub.versions.find(({ key }) => key === packKey(own.id))!.tier = "Archive";
  Object.assign(nightly, { tiers: {} });
  try {
    await challenge();
    assert.ok((await findings()).includes(`refused ${packKey(own.id)}`));
    assert.equal((await listReplicas(catalog, [packKey(own.id)])).find(({ store }) => store === "azure")?.archived, true);
    await rehydrateSnapshot(site, request(own.snapshot, "azure"), await packsToRehydrate(site, request(own.snapshot, "azure")), never);
    stub.rehydrated();
    await challenge();
    assert.ok(!(await findings()).includes(`refused ${packKey(own.id)}`));
    assert.equal((await listReplicas(catalog, [packKey(own.id)])).find(({ store }) => store === "azure")?.archived, false);
  } finally {
    Object.assign(nightly, { tiers: before });
  }
});

test("a snapshot is brought back: only what cannot be read elsewhere, or all of one store; done when the store says so, and archived again later", async () => {
  const old = await stored(ago(120));
  await protect();
  assert.deepEqual(await packsToRehydrate(site, request(old.snapshot)), [], "the folders have it");
  const packs = await packsToRehydrate(site, request(old.snapshot, "azure"));
  assert.deepEqual(packs, [{ pack: old.id, store: "azure", bytes: 100_000 }]);
  await fails(stores.get("azure")!.get(packKey(old.id), never), "ObjectArchived");
  const ask = (priority?: RehydrateRequest["priority"]) => rehydrateSnapshot(site, request(old.snapshot, "azure", priority), packs, never);
  const coming = { store: "azure", packs: 1, bytes: 100_000, online: 0 };
  assert.deepEqual([await ask(), await ask("high"), await ask()], [[coming], [coming], [coming]]);
  assert.equal((await listReplicas(catalog, [packKey(old.id)]))[0]?.archived, true);
  stub.rehydrated();
  assert.deepEqual(await ask(), [{ ...coming, online: 1 }]);
  assert.equal((await listReplicas(catalog, [packKey(old.id)]))[0]?.archived, false);
  assert.equal((await stores.get("azure")!.get(packKey(old.id), never)).length, 100_000);
  assert.equal((await protect()).tiered, 0, "it was asked for, and is left alone for a while");
  await query(catalog, "waiting", "UPDATE dbgov.protection SET keep_until = now() - interval '1 second' WHERE object = $1", [
    packKey(old.id),
  ]);
  assert.equal((await protect()).tiered, 1);
  assert.equal(tierOf(old.id), "Archive");
  // Lost in both folders, it is what no other store has.
  await query(catalog, "losing", "UPDATE dbgov.replica SET receipt = NULL, lost_at = now() WHERE object = $1 AND store <> 'azure'", [
    packKey(old.id),
  ]);
  assert.deepEqual(await packsToRehydrate(site, request(old.snapshot)), packs);
});

test("a snapshot of a policy that counts on the store has shared packs brought back, and is no copy until they are", async () => {
  const old = await stored(ago(120));
  await protect();
  const sharing = await stored(ago(0), { more: [old.id] });
  const share = () => bringBackShared(site, "azure", sharing.snapshot, "shop", never);
  await share();
  assert.equal(
    stub.versions.find(({ key }) => key === packKey(old.id))!.coming,
    undefined,
    "its own policy archives there: it counts for nothing",
  );
  const before = nightly.tiers;
  Object.assign(nightly, { tiers: {} });
  try {
    const failure = await fails(share(), "StoreUnsettled");
    assert.match(failure.message, /^store azure is bringing back 1 of the packs of .* from its archive tier/);
    stub.rehydrated();
    await share();
    assert.equal((await listReplicas(catalog, [packKey(old.id)]))[0]?.archived, false);
  } finally {
    Object.assign(nightly, { tiers: before });
  }
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createRenewStores } from "../../activities/replicate/renew-stores.ts";
import { listFindings, standingFindings } from "../../core/catalog/copy-findings.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { listRenewals } from "../../core/catalog/renewals.ts";
import type { OrganizationRecordCheck } from "../../core/compliance/check.ts";
import { recordCopiesChallenged, recordStoresFunded } from "../../core/compliance/checks/record/stores.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import type { RenewalOutcome } from "../../core/domain/run.ts";
import { durabilityStatus } from "../../core/site/durability-status.ts";
import type { Site } from "../../core/site/site.ts";
import { storeRecords } from "../../core/site/store-records.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Store } from "../../core/stores/store.ts";
import { openExpiringStore, type SimulatedAccount } from "../sample/expiring-store.ts";
import { goodRecord } from "../unit/compliance-records.ts";
import { createCatalog } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const dayMs = 86_400_000;
let folder: string;
const stores = new Map<string, Store>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "dbgov-renewal-"));
  stores.set("plain", openDirectoryStore({ kind: "directory", name: "plain", domain: "here", path: join(folder, "plain") }));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A store whose contract ends in so many days, with money for so many more. */
const contract = (name: string, days: number, funded: number): SimulatedAccount => {
  const account = { balance: funded * 5, until: Date.now() + days * dayMs, pricePerDay: 5, term: 90, renewals: 0 };
  stores.set(name, openExpiringStore(name, join(folder, name), account));
  return account;
};
const renew = (store: string): Promise<RenewalOutcome | null> => {
  const site = {
    catalog: async () => catalog,
    store: async (name: string) => stores.get(name)!,
    loaded: { config: { stores: [], durability: { renewal: { marginDays: 30 } } } },
  };
  const { renewStore } = createRenewStores({ site: async () => site } as unknown as ActivityEnvironment);
  return new MockActivityEnvironment().run(renewStore, { store }) as Promise<RenewalOutcome | null>;
};
const standing = async (store: string) => (await standingFindings(catalog)).filter((finding) => finding.store === store);

test("a store whose service ends nothing has nothing to renew", async () => {
  assert.equal(await renew("plain"), null);
});

test("what ends within the margin is renewed before it does, and how it stands is remembered", async () => {
  const account = contract("sia", 12, 400);
  assert.deepEqual(await renew("sia"), { store: "sia", renewed: ["the storage contract"], problems: [] });
  assert.equal(account.renewals, 1);
  assert.deepEqual((await renew("sia"))?.renewed, [], "90 days are no reason to renew again");
  const [kept] = (await listRenewals(catalog)).filter(({ store }) => store === "sia");
  assert.ok(Date.parse(kept!.until!) > Date.now() + 80 * dayMs);
  assert.ok(kept!.renewedAt !== null && kept!.problem === null);
  assert.deepEqual(await standing("sia"), []);
});

test("a sweep finds a store that nobody has asked for three periods, and no store that ends nothing", async () => {
  contract("lately", 90, 400);
  await renew("lately");
  const config = { stores: [{ name: "plain" }, { name: "lately" }], durability: { coverDays: 30, renewal: { every: "2d" } } };
  const judged = async (after: number) => {
    const site = { catalog: async () => catalog, loaded: { config } } as unknown as Site;
    const now = new Date(Date.now() + after * dayMs);
    return recordStoresFunded.judge({ ...goodRecord, stores: await storeRecords(site, now) }, now);
  };
  assert.equal((await judged(5)).result, "pass");
  const { result, reason } = await judged(7);
  assert.equal(result, "fail");
  assert.match(reason, /^Not asked lately what ends: lately \(last on \d{4}-\d\d-\d\d\)\.$/);
});

test("a sweep finds a store whose service was never asked what it ends, and what has left the configuration while it has copies", async () => {
  const bytes = { receipt: "there", bytes: 1, provenAt: null };
  for (const store of ["chain", "daemon", "left"]) await recordReplica(catalog, { object: `packs/${store}`, store, ...bytes });
  const stores = [
    { name: "chain", kind: "filecoin" },
    { name: "daemon", kind: "sia", software: "s3d" },
    { name: "empty", kind: "filecoin" },
  ];
  const config = { stores, durability: { coverDays: 30, renewal: { every: "1d" } } };
  const site = { catalog: async () => catalog, loaded: { config } } as unknown as Site;
  const judged = async (check: OrganizationRecordCheck, after: number) => {
    const now = new Date(Date.now() + after * dayMs);
    return check.judge({ ...goodRecord, stores: await storeRecords(site, now) }, now).reason;
  };
  assert.match(await judged(recordStoresFunded, 2), /^Nothing that a store keeps is about to end/);
  assert.equal(await judged(recordStoresFunded, 4), "Not asked lately what ends: chain (never).");
  assert.match(await judged(recordCopiesChallenged, 40), /period: .*1 of 1 copies in left/);
  assert.ok((await durabilityStatus(site)).stores.some(({ store, copies }) => store === "left" && copies === 1));
});

test("money that does not reach through the margin is an alarm that names store, thing and day; it ends once the account is filled", async () => {
  const account = contract("filecoin", 12, 10);
  const { problems, renewed } = (await renew("filecoin"))!;
  assert.deepEqual(renewed, ["the storage contract"], "what the money pays for is renewed all the same");
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ["unfunded"],
  );
  const day = new Date(account.until).toISOString().slice(0, 10);
  assert.equal(problems[0]?.message, `the money for the storage contract in store filecoin reaches until ${day}`);
  assert.deepEqual(
    (await standing("filecoin")).map(({ kind }) => kind),
    ["unfunded"],
  );
  account.balance = 10_000;
  assert.deepEqual((await renew("filecoin"))?.problems, []);
  assert.deepEqual(await standing("filecoin"), []);
  const ended = await listFindings(catalog, { store: "filecoin", endedSince: new Date(0), limit: 10 });
  assert.deepEqual(
    ended.map(({ kind, outcome }) => [kind, outcome]),
    [["unfunded", "proven"]],
  );
});

test("a renewal that the service refuses is an alarm of its own; one that cannot be asked now is tried again", async () => {
  const account = contract("refusing", 12, 400);
  account.refuse = new Failure("StoreRejected", "the contract cannot be extended");
  const { problems } = (await renew("refusing"))!;
  assert.equal(problems.length, 1);
  assert.match(problems[0]!.message, /ends on \d{4}-\d\d-\d\d, and was not renewed.*the contract cannot be extended/);
  account.refuse = new Failure("StoreUnreachable", "away");
  await assert.rejects(renew("refusing"), (error) => isFailure(error, "StoreUnreachable"));
});

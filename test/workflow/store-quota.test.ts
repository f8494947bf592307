import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createCopyToStore } from "../../activities/replicate/copy-to-store.ts";
import { createInspectDatabase } from "../../activities/snapshot/inspect-database.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { reserveRoom } from "../../core/catalog/reserve-room.ts";
import { storeUsage } from "../../core/catalog/store-usage.ts";
import type { Config } from "../../core/config/schema.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { requireWithin } from "../../core/domain/room.ts";
import { configKey, manifestKey, packKey, rangeKey } from "../../core/repository/object-keys.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Store } from "../../core/stores/store.ts";
import { createCatalog, freshId, packOf, snapshotOf } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";

const { catalog, url } = await createCatalog();
const folder = await mkdtemp(join(tmpdir(), "dbgov-quota-"));
after(() => rm(folder, { recursive: true }));
const signal = new AbortController().signal;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A landing store and a second one with a quota, as folders; `small` may share its account with a third. */
const openPlace = (quota: string | undefined, change: (config: Config) => void = () => {}) => {
  const names = ["disk", "small", "third"].map((name) => `${name}-${randomBytes(3).toString("hex")}`) as [string, string, string];
  const stores = names.map((name) => openDirectoryStore({ kind: "directory", name, domain: name, path: join(folder, name) }));
  const config: Config = structuredClone(exampleConfig);
  config.stores = names.map((name) => ({ kind: "directory" as const, name, domain: name, path: join(folder, name) }));
  if (quota !== undefined) config.stores[1]!.quota = quota;
  config.policies[0]!.landing = names[0];
  config.policies[0]!.stores = names.slice(1);
  change(config);
  const site = { loaded: { config }, catalog: async () => catalog, store: async (name: string) => stores.find((s) => s.name === name) };
  const { copyToStore } = createCopyToStore({ site: async () => site } as unknown as ActivityEnvironment);
  const copy = (snapshot: string, to: string): Promise<unknown> =>
    new MockActivityEnvironment().run(copyToStore, { snapshot, from: names[0], to, others: [], envelopes: true });
  return { names, disk: stores[0]!, copy };
};

/** A snapshot with one pack of so many bytes, all in the landing store. */
const landed = async (disk: Store, bytes: number): Promise<string> => {
  const [pack, range, manifest] = [randomBytes(bytes), randomBytes(200), randomBytes(100)];
  await registerPack(catalog, { ...packOf(sha256(pack)), bytes, store: disk.name });
  await markPackWritten(catalog, sha256(pack));
  const commit = snapshotOf("shop", [{ id: sha256(range), packs: [sha256(pack)] }], { manifestHash: sha256(manifest) });
  await commitSnapshot(catalog, commit);
  await disk.put(configKey, Buffer.from("{}"), signal);
  const objects = [
    [packKey(sha256(pack)), pack],
    [rangeKey(sha256(range)), range],
    [manifestKey(commit.snapshot), manifest],
  ] as const;
  for (const [object, content] of objects) {
    await disk.put(object, content, signal);
    await recordReplica(catalog, { object, store: disk.name, receipt: "there", bytes: content.length, provenAt: null });
  }
  return commit.snapshot;
};
const lies = async (store: string): Promise<number> => (await storeUsage(catalog)).find((entry) => entry.store === store)?.bytes ?? 0;

test("a store whose quota would burst refuses before anything is copied, names the quota, and takes what fits", async () => {
  const { names, disk, copy } = openPlace("50kB");
  const [, small] = names;
  await copy(await landed(disk, 30_000), small);
  const before = await lies(small);
  assert.ok(before > 30_000 && before < 50_000, String(before));
  await assert.rejects(copy(await landed(disk, 30_000), small), (error) => {
    assert.ok(isFailure(error, "StoreFull"), String(error));
    assert.match(
      error.message,
      /^the copy of \S+ to small-\w+ has no place: store small-\w+ has room for 1\d kB of its 50 kB, and 30 kB would go there: raise its quota, name another store, or keep less$/,
    );
    return true;
  });
  assert.equal(await lies(small), before, "nothing of it is announced, let alone copied");
  await copy(await landed(disk, 10_000), small);
  assert.ok((await lies(small)) <= 50_000);
});

test("stores of one account share its quota, and a policy's ceiling is minded", async () => {
  const shared = openPlace("50kB", (config) => {
    for (const store of config.stores.slice(1)) Object.assign(store, { account: "acme", quota: "50kB" });
  });
  await shared.copy(await landed(shared.disk, 30_000), shared.names[1]);
  await assert.rejects(shared.copy(await landed(shared.disk, 30_000), shared.names[2]), (error) => isFailure(error, "StoreFull"));

  const dear = openPlace(undefined, (config) => {
    config.allowances = [{ service: "dear", of: "store", provider: "dear", perGBMonth: 1e6 }];
    config.stores[1]!.service = "dear";
    config.policies[0]!.monthlyCost = 40;
  });
  await dear.copy(await landed(dear.disk, 30_000), dear.names[1]);
  await assert.rejects(dear.copy(await landed(dear.disk, 30_000), dear.names[1]), (error) => {
    assert.ok(isFailure(error, "CostCapExceeded"), String(error));
    assert.match(error.message, /would cost 30\.\d\d dollars a month more, and the policy spends 3\d\.\d\d of its 40\.00 dollars/);
    return true;
  });
});

test("two that ask at once for the same room do not both get it; asked again, the same objects count once", async () => {
  const store = `race-${freshId().slice(0, 8)}`;
  const room = { account: store, stores: [store] };
  const ask = (object: string, bytes: number) =>
    reserveRoom(catalog, store, room, [{ object, bytes }], ({ usage, bytes: more }) => {
      if ((usage[0]?.bytes ?? 0) + more > 100) throw new Failure("StoreFull", "full");
    });
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => ask(`packs/aa/${n}`, 30)));
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
  assert.equal(await lies(store), 90);
  const won = outcomes.findIndex(({ status }) => status === "fulfilled");
  await ask(`packs/aa/${won}`, 30);
  assert.equal(await lies(store), 90);
  await assert.rejects(ask(`packs/aa/${won}`, 41), (error) => isFailure(error, "StoreFull"), "what is larger by now is heard again");
});

test("a capture that would burst its landing store stops with the pack that no longer fits", async () => {
  const store = `landing-${freshId().slice(0, 8)}`;
  const room = { account: store, stores: [store], bytes: 2_500, objects: null };
  const register = (id: string) => registerPack(catalog, { ...packOf(id), store }, room);
  const last = freshId();
  await register(freshId());
  await register(freshId());
  await assert.rejects(register(last), (error) => {
    assert.ok(isFailure(error, "StoreFull"));
    assert.match(
      error.message,
      /^the landing store landing-\w+ is full: its quota is 2\.5 kB \(3\.0 kB with what comes next\); raise it, land elsewhere, or keep less$/,
    );
    return true;
  });
  assert.equal(await lies(store), 2_000);
  assert.throws(() => requireWithin({ ...room, bytes: null, objects: 1 }, store, [{ bytes: 1, objects: 2 }]), /its quota is 1 objects/);
});

test("a backup whose landing store is full is refused before anything is read; one whose database fills its plan is not, and says so", async () => {
  const { names, disk } = openPlace(undefined);
  const config: Config = structuredClone(exampleConfig);
  config.stores = [{ kind: "directory", name: names[0], domain: "office", path: join(folder, names[0]), quota: "25kB" }];
  Object.assign(config.policies[0]!, { landing: names[0], stores: [] });
  config.databases[0]!.service = "supabase-free";
  config.allowances = [{ service: "supabase-free", of: "source", bytes: "1MB" }];
  const site = {
    ...{ loaded: { config }, catalog: async () => catalog, policyOf: () => config.policies[0]!, database: () => config.databases[0]! },
    databaseUrl: async () => url,
  };
  const { inspectDatabase } = createInspectDatabase({ site: async () => site } as unknown as ActivityEnvironment);
  const inspect = (): Promise<{ estimatedBytes: number }> => new MockActivityEnvironment().run(inspectDatabase, { database: "shop" });
  await landed(disk, 20_000);
  assert.ok((await inspect()).estimatedBytes > 1e6);
  await landed(disk, 20_000);
  await assert.rejects(inspect(), (error) => isFailure(error, "StoreFull") && /the landing store disk-\w+ is full/.test(error.message));
});

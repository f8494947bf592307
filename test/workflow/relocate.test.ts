import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createRelocate, type RelocatedPage, type RelocationPage } from "../../activities/replicate/relocate.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { listFindings } from "../../core/catalog/copy-findings.ts";
import { storeCoverage } from "../../core/catalog/due-copies.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { dissolveParity, recordParity } from "../../core/catalog/parity.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import type { Config } from "../../core/config/schema.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { configKey, manifestKey, packKey, parityKey, rangeKey } from "../../core/repository/object-keys.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Store } from "../../core/stores/store.ts";
import { createCatalog, packOf, snapshotOf } from "../integration/catalog-database.ts";
import { exampleConfig } from "../sample/example-config.ts";

const { catalog } = await createCatalog();
const folder = await mkdtemp(join(tmpdir(), "dbgov-relocate-"));
after(() => rm(folder, { recursive: true }));
const signal = new AbortController().signal;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Three folders as stores, of names of this test's own: the policy lands in the first, and names the others. */
const openPlace = (change: (config: Config, names: Record<"disk" | "old" | "new", string>) => void = () => {}) => {
  const mark = randomBytes(3).toString("hex");
  const names = { disk: `disk-${mark}`, old: `old-${mark}`, new: `new-${mark}` };
  const stores = new Map<string, Store>(
    Object.values(names).map((name) => [name, openDirectoryStore({ kind: "directory", name, domain: name, path: join(folder, name) })]),
  );
  const config: Config = structuredClone(exampleConfig);
  config.stores = Object.values(names).map((name) => ({ kind: "directory" as const, name, domain: name, path: join(folder, name) }));
  Object.assign(config.policies[0]!, { landing: names.disk, stores: [names.old, names.new], envelopes: [], archive: [] });
  config.log.store = names.disk;
  change(config, names);
  const site = {
    loaded: { config },
    catalog: async () => catalog,
    store: async (name: string) => {
      const store = stores.get(name);
      if (store === undefined) throw new Failure("NameUnknown", `no store ${name}`);
      return store;
    },
  };
  const activities = createRelocate({ site: async () => site } as unknown as ActivityEnvironment);
  const all = async (step: "relocatePage" | "emptyPage", leaving: string | null, gone = false): Promise<RelocatedPage> => {
    const sum = { next: null, objects: 0, moved: 0, bytes: 0, left: {} as Record<string, number> };
    for (let after: string | null = ""; after !== null; ) {
      const input: RelocationPage = { leaving, gone, after, rate: null };
      const page: RelocatedPage = await new MockActivityEnvironment().run(
        activities[step] as (input: RelocationPage) => Promise<RelocatedPage>,
        input,
      );
      after = page.next;
      Object.assign(sum, { objects: sum.objects + page.objects, moved: sum.moved + page.moved, bytes: sum.bytes + page.bytes });
      for (const [why, count] of Object.entries(page.left)) sum.left[why] = (sum.left[why] ?? 0) + count;
    }
    return sum;
  };
  return { names, stores, config, all };
};

/** A snapshot of one pack and one range, whole in each of these stores. */
const stored = async (stores: readonly Store[], database = "shop") => {
  const [pack, range, manifest] = [randomBytes(3_000), randomBytes(200), randomBytes(100)];
  await registerPack(catalog, { ...packOf(sha256(pack)), bytes: pack.length, store: stores[0]!.name });
  await markPackWritten(catalog, sha256(pack));
  const commit = snapshotOf(database, [{ id: sha256(range), packs: [sha256(pack)] }], { manifestHash: sha256(manifest) });
  await commitSnapshot(catalog, commit);
  const objects = [
    [packKey(sha256(pack)), pack],
    [rangeKey(sha256(range)), range],
    [manifestKey(commit.snapshot), manifest],
  ] as const;
  for (const store of stores) {
    await store.put(configKey, Buffer.from("{}"), signal);
    for (const [object, content] of objects) {
      await store.put(object, content, signal);
      await recordReplica(catalog, { object, store: store.name, receipt: "there", bytes: content.length, provenAt: null });
    }
  }
  return { keys: objects.map(([key]) => key), pack: objects[0][0], snapshot: commit.snapshot };
};
const holders = async (key: string): Promise<string[]> => (await listReplicas(catalog, [key])).map(({ store }) => store);

test("what an evacuation copies comes from a good copy: one that was altered is passed by, and nothing of it is spread", async () => {
  const { names, stores, all } = openPlace();
  const [disk, old, fresh] = [stores.get(names.disk)!, stores.get(names.old)!, stores.get(names.new)!];
  const { keys, pack } = await stored([disk, old]);
  await writeFile(join(folder, names.disk, pack), randomBytes(3_000));
  const page = await all("relocatePage", names.old);
  assert.deepEqual([page.moved, page.left], [3, {}]);
  for (const key of keys) assert.deepEqual(await holders(key), [names.disk, names.new, names.old].sort());
  assert.equal(sha256(await fresh.get(pack, signal)), pack.split("/").at(-1), "the one that is left had the good one");
  assert.deepEqual((await all("relocatePage", names.old)).moved, 0);
});

test("of a store that is gone nothing is read; what nobody has a good copy of is told, and the rest gets its place", async () => {
  const { names, stores, all } = openPlace();
  const [disk, old] = [stores.get(names.disk)!, stores.get(names.old)!];
  const first = await stored([disk, old]);
  const lost = await stored([disk, old]);
  await writeFile(join(folder, names.disk, lost.pack), randomBytes(3_000));
  const asked = (): never => assert.fail("nothing is asked of a store that is gone");
  stores.set(names.old, { ...old, get: asked, put: asked, stat: asked, list: asked, delete: asked });
  const page = await all("relocatePage", names.old, true);
  assert.equal(page.moved, 5);
  const [[why, count] = []] = Object.entries(page.left);
  assert.equal(count, 1);
  assert.match(why!, /^no store has a good copy of an object that can be read now: an object in store disk-\w+ does not have the bytes/);
  assert.ok((await holders(first.pack)).includes(names.new));
  assert.ok(!(await holders(lost.pack)).includes(names.new));
});

test("a store that does not answer is asked once in a page, and the quota of another is not burst", async () => {
  const { names, stores, all } = openPlace((config, { new: fresh }) => {
    config.stores.find(({ name }) => name === fresh)!.quota = "4kB";
  });
  const [disk, old] = [stores.get(names.disk)!, stores.get(names.old)!];
  await stored([disk, old]);
  await stored([disk, old]);
  const page = await all("relocatePage", names.old);
  // One pack fits, the second does not; ranges and manifests do.
  assert.equal(page.moved, 5);
  assert.deepEqual(Object.values(page.left), [1]);
  assert.match(Object.keys(page.left)[0]!, /1 of 2 copies in 1 of 2 domains have a place.*new-\w+ has room for/);

  const away = openPlace();
  const [ground, left, target] = [away.names.disk, away.names.old, away.names.new];
  await stored([away.stores.get(ground)!, away.stores.get(left)!]);
  let asked = 0;
  const refuses = async (): Promise<never> => {
    asked += 1;
    throw new Failure("StoreUnreachable", `store ${target} is away`);
  };
  away.stores.set(target, { ...away.stores.get(target)!, name: target, stat: refuses, put: refuses });
  const page2: RelocatedPage = await new MockActivityEnvironment().run(
    createRelocate({
      site: async () => ({
        loaded: { config: away.config },
        catalog: async () => catalog,
        store: async (name: string) => away.stores.get(name)!,
      }),
    } as unknown as ActivityEnvironment).relocatePage,
    { leaving: left, gone: false, after: "", rate: null },
  );
  assert.equal(page2.moved, 0);
  assert.ok(asked >= 1 && asked <= 2, "two at once may ask, and nobody after them");
});

test("emptying takes what is safe elsewhere and nothing else, and is refused while a policy or the log names the store", async () => {
  const { names, stores, config, all } = openPlace();
  const [disk, old, fresh] = [stores.get(names.disk)!, stores.get(names.old)!, stores.get(names.new)!];
  const safe = await stored([disk, old, fresh]);
  const alone = await stored([old]);
  const refused = (message: RegExp) => (error: unknown) => isFailure(error, "UsageInvalid") && message.test(error.message);
  const [policy] = config.policies;
  await assert.rejects(all("emptyPage", names.old), refused(/policy nightly still names store old-\w+ under stores:/));
  policy!.stores = [names.new];
  for (const besides of ["envelopes", "archive"] as const) {
    policy![besides] = [names.old];
    await assert.rejects(all("emptyPage", names.old), refused(new RegExp(`still names store old-\\w+ under ${besides}:`)));
    policy![besides] = [];
  }
  policy!.parity = { group: 2, pieces: 1, stores: [names.new, names.old] };
  await assert.rejects(all("emptyPage", names.old), refused(/still names store old-\w+ under parity\.stores:/));
  policy!.parity = undefined;
  config.log.store = names.old;
  await assert.rejects(all("emptyPage", names.old), refused(/the log lives in store old-/));
  config.log.store = names.disk;
  const emptied = await all("emptyPage", names.old);
  assert.equal(emptied.moved, 3);
  assert.deepEqual(await holders(safe.pack), [names.disk, names.new].sort());
  assert.deepEqual(await holders(alone.pack), [names.old]);
  const files = await readdir(join(folder, names.old, "packs"), { recursive: true });
  assert.equal(files.filter((name) => name.includes("/")).length, 1);

  // A pack that a capture has just written, and nothing refers to yet, stays.
  const fresher = randomBytes(500);
  await registerPack(catalog, { ...packOf(sha256(fresher)), store: names.old });
  await old.put(packKey(sha256(fresher)), fresher, signal);
  await recordReplica(catalog, { object: packKey(sha256(fresher)), store: names.old, receipt: "there", bytes: 500, provenAt: null });
  assert.equal((await all("emptyPage", names.old)).moved, 0);
});

test("parity that lies in a store which is left is moved to another that the policy names for it; of one that is gone it is made anew", async () => {
  const { names, stores, config, all } = openPlace();
  const [disk, old, fresh] = [stores.get(names.disk)!, stores.get(names.old)!, stores.get(names.new)!];
  const packs = [(await stored([disk, old])).pack, (await stored([disk, old])).pack].map((key) => ({
    id: key.split("/").at(-1)!,
    bytes: 3_000,
  }));
  const policy = config.policies[0]!;
  Object.assign(policy, { parity: { group: 2, pieces: 2, stores: [names.old] }, stores: [names.new] });
  const pieces = [randomBytes(3_000), randomBytes(3_000)];
  const keys = pieces.map((piece) => parityKey(sha256(piece)));
  for (const [n, piece] of pieces.entries()) {
    await old.put(keys[n]!, piece, signal);
    await recordReplica(catalog, { object: keys[n]!, store: names.old, receipt: "there", bytes: 3_000, provenAt: null });
  }
  await recordParity(catalog, policy.name, { packs, pieces: 2 }, pieces.map(sha256));
  assert.deepEqual((await all("relocatePage", names.old)).left, { [`policy ${policy.name} names no other store for parity`]: 2 });
  policy.parity!.stores = [names.disk, names.new];
  assert.equal((await all("relocatePage", names.old)).moved, 2);
  assert.deepEqual(await Promise.all(keys.map(async (key) => (await holders(key)).length)), [2, 2]);
  assert.deepEqual((await all("emptyPage", names.old)).left, {});
  assert.deepEqual((await Promise.all(keys.map(holders))).flat().sort(), [names.disk, names.new].sort(), "not both in one store");
  assert.equal(await dissolveParity(catalog, [policy.name]), 0);
  assert.equal(await old.stat(keys[0]!, signal), undefined);

  const gone = (await holders(keys[0]!))[0]!;
  const other = gone === names.disk ? fresh : disk;
  Object.assign(policy, { parity: { group: 2, pieces: 2, stores: [other.name] }, landing: other.name, stores: [], copies: 1, domains: 1 });
  config.log.store = other.name;
  assert.deepEqual((await all("emptyPage", gone, true)).left, {});
  assert.deepEqual(await holders(keys[0]!), []);
  assert.equal(await dissolveParity(catalog, [policy.name]), 1);
});

test("what only a store that is gone had is lost: it stands as a finding, no capture refers to it, and no snapshot is verified by it", async () => {
  const { names, stores, config, all } = openPlace();
  const [disk, old, fresh] = [stores.get(names.disk)!, stores.get(names.old)!, stores.get(names.new)!];
  const [alone, safe] = [await stored([old]), await stored([old, disk, fresh])];
  for (const { snapshot } of [alone, safe]) await reachState(catalog, snapshot, "verified", {}, new Date());
  config.policies[0]!.stores = [names.new];
  const { moved, left } = await all("emptyPage", names.old, true);
  assert.deepEqual([moved, Object.values(left)], [3, [3]]);
  assert.match(Object.keys(left)[0]!, /had the only copy, which is lost/);
  assert.deepEqual(await holders(alone.pack), []);
  const coverage = (await storeCoverage(catalog, new Date(0))).find(({ store }) => store === names.old);
  assert.deepEqual([coverage?.copies, coverage?.lost], [0, 3]);
  const found = (await listFindings(catalog, { store: names.old, limit: 10 })).map(({ object, kind }) => `${kind} ${object}`);
  assert.deepEqual(found.sort(), alone.keys.map((key) => `missing ${key}`).sort());
  const states = async (id: string) => (await getSnapshot(catalog, id))!.states.map(({ state }) => state);
  assert.deepEqual(
    [(await states(alone.snapshot)).includes("verified"), (await states(safe.snapshot)).includes("verified")],
    [false, true],
  );
  // A good copy that turns up, as one that was moved late, ends that.
  for (const key of alone.keys)
    await recordReplica(catalog, { object: key, store: names.disk, receipt: "there", bytes: 1, provenAt: new Date() });
  assert.deepEqual((await all("emptyPage", names.old, true)).left, {});
  assert.deepEqual(await listFindings(catalog, { store: names.old, limit: 10 }), []);
});

test("emptying leaves what another store is found to have lost while its page is under way", async () => {
  const { names, stores, config, all } = openPlace();
  const [disk, old, fresh] = [stores.get(names.disk)!, stores.get(names.old)!, stores.get(names.new)!];
  const both = [(await stored([disk, old, fresh])).pack, (await stored([disk, old, fresh])).pack].sort();
  config.policies[0]!.stores = [names.new];
  const { delete: remove } = old;
  const deleted: string[] = [];
  Object.assign(old, {
    delete: async (key: string, stop: AbortSignal) => {
      deleted.push(key);
      // While the first is deleted, a repair finds out about the second.
      for (const store of [names.disk, names.new]) assert.ok(key !== both[0] || (await loseReplica(catalog, both[1]!, store)));
      await remove.call(old, key, stop);
    },
  });
  assert.equal((await all("emptyPage", names.old)).moved, 5);
  assert.ok(deleted.includes(both[0]!) && !deleted.includes(both[1]!));
  assert.deepEqual(await holders(both[1]!), [names.old]);
});

test("emptying keeps a copy while no other store has shown a good one, and reads one where none was ever asked", async () => {
  const { names, stores, config, all } = openPlace();
  const [disk, old] = [stores.get(names.disk)!, stores.get(names.old)!];
  const { pack } = await stored([disk, old]);
  Object.assign(config.policies[0]!, { stores: [], copies: 1, domains: 1 });
  const good = await disk.get(pack, signal);
  await writeFile(join(folder, names.disk, pack), randomBytes(good.length));
  const emptied = await all("emptyPage", names.old);
  assert.deepEqual([emptied.moved, Object.values(emptied.left)], [2, [1]]);
  assert.match(Object.keys(emptied.left)[0]!, /no other store has shown a good copy/);
  assert.deepEqual(await holders(pack), [names.disk, names.old].sort());

  await writeFile(join(folder, names.disk, pack), good);
  assert.deepEqual([(await all("emptyPage", names.old)).moved, await holders(pack)], [1, [names.disk]]);
});

test("a database whose stores are planned goes to one store that has room for all of it, though an earlier one has room for some", async () => {
  const database = `together-${randomBytes(3).toString("hex")}`;
  const { names, stores, config, all } = openPlace((own, { disk, old, new: fresh }) => {
    Object.assign(own.policies[0]!, { placement: "planned", stores: [old, fresh, `large-${fresh}`] });
    own.stores.find(({ name }) => name === fresh)!.quota = "5kB";
    const name = `large-${fresh}`;
    own.stores.push({ kind: "directory", name, domain: name, path: join(folder, name), quota: "50kB" });
    own.databases[0]!.name = database;
    own.policies[0]!.landing = disk;
  });
  const large = config.stores.at(-1)!;
  assert.ok(large.kind === "directory");
  stores.set(large.name, openDirectoryStore(large));
  const both = [stores.get(names.disk)!, stores.get(names.old)!];
  const packs = [await stored(both, database), await stored(both, database)];
  assert.deepEqual([(await all("relocatePage", names.old)).moved], [6]);
  for (const { keys } of packs) for (const key of keys) assert.deepEqual(await holders(key), [names.disk, large.name, names.old].sort());
});

test("an attempt that is cut off leaves what it has copied: the next one copies the rest", async () => {
  const { names, stores, config, all } = openPlace();
  const both = [stores.get(names.disk)!, stores.get(names.old)!];
  for (let n = 0; n < 4; n += 1) await stored(both);
  const fresh = stores.get(names.new)!;
  const cut = new MockActivityEnvironment();
  let taken = 0;
  const site = {
    loaded: { config },
    catalog: async () => catalog,
    store: async (name: string) =>
      name !== names.new
        ? stores.get(name)!
        : {
            ...fresh,
            put: async (key: string, bytes: Uint8Array, own: AbortSignal) => {
              if (key !== configKey) taken += 1;
              if (taken === 3) cut.cancel("WORKER_SHUTDOWN");
              own.throwIfAborted();
              return await fresh.put(key, bytes, own);
            },
          },
  };
  const { relocatePage } = createRelocate({ site: async () => site } as unknown as ActivityEnvironment);
  await assert.rejects(cut.run(relocatePage, { leaving: names.old, gone: false, after: "", rate: null }));
  const { moved } = await all("relocatePage", names.old);
  assert.ok(moved >= 9 && moved < 12, `12 copies in all, and ${moved} were left`);
  assert.equal((await all("relocatePage", names.old)).moved, 0);
});

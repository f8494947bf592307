import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { after, before, beforeEach, describe, test } from "node:test";
import { announceReplica } from "../../core/catalog/announce-replica.ts";
import { beginDelete } from "../../core/catalog/begin-delete.ts";
import { query } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { deletable } from "../../core/catalog/deletable.ts";
import { dueCopies, storeCoverage } from "../../core/catalog/due-copies.ts";
import { finishDelete } from "../../core/catalog/finish-delete.ts";
import { loseReplica } from "../../core/catalog/lose-replica.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { storeUsage } from "../../core/catalog/store-usage.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { FindingKind } from "../../core/domain/store-trust.ts";
import { quarantineKey, rangeKey } from "../../core/repository/object-keys.ts";
import { mostPassed } from "../../core/site/store-answers.ts";
import { snapshotOf, writtenPacks } from "./catalog-database.ts";
import { createRepairPlace, type RepairPlace } from "./repair-place.ts";
import { answeringServer, closedAddress, meddlingProxy } from "./store-servers.ts";

const signal = new AbortController().signal;
const objects = 6;

describe("repair: a store that really does it is found out, named, believed less, and put right", () => {
  let at: RepairPlace;
  before(async () => {
    at = await createRepairPlace();
  });
  after(() => at?.close());
  beforeEach(async () => {
    at.bucketAt(at.endpoint);
    await query(at.catalog, "forgetting", "DELETE FROM dbgov.store_evidence");
    await query(at.catalog, "forgetting", "UPDATE dbgov.replica SET asked_at = NULL, challenged_at = NULL");
  });

  const flipped = (key: string, byte: number): Uint8Array => {
    const content = Uint8Array.from(at.contents.get(key)!);
    content[byte]! ^= 1;
    return content;
  };

  /** One bad copy is found, and then replaced from the other store, byte by byte what it was. */
  const foundAndReplaced = async (store: "disk" | "bucket", key: string, kind: FindingKind): Promise<void> => {
    const result = await at.challenge(store, 1_000);
    assert.deepEqual([result.asked, result.proven, result.found], [objects, objects - 1, 1]);
    const [finding, ...others] = await at.findings();
    assert.deepEqual([finding?.store, finding?.object, finding?.kind, others.length], [store, key, kind, 0]);
    assert.ok(finding!.message.includes(store) && finding!.message.includes(key), finding!.message);
    assert.ok((await at.trust(store)) < 0.9, "it is believed less");
    const { repaired, left, lost } = await at.repair();
    assert.deepEqual([repaired, left, lost], [{ [store]: 1 }, 0, []]);
    assert.deepEqual(Buffer.from(await (await at.store(store)).get(key, signal)), Buffer.from(at.contents.get(key)!));
    assert.deepEqual(await at.findings(), []);
    assert.deepEqual([(await at.challenge(store)).proven, (await at.repair()).repaired], [objects, {}]);
  };

  test("nothing is wrong: all of it is proven, and that is remembered", async () => {
    for (const store of ["disk", "bucket"]) {
      const { asked, proven, blocks, found, stopped } = await at.challenge(store);
      // One block of one, three of three, four of twenty; three objects are read whole.
      assert.deepEqual([asked, proven, blocks, found, stopped], [objects, objects, 1 + 3 + 4 + 3, 0, undefined]);
      assert.equal(await at.trust(store), 1);
    }
    const coverage = await storeCoverage(at.catalog, new Date(Date.now() - 60_000));
    assert.deepEqual(
      coverage.map(({ store, copies, packs, covered, overdue, lost }) => [store, copies, packs, covered, overdue, lost]),
      ["bucket", "disk"].map((store) => [store, objects, 3, objects, 0, 0]),
    );
    assert.ok(coverage.every(({ oldest }) => oldest !== null));
    assert.deepEqual(await at.repair(), { repaired: {}, left: 0, lost: [], unable: [] });
  });

  test("a flipped bit of a pack on a disk", async () => {
    const key = at.packs[2]!;
    const bad = flipped(key, 1_000_000);
    await writeFile(at.fileOf(key), bad);
    await foundAndReplaced("disk", key, "changed");
    assert.deepEqual(await readFile(at.fileOf(`quarantine/${key}`)), Buffer.from(bad), "the bad copy is kept as evidence");
  });

  test("a pack that the service lost", async () => {
    await at.meddle(at.packs[1]!, undefined);
    await foundAndReplaced("bucket", at.packs[1]!, "missing");
  });

  test("a pack that was cut, and one that grew", async () => {
    const key = at.packs[1]!;
    await at.meddle(key, at.contents.get(key)!.subarray(0, 100_000));
    await foundAndReplaced("bucket", key, "length");
    await writeFile(at.fileOf(key), Buffer.concat([at.contents.get(key)!, Buffer.from("more")]));
    await foundAndReplaced("disk", key, "length");
  });

  test("a range, a manifest and envelopes that were altered", async () => {
    await at.meddle(at.range, flipped(at.range, 7));
    await foundAndReplaced("bucket", at.range, "changed");
    await writeFile(at.fileOf(at.manifest), flipped(at.manifest, 7));
    await foundAndReplaced("disk", at.manifest, "changed");
    await at.meddle(at.envelopes, flipped(at.envelopes, 7));
    await foundAndReplaced("bucket", at.envelopes, "changed");
  });

  test("a service that gives other bytes now than a moment later is believed less, though its copy is good", async () => {
    const asked = new Map<string, number>();
    const lying = await meddlingProxy(at.endpoint, {
      received: ({ method, url = "", headers }: IncomingMessage, body) => {
        const name = `${url} ${headers.range}`;
        asked.set(name, (asked.get(name) ?? 0) + 1);
        if (method !== "GET" || !url.includes("packs") || asked.get(name) !== 1) return body;
        return Buffer.from(body.map((byte, n) => (n === 5 ? byte ^ 1 : byte)));
      },
    });
    await using _ = lying;
    at.bucketAt(lying.url);
    const { proven, found } = await at.challenge("bucket");
    assert.deepEqual([proven, found], [3, 3]);
    const findings = await at.findings();
    assert.deepEqual(
      findings.map(({ store, kind }) => [store, kind]),
      Array.from({ length: 3 }, () => ["bucket", "unsteady"]),
    );
    assert.ok((await at.trust("bucket")) < 0.15);
    assert.deepEqual((await at.repair()).repaired, {}, "there is nothing to replace");
    at.bucketAt(at.endpoint);
    // Once it answers steadily, the findings end, and what it did stays in what is believed of it.
    assert.equal((await at.challenge("bucket")).proven, objects);
    assert.deepEqual(await at.findings(), []);
    assert.ok((await at.trust("bucket")) < 0.15);
  });

  for (const [kind, status] of [
    ["throttled", 429],
    ["unreachable", 500],
    ["refused", 403],
  ] as const) {
    test(`a service that answers ${status} is ${kind}: it is left alone, and its copies are not given up`, async () => {
      const refusing = await answeringServer(status);
      await using _ = refusing;
      at.bucketAt(refusing.url);
      const { asked, found, stopped } = await at.challenge("bucket");
      assert.deepEqual([asked, found, stopped?.kind], [0, 0, kind]);
      const [finding] = await at.findings();
      assert.deepEqual([finding?.store, finding?.object, finding?.kind], ["bucket", "", kind]);
      assert.ok((await at.trust("bucket")) < 1);
      assert.equal((await storeCoverage(at.catalog, new Date(0)))[0]?.copies, objects);
      await query(at.catalog, "forgetting", "DELETE FROM dbgov.copy_finding");
    });
  }

  test("a copy that cannot be had of a service that answers otherwise keeps no other from its turn, and is not given up", async () => {
    const key = at.packs[1]!;
    const store = await at.store("bucket");
    const get = store.get;
    // As a service whose nodes that have this one object are away: it knows of the object, and cannot give it.
    const away: typeof get = async (wanted, ...rest) => {
      if (wanted === key) throw new Failure("StoreUnreachable", `store bucket cannot give ${wanted} now: too few pieces of it are online`);
      return await get.call(store, wanted, ...rest);
    };
    Object.assign(store, { get: away });
    const { asked, proven, found, stopped } = await at.challenge("bucket");
    assert.deepEqual([asked, proven, found, stopped], [objects, objects - 1, 1, undefined]);
    const [finding, ...others] = await at.findings();
    assert.deepEqual([finding?.object, finding?.kind, others.length], [key, "unreachable", 0]);
    assert.deepEqual((await at.repair()).repaired, {}, "nothing is replaced that may be good");
    const due = await dueCopies(at.catalog, "bucket", new Date(), 100);
    assert.equal(new Set(due.map(({ object }) => object)).size, objects, "it still counts");
    Object.assign(store, { get });
    assert.equal((await at.challenge("bucket")).proven, objects);
    assert.deepEqual(await at.findings(), []);
  });

  test("a service that is away keeps nobody from replacing what can be replaced", async () => {
    await rm(at.fileOf(at.packs[0]!));
    await at.meddle(at.packs[1]!, undefined);
    assert.equal((await at.challenge("bucket")).found, 1);
    assert.equal((await at.challenge("disk")).found, 1);
    at.bucketAt(await closedAddress());
    assert.equal((await at.challenge("bucket")).stopped?.kind, "unreachable");
    const totals = await at.repair();
    assert.deepEqual([totals.left, totals.lost], [2, []]);
    assert.deepEqual(
      totals.unable.map(({ store, type }) => [store, type]),
      [["bucket", "StoreUnreachable"]],
    );
    at.bucketAt(at.endpoint);
    assert.deepEqual((await at.repair()).repaired, { disk: 1, bucket: 1 });
    await query(at.catalog, "forgetting", "DELETE FROM dbgov.copy_finding");
  });

  test("a bad copy that its store does not let go, or cannot give, keeps none of the others from being replaced", async () => {
    const [key, other] = [at.packs[0]!, at.packs[1]!].sort() as [string, string];
    const store = await at.store("bucket");
    const { delete: remove } = store;
    for (const type of ["StoreRetained", "StoreUnreachable"] as const) {
      await at.meddle(key, flipped(key, 7));
      await at.meddle(other, undefined);
      assert.equal((await at.challenge("bucket", 1_000)).found, 2);
      const refuse: typeof remove = async (wanted, ...rest) => {
        if (wanted === key) throw new Failure(type, `store bucket does not let ${wanted} go now`);
        await remove.call(store, wanted, ...rest);
      };
      Object.assign(store, { delete: refuse });
      assert.deepEqual(await at.repair(), { repaired: { bucket: 1 }, left: 1, lost: [], unable: [] });
      assert.equal((await at.findings())[0]?.object, key, "it still stands");
      Object.assign(store, { delete: remove });
      assert.deepEqual((await at.repair()).repaired, { bucket: 1 });
      assert.deepEqual(Buffer.from(await store.get(key, signal)), Buffer.from(at.contents.get(key)!));
    }
    assert.deepEqual(await at.findings(), []);
  });

  test("however many copies cannot be replaced, those behind them have their turn in the next pass", async () => {
    const store = await at.store("bucket");
    const { delete: remove } = store;
    const refuse: typeof remove = async (key, ...rest) => {
      if (key.startsWith("ranges/")) throw new Failure("StoreUnreachable", `store bucket does not let ${key} go now`);
      await remove.call(store, key, ...rest);
    };
    Object.assign(store, { delete: refuse });
    // Of a range that is on disk, more copies than a pass tries of a store that only seems well.
    const ranges: string[] = [];
    for (let n = 0; n < mostPassed + 2; n += 1) {
      const content = randomBytes(100);
      const id = createHash("sha256").update(content).digest("hex");
      await commitSnapshot(at.catalog, snapshotOf("shop", [{ id, packs: [] }]));
      ranges.push(rangeKey(id));
      await (await at.store("disk")).put(rangeKey(id), content, signal);
      for (const name of ["disk", "bucket"])
        await recordReplica(at.catalog, { object: rangeKey(id), store: name, receipt: "there", bytes: 100, provenAt: null });
      await loseReplica(at.catalog, rangeKey(id), "bucket");
    }
    // The last in the order of names.
    await loseReplica(at.catalog, at.manifest, "bucket");
    await query(at.catalog, "aging", "UPDATE dbgov.replica SET asked_at = now() - interval '1 s' WHERE object = $1 AND store = 'bucket'", [
      at.manifest,
    ]);
    const first = await at.repair();
    assert.deepEqual([first.repaired, first.left, first.unable.length], [{}, mostPassed + 3, 1]);
    assert.deepEqual((await at.repair()).repaired, { bucket: 1 }, "the manifest comes before those that were tried");
    Object.assign(store, { delete: remove });
    assert.deepEqual((await at.repair()).repaired, { bucket: mostPassed + 2 });
    await query(at.catalog, "forgetting", "DELETE FROM dbgov.replica WHERE object = ANY ($1)", [ranges]);
    await query(at.catalog, "forgetting", "UPDATE dbgov.snapshot SET removed_at = now() WHERE id <> $1", [at.snapshot]);
  });

  test("a bad copy in quarantine counts in the store's quota until somebody deletes it, and is not kept where there is no room", async () => {
    const key = at.packs[0]!;
    const used = async () => (await storeUsage(at.catalog)).find(({ store }) => store === "bucket")!.bytes;
    // Tests before this have left evidence.
    await at.meddle(quarantineKey(key), undefined);
    await at.repair();
    const before = await used();
    const { stores } = at.site.loaded.config;
    for (const { quota, kept } of [
      { quota: undefined, kept: 60_000 },
      { quota: `${before} B`, kept: 0 },
    ]) {
      Object.assign(stores[1]!, { quota });
      await at.meddle(key, flipped(key, 9));
      assert.equal((await at.challenge("bucket", 1_000)).found, 1);
      assert.deepEqual((await at.repair()).repaired, { bucket: 1 });
      assert.equal(await used(), before + kept);
      assert.equal((await (await at.store("bucket")).stat(quarantineKey(key), signal))?.bytes ?? 0, kept);
      await at.meddle(quarantineKey(key), undefined);
      await at.repair();
      assert.equal(await used(), before);
    }
    Object.assign(stores[1]!, { quota: undefined });
  });

  test("a copy that the store's network does not have yet does not count, and is not sent twice", async () => {
    const [key, other] = [at.packs[2]!, at.packs[1]!];
    await rm(at.fileOf(key));
    await rm(at.fileOf(other));
    assert.equal((await at.challenge("disk")).found, 2);
    const disk = await at.store("disk");
    const put = disk.put;
    const sent: string[] = [];
    let settled: readonly string[] = [other];
    Object.assign(disk, {
      settled: async (object: string) => settled.includes(object),
      put: async (object: string, content: Uint8Array, stop: AbortSignal) => {
        sent.push(object);
        return await put(object, content, stop);
      },
    });
    const first = await at.repair();
    assert.deepEqual([first.repaired, first.left, first.unable, first.lost], [{ disk: 1 }, 1, [], []]);
    assert.deepEqual((await at.repair()).left, 1);
    settled = [key, other];
    assert.deepEqual((await at.repair()).repaired, { disk: 1 });
    assert.deepEqual(sent.toSorted(), [key, other].toSorted());
    Object.assign(disk, { settled: undefined, put });
    assert.deepEqual(await at.findings(), []);
  });

  test("what no store has a good copy of is named; captures rely on it no longer, and it is put right when a copy comes back", async () => {
    const key = at.packs[0]!;
    const file = await readFile(at.fileOf(key));
    await rm(at.fileOf(key));
    await at.meddle(key, undefined);
    for (const store of ["disk", "bucket"]) assert.equal((await at.challenge(store)).found, 1);
    const { left, lost } = await at.repair();
    assert.deepEqual([left, new Set(lost)], [2, new Set([key])]);
    const written = () =>
      query<{ there: boolean }>(
        at.catalog,
        "looking",
        "SELECT written_at IS NOT NULL AS there FROM dbgov.pack WHERE id = decode($1, 'hex')",
        [key.slice(-64)],
      );
    assert.deepEqual(await written(), [{ there: false }]);
    assert.deepEqual(
      (await at.findings()).map(({ kind }) => kind),
      ["missing", "missing"],
    );
    // Somebody brings the disk back.
    await writeFile(at.fileOf(key), file);
    assert.deepEqual((await at.repair()).repaired, { disk: 1, bucket: 1 });
    assert.deepEqual(await written(), [{ there: true }]);
    assert.deepEqual(await at.findings(), []);
  });

  test("an object whose deletion has begun may be gone, and a deletion looks again at a copy that was found bad", async () => {
    const [pack] = await writtenPacks(at.catalog, 1);
    const key = `packs/${pack!.slice(0, 2)}/${pack}`;
    await query(at.catalog, "recording", "UPDATE dbgov.replica SET receipt = 'r' WHERE object = $1", [key]);
    assert.equal((await at.challenge("disk")).found, 1, "it was never put");
    await query(at.catalog, "condemning", "UPDATE dbgov.pack SET condemned_at = now() WHERE id = decode($1, 'hex')", [pack]);
    const doomed = (await deletable(at.catalog, new Date(Date.now() + 1_000), 100, ["disk"])).find(({ id }) => id === pack);
    assert.deepEqual(doomed?.stores, ["disk"], "its bad copy goes with it");
    assert.equal((await at.findings()).length, 1);
    await finishDelete(at.catalog, key, "disk");
    assert.deepEqual(await at.findings(), [], "of a copy that is deleted nothing is wrong any more");
    await announceReplica(at.catalog, key, "disk", 1);
    await query(at.catalog, "recording", "UPDATE dbgov.replica SET receipt = 'r', lost_at = NULL, asked_at = NULL WHERE object = $1", [
      key,
    ]);
    await query(at.catalog, "forgetting", "DELETE FROM dbgov.copy_finding");
    assert.deepEqual(await beginDelete(at.catalog, [pack!]), [pack]);
    assert.equal((await at.challenge("disk")).found, 0);
    assert.deepEqual(await at.findings(), []);
    assert.deepEqual((await at.repair()).repaired, {});
  });
});

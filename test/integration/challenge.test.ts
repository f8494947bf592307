import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { openLog } from "../../core/ledger/log.ts";
import { fromHex, leafHash } from "../../core/ledger/verify/hash.ts";
import { verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { chooseBlocks } from "../../core/repository/challenge.ts";
import { ciphertextRoot } from "../../core/repository/ciphertext-root.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { databaseCommitment } from "../../core/site/append-events.ts";
import { challengeStore } from "../../core/site/challenge-store.ts";
import { hashOf } from "../unit/ledger-fixtures.ts";
import { type AuditSite, createAuditSite } from "./audit-site.ts";
import { freshId, snapshotOf } from "./catalog-database.ts";

const signal = new AbortController().signal;
const blockBytes = 65_536;

describe("a challenge of a store", () => {
  let own: AuditSite;
  let snapshot: string;
  let packs: { id: string; root: string; bytes: number }[];

  /** Packs with a catalog and a log that know them. What is in a pack does not matter to a challenge. */
  const store = async (sizes: readonly number[]): Promise<string> => {
    const { site } = own;
    const catalog = await site.catalog();
    packs = [];
    for (const size of sizes) {
      const content = new Uint8Array(randomBytes(size));
      const id = createHash("sha256").update(content).digest("hex");
      packs.push({ id, root: packRoot(content), bytes: size });
      await registerPack(catalog, { ...packs.at(-1)!, store: "local", chunks: [] });
      await markPackWritten(catalog, id);
      for (const name of ["local", "away"]) {
        const { id: receipt } = await (await site.store(name)).put(packKey(id), content, signal);
        await recordReplica(catalog, { object: packKey(id), store: name, receipt, bytes: size, provenAt: new Date() });
      }
    }
    const ranges = packs.map(({ id }) => ({ id: freshId(), packs: [id] }));
    const root = ciphertextRoot(
      packs,
      ranges.map(({ id }) => id),
    );
    const commit = snapshotOf("shop", ranges, { ciphertextRoot: root });
    await commitSnapshot(catalog, commit);
    const { manifestHash, engine, consistency, capturedAt, rows, bytesRead: bytes } = commit;
    await own.append({
      identity: `snapshot-sealed/${commit.snapshot}`,
      database: "shop",
      body: {
        ...({ kind: "snapshot-sealed", time: new Date().toISOString(), database: await databaseCommitment(site, "shop") } as const),
        ...{ snapshot: commit.snapshot, manifestHash, ciphertextRoot: root, engine, consistency, capturedAt, rows, bytes },
      },
    });
    return commit.snapshot;
  };
  const challenge = (name = "away", blocks = 12) => challengeStore(own.site, { snapshot, store: name, blocks }, signal, () => {});
  const holders = async (pack: string) => (await listReplicas(await own.site.catalog(), [packKey(pack)])).map(({ store: name }) => name);
  const fileOf = (name: string, pack: string): string => join(own.folder, name === "local" ? "store" : name, packKey(pack));

  before(async () => {
    own = await createAuditSite(["shop"]);
    snapshot = await store([700_001, 65_536, 1_500_000]);
  });
  after(() => own?.close());

  test("waits for an anchor, without which nobody could repeat the choice", async () => {
    await assert.rejects(challenge(), (error) => isFailure(error, "UsageInvalid") && /no final anchor covers/.test(error.message));
    await own.anchor();
  });

  test("reads the chosen blocks alone, proves them, and logs it; somebody else comes to the same choice and the same proofs", async () => {
    await challenge();
    // The hashes of the blocks are known now, so nothing but the blocks is read.
    const away = await own.site.store("away");
    const read: (number | undefined)[] = [];
    const get = away.get;
    Object.assign(away, {
      get: (key: string, stop: AbortSignal, range?: { offset: number; length: number }) => {
        read.push(range?.length);
        return get.call(away, key, stop, range);
      },
    });
    const out = join(own.folder, "blocks.json");
    const found = await challenge();
    Object.assign(away, { get });
    assert.equal(found.blocks.length, 12);
    assert.ok(read.length === 12 && read.every((length) => length !== undefined && length <= blockBytes));
    assert.ok(found.blocks.every(({ problem }) => problem === undefined));

    const printed = await runDbgov(
      ["challenge", snapshot, "--store", "away", "--blocks", "12", "--out", out, "--config", own.config, "--json"],
      {
        cwd: own.folder,
        env: { ...process.env, ...own.environment },
      },
    );
    assert.equal(printed.code, 0, printed.stderr);
    const { blocks: asked, proven, logIndex } = JSON.parse(printed.stdout);
    assert.deepEqual([asked, proven], [12, 12]);
    const log = await openLog({
      store: await own.site.store("local"),
      origin: own.site.loaded.config.log.origin,
      signer: await own.site.logSigner(),
    });
    const { entry } = await log.entry(logIndex);
    assert.ok(entry.kind === "challenged" && entry.proven === 12 && entry.blocks === 12 && entry.store === "away");

    // As docs/proof.md has it, without the code that chose.
    const evidence = JSON.parse(await readFile(out, "utf8"));
    const seed = createHash("sha256")
      .update(`dbgov challenge\n${snapshot}\n${evidence.chosenBy.root}\n${evidence.chosenBy.blockHash}\n`)
      .digest();
    const all = packs
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .flatMap(({ id, bytes }) => Array.from({ length: Math.ceil(bytes / blockBytes) }, (_, block) => `${id}/${block}`));
    const chosen = new Set<string>();
    for (let draw = 0; chosen.size < 12; draw++) {
      const number = createHash("sha256")
        .update(seed)
        .update(Uint8Array.of(0, 0, draw >> 8, draw & 255))
        .digest()
        .readBigUInt64BE();
      chosen.add(all[Number(number % BigInt(all.length))]!);
    }
    assert.deepEqual(evidence.blocks.map((one: { pack: string; block: number }) => `${one.pack}/${one.block}`).sort(), [...chosen].sort());
    assert.equal(ciphertextRoot(evidence.packs, evidence.ranges), evidence.ciphertextRoot);
    for (const { pack, block, content, proof } of evidence.blocks) {
      const { bytes, root } = packs.find(({ id }) => id === pack)!;
      const leaf = leafHash(new Uint8Array(Buffer.from(content, "base64")));
      assert.ok(verifyInclusion(leaf, block, Math.ceil(bytes / blockBytes), proof.map(fromHex), fromHex(root)));
    }
  });

  test("the choice is the same each time, another for other randomness, and all blocks where fewer are there", () => {
    const randomness = { root: hashOf("root"), blockHash: `0x${hashOf("block")}` };
    const chosen = chooseBlocks(snapshot, randomness, packs, 5);
    assert.deepEqual(chooseBlocks(snapshot, randomness, packs.toReversed(), 5), chosen);
    assert.notDeepEqual(chooseBlocks(snapshot, { ...randomness, root: hashOf("other") }, packs, 5), chosen);
    assert.equal(chooseBlocks(snapshot, randomness, packs, 1_000).length, 11 + 1 + 23);
    assert.deepEqual(chooseBlocks(snapshot, randomness, [], 3), []);
  });

  test("a flipped byte, a pack cut short and one that is gone are found, told, logged, and no longer count", async () => {
    const [first, second, third] = packs.map(({ id }) => id) as [string, string, string];
    const flipped = await readFile(fileOf("away", third));
    flipped[700_000]! ^= 1;
    await rm(fileOf("away", third));
    await writeFile(fileOf("away", third), flipped);
    await rm(fileOf("away", second));
    const cut = await readFile(fileOf("away", first));
    await rm(fileOf("away", first));
    await writeFile(fileOf("away", first), cut.subarray(0, 600_000));
    const { blocks } = await challenge("away", 1_000);
    const wrong = blocks.filter(({ problem }) => problem !== undefined).map(({ pack, block }) => [pack, block]);
    assert.deepEqual(
      wrong.toSorted(),
      [
        [third, 10],
        [second, 0],
        [first, 9],
        [first, 10],
      ].toSorted(),
    );
    for (const pack of [first, second, third]) assert.deepEqual(await holders(pack), ["local"]);
    const printed = await runDbgov(["challenge", snapshot, "--store", "away", "--blocks", "1000", "--config", own.config, "--json"], {
      cwd: own.folder,
      env: { ...process.env, ...own.environment },
    });
    assert.equal(printed.code, 5);
    const { problems, proven, logIndex } = JSON.parse(printed.stdout);
    assert.deepEqual([problems.length, proven], [4, 31]);
    const log = await openLog({
      store: await own.site.store("local"),
      origin: own.site.loaded.config.log.origin,
      signer: await own.site.logSigner(),
    });
    const { entry } = await log.entry(logIndex);
    assert.ok(entry.kind === "challenged" && entry.proven === 31 && entry.blocks === 35);
    assert.ok(
      (await challenge("local")).blocks.every(({ problem }) => problem === undefined),
      "the other copy is as it was",
    );
    assert.ok((await stat(fileOf("local", third))).size > 0);
  });

  test("a store that cannot be reached while its blocks' hashes are unknown is not accused of anything", async (t) => {
    const [kept, earlier] = [packs, snapshot];
    t.after(() => {
      packs = kept;
      snapshot = earlier;
    });
    const other = await store([200_000]);
    await own.anchor();
    const { id } = packs[0]!;
    const logged = async () => (await logEntries(await own.site.catalog(), { kind: "challenged" })).length;
    const before = await logged();
    for (const name of ["local", "away"]) {
      const one = await own.site.store(name);
      const get = one.get;
      t.after(() => Object.assign(one, { get }));
      Object.assign(one, {
        get: (key: string, stop: AbortSignal, range?: { offset: number; length: number }) =>
          key === packKey(id) && range === undefined
            ? Promise.reject(new Failure("StoreUnreachable", `store ${name} gives no answer`))
            : get.call(one, key, stop, range),
      });
    }
    await assert.rejects(
      challengeStore(own.site, { snapshot: other, store: "away", blocks: 3 }, signal, () => {}),
      (error) => isFailure(error, "StoreUnreachable"),
    );
    assert.deepEqual((await holders(id)).sort(), ["away", "local"]);
    assert.equal(await logged(), before);
  });

  test("a store without ranged reads, an unknown store and an unknown snapshot are told so", async () => {
    const away = await own.site.store("away");
    const { capabilities } = away;
    Object.assign(away, { capabilities: { ...capabilities, rangedReads: false } });
    await assert.rejects(challenge(), (error) => isFailure(error, "UsageInvalid") && /gives no parts of an object/.test(error.message));
    Object.assign(away, { capabilities });
    await assert.rejects(challenge("nowhere"), (error) => isFailure(error, "NameUnknown"));
    const unknown = { snapshot: "20260101T000000Z-000000000000", store: "away", blocks: 1 };
    await assert.rejects(
      challengeStore(own.site, unknown, signal, () => {}),
      (error) => isFailure(error, "SnapshotUnknown"),
    );
  });

  test("a catalog whose packs are not those of the log is not believed", async () => {
    const { pool } = await own.site.catalog();
    await pool.query("UPDATE dbgov.pack SET root = decode($1, 'hex') WHERE id = decode($2, 'hex')", [hashOf("forged"), packs[0]!.id]);
    await assert.rejects(
      challenge("local"),
      (error) => isFailure(error, "VerificationFailed") && /do not hash to the root/.test(error.message),
    );
  });
});

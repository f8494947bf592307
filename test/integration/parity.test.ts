import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createDurabilityActivities } from "../../activities/replicate/durability.ts";
import { createKeepParity } from "../../activities/replicate/keep-parity.ts";
import { query } from "../../core/catalog/catalog.ts";
import { commitSnapshot } from "../../core/catalog/commit-snapshot.ts";
import { markPackWritten } from "../../core/catalog/mark-pack-written.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { registerPack } from "../../core/catalog/register-pack.ts";
import type { ParityTotals, RepairTotals } from "../../core/domain/run.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { packRoot } from "../../core/repository/packs.ts";
import { challengeCopies } from "../../core/site/challenge-copies.ts";
import { type AuditSite, createAuditSite } from "./audit-site.ts";
import { freshId, snapshotOf } from "./catalog-database.ts";

const signal = new AbortController().signal;

describe("parity of packs", () => {
  let own: AuditSite;
  const contents = new Map<string, Uint8Array>();
  const packs: string[] = [];

  const store = async (count: number): Promise<void> => {
    const catalog = await own.site.catalog();
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const content = new Uint8Array(randomBytes(50_000 + 30_000 * n));
      const id = createHash("sha256").update(content).digest("hex");
      await registerPack(catalog, { id, bytes: content.length, root: packRoot(content), store: "local", chunks: [] });
      await markPackWritten(catalog, id);
      for (const name of ["local", "away"]) {
        const { id: receipt } = await (await own.site.store(name)).put(packKey(id), content, signal);
        await recordReplica(catalog, { object: packKey(id), store: name, receipt, bytes: content.length, provenAt: null });
      }
      contents.set(packKey(id), content);
      ids.push(id);
    }
    packs.push(...ids.map(packKey));
    await commitSnapshot(catalog, snapshotOf("shop", [{ id: freshId(), packs: ids }]));
  };
  const fileOf = (name: string, key: string): string => join(own.folder, name === "local" ? "store" : name, key);
  const loseEverywhere = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) for (const name of ["local", "away"]) await rm(fileOf(name, key), { force: true });
  };
  const environment = () => ({ site: async () => own.site }) as unknown as ActivityEnvironment;
  const keep = () => new MockActivityEnvironment().run(createKeepParity(environment()).keepParity) as Promise<ParityTotals>;
  const challenge = (name: string) =>
    challengeCopies(own.site, { store: name, askedBefore: new Date(), copies: 100, blocks: 4 }, signal, () => {});
  const repair = async (): Promise<RepairTotals> => {
    for (const name of ["local", "away", "third"]) await challenge(name);
    return (await new MockActivityEnvironment().run(createDurabilityActivities(environment()).repairLost)) as RepairTotals;
  };
  const pieces = async (): Promise<string[]> =>
    (await readdir(join(own.folder, "third", "parity"), { recursive: true })).filter((name) => name.length > 60);

  before(async () => {
    own = await createAuditSite(["shop"]);
    const { config } = own.site.loaded;
    config.stores.push({ ...config.stores[0]!, name: "third", domain: "elsewhere", path: join(own.folder, "third") } as never);
    config.policies[0]!.parity = { group: 4, pieces: 2, stores: ["third"] };
    await store(3);
  });
  after(() => own?.close());

  test("packs wait until a group of them is full; then they get parity, once", async () => {
    assert.deepEqual(await keep(), { made: 0, dissolved: 0 });
    await store(2);
    assert.deepEqual(await keep(), { made: 1, dissolved: 0 });
    assert.deepEqual(await keep(), { made: 0, dissolved: 0 });
    assert.equal((await pieces()).length, 2);
  });

  test("packs that no store has any more are rebuilt, as many as there are pieces, and put into every store that lost them", async () => {
    await loseEverywhere(packs[0]!, packs[2]!);
    const { repaired, left, lost } = await repair();
    assert.deepEqual([repaired, left, lost], [{ local: 2, away: 2 }, 0, []]);
    for (const key of [packs[0]!, packs[2]!]) {
      for (const name of ["local", "away"]) assert.deepEqual(await readFile(fileOf(name, key)), Buffer.from(contents.get(key)!));
    }
    const outcomes = await query<{ repaired_from: string }>(
      await own.site.catalog(),
      "looking",
      "SELECT DISTINCT repaired_from FROM dbgov.copy_finding WHERE outcome = 'repaired' ORDER BY 1",
    );
    assert.deepEqual(
      outcomes.map((row) => row.repaired_from),
      ["local", "parity"].includes(outcomes[0]!.repaired_from) ? ["local", "parity"] : ["away", "parity"],
    );
  });

  test("more lost packs than pieces, and a pack without parity, are lost", async () => {
    const kept = await Promise.all(packs.map(async (key) => [key, await readFile(fileOf("local", key))] as const));
    await loseEverywhere(packs[0]!, packs[1]!, packs[3]!, packs[4]!);
    const { repaired, lost } = await repair();
    assert.deepEqual([repaired, new Set(lost)], [{}, new Set([packs[0]!, packs[1]!, packs[3]!, packs[4]!])]);
    for (const [key, content] of kept) await writeFile(fileOf("local", key), content);
    assert.deepEqual((await repair()).left, 0);
  });

  test("a piece that was altered spoils nothing: it is found, and the group gets new parity", async () => {
    const [piece] = await pieces();
    const path = join(own.folder, "third", "parity", piece!);
    const content = await readFile(path);
    content[500]! ^= 1;
    await writeFile(path, content);
    assert.equal((await challenge("third")).found, 1);
    const catalog = await own.site.catalog();
    // Pieces of dissolved groups are cleared away once they are a day old.
    await query(catalog, "aging", "UPDATE dbgov.replica SET recorded_at = now() - interval '2 days' WHERE object LIKE 'parity/%'");
    assert.deepEqual(await keep(), { made: 1, dissolved: 1 });
    assert.equal((await challenge("third")).found, 0);
    await loseEverywhere(packs[1]!);
    assert.deepEqual((await repair()).repaired, { local: 1, away: 1 });
  });

  test("a catalog that was rebuilt does not know the pieces: they say whose they are, and count again; what belongs to nothing is cleared away", async () => {
    const catalog = await own.site.catalog();
    const stray = join(own.folder, "third", "parity", "ab", "ab".repeat(32));
    await mkdir(join(stray, ".."), { recursive: true });
    await writeFile(stray, "of another day");
    await query(catalog, "forgetting", "DELETE FROM dbgov.parity_group");
    await query(catalog, "forgetting", "DELETE FROM dbgov.replica WHERE object LIKE 'parity/%'");
    assert.deepEqual(await keep(), { made: 0, dissolved: 0 });
    assert.equal((await pieces()).length, 3);
    await query(catalog, "aging", "UPDATE dbgov.replica SET recorded_at = now() - interval '2 days' WHERE object LIKE 'parity/%'");
    await keep();
    assert.equal((await pieces()).length, 2);
    assert.deepEqual((await challenge("third")).proven, 2);
    await loseEverywhere(packs[2]!, packs[3]!);
    assert.deepEqual((await repair()).repaired, { local: 2, away: 2 });
  });

  test("once a pack is deleted its group is dissolved, and its parity goes from the store", async () => {
    const catalog = await own.site.catalog();
    await query(catalog, "deleting", "UPDATE dbgov.pack SET condemned_at = now(), deleted_at = now() WHERE id = decode($1, 'hex')", [
      packs[0]!.slice(-64),
    ]);
    await query(catalog, "aging", "UPDATE dbgov.replica SET recorded_at = now() - interval '2 days' WHERE object LIKE 'parity/%'");
    // The four that stay are a group again.
    assert.deepEqual(await keep(), { made: 1, dissolved: 1 });
    assert.equal((await pieces()).length, 2);
    own.site.loaded.config.policies[0]!.parity = undefined;
    await query(catalog, "aging", "UPDATE dbgov.replica SET recorded_at = now() - interval '2 days' WHERE object LIKE 'parity/%'");
    assert.deepEqual(await keep(), { made: 0, dissolved: 1 });
    assert.deepEqual(await pieces(), []);
    assert.deepEqual(await query(catalog, "looking", "SELECT FROM dbgov.replica WHERE object LIKE 'parity/%'"), []);
  });
});

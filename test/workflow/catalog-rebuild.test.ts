import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Catalog, closeCatalog, openCatalog, query } from "../../core/catalog/catalog.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { findLogEntry } from "../../core/catalog/read-log-entries.ts";
import { chainEvidenceKey } from "../../core/ledger/evidence-keys.ts";
import { entryIdentity } from "../../core/ledger/verify/entry.ts";
import { until } from "../integration/ledger-chain.ts";
import type { RunningWorker } from "../sample/run-worker.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

/**
 * What of a rebuilt catalog is the same, in SQL: every row and column below. Not in it: when rows were written, proofs of replicas (which
 * verification makes anew), runs and sweeps, which the log does not have, and which store failed a replication.
 */
const same: Readonly<Record<string, string>> = {
  packs: `SELECT encode(id, 'hex') AS id, bytes, encode(root, 'hex') AS root, written_at IS NOT NULL AS written FROM dbgov.pack WHERE deleted_at IS NULL ORDER BY 1`,
  chunks: `SELECT encode(c.id, 'hex') AS id, encode(p.id, 'hex') AS pack, byte_offset, stored_bytes, plain_bytes FROM dbgov.chunk c JOIN dbgov.pack p USING (pack_no) ORDER BY 1, 2`,
  ranges: `SELECT encode(id, 'hex') AS id FROM dbgov.range WHERE deleted_at IS NULL ORDER BY 1`,
  rangePacks: `SELECT encode(r.id, 'hex') AS range, encode(p.id, 'hex') AS pack FROM dbgov.range_pack JOIN dbgov.range r USING (range_no) JOIN dbgov.pack p USING (pack_no)
    WHERE r.condemned_at IS NULL AND EXISTS (SELECT FROM dbgov.snapshot_range x WHERE x.range_no = r.range_no) ORDER BY 1, 2`,
  snapshots: `SELECT id, database, engine, policy, started_at, captured_at, consistency, rows, bytes_read, bytes_new, bytes_stored, encode(manifest_hash, 'hex') AS manifest,
    encode(ciphertext_root, 'hex') AS root, removed_at IS NOT NULL AS removed FROM dbgov.snapshot ORDER BY 1`,
  references: `SELECT s.id, encode(r.id, 'hex') AS range FROM dbgov.snapshot_range JOIN dbgov.snapshot s USING (snapshot_no) JOIN dbgov.range r USING (range_no) ORDER BY 1, 2`,
  states: `SELECT s.id, state, CASE WHEN state = 'verified' THEN NULL ELSE evidence END AS evidence FROM dbgov.snapshot_state JOIN dbgov.snapshot s USING (snapshot_no) ORDER BY 1, 2`,
  envelopes: `SELECT object, recipient, kind, version, encode(kem, 'hex') AS kem, encode(wrapped, 'hex') AS wrapped FROM dbgov.envelope ORDER BY 1, 2`,
  replicas: `SELECT object, store, receipt, bytes FROM dbgov.replica WHERE receipt IS NOT NULL ORDER BY 1, 2`,
  entries: `SELECT log_index, kind, database, sequence, encode(entry_hash, 'hex') AS hash, at FROM dbgov.log_entry ORDER BY 1`,
  head: `SELECT origin, size, encode(root, 'hex') AS root, note, published_note FROM dbgov.checkpoint ORDER BY size DESC LIMIT 1`,
  anchors: `SELECT anchor, size, transaction, encode(root, 'hex') AS root, chain_id, contract, block, block_hash, status FROM dbgov.anchor WHERE status = 'finalized' ORDER BY 1, 2`,
  drills: `SELECT snapshot, database, identical, seconds, rows, bytes FROM dbgov.drill ORDER BY 1, seconds`,
  holds: `SELECT database FROM dbgov.hold WHERE lifted_at IS NULL`,
};

describe("a catalog that is lost", () => {
  let test: TestSite;
  let lost: Catalog;
  let source: string;
  let empty: string;
  let worker: RunningWorker;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    source = await createDatabase(stack, "rebuild_source");
    empty = await createDatabase(stack, "rebuild_catalog");
    await runSql(source, "CREATE TABLE t AS SELECT n, md5(n::text) AS text FROM generate_series(1, 30000) n");
    test = await createTestSite({
      name: "rebuild",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: {
        stores: ["azure"],
        copies: 2,
        domains: 2,
        retention: { last: 2, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
      },
      change: (config) => {
        config.retention = { grace: "0s" };
      },
    });
    worker = await test.worker();
  });
  after(async () => {
    if (lost !== undefined) await closeCatalog(lost);
    await test?.close();
  });

  const rows = async (catalog: Catalog) => {
    const found: Record<string, unknown[]> = {};
    for (const [name, sql] of Object.entries(same)) found[name] = await query(catalog, `reading ${name}`, sql);
    return found;
  };

  it("is rebuilt from the log, the stores and the recovery kit, and is the same", async () => {
    const snapshots: string[] = [];
    for (let n = 0; n < 3; n++) {
      await runSql(source, `UPDATE t SET text = reverse(text) WHERE n % 3 = ${n}`);
      const { snapshot } = await test.backup("shop");
      snapshots.push(snapshot);
      await until(
        () => test.client.workflow.getHandle(`verify/${snapshot}`).describe(),
        ({ status }) => status.name === "COMPLETED",
        60_000,
      );
    }
    assert.equal((await test.dbgov("drill", "shop")).code, 0);
    assert.equal((await test.dbgov("retention", "run")).code, 0);
    assert.equal((await test.dbgov("hold", "place", "--database", "shop", "--reason", "case", "--by", "legal")).code, 0);
    const { origin, store } = test.site.loaded.config.log;
    lost = await test.site.catalog();
    // Until the last head is final and its evidence lies beside the log.
    const [head] = await query<{ size: number }>(lost, "looking", "SELECT max(size) AS size FROM dbgov.checkpoint WHERE origin = $1", [
      origin,
    ]);
    await until(
      () => latestAnchor(lost, "chain", "finalized"),
      (found) => found?.size === head?.size,
      60_000,
    );
    const local = await test.site.store(store);
    await until(
      () => local.stat(chainEvidenceKey(head?.size ?? 0, "chain"), AbortSignal.timeout(5_000)),
      (found) => found !== undefined,
    );
    const before = await rows(lost);
    assert.deepEqual([before.snapshots?.length, before.holds?.length], [3, 1]);

    const full = await test.dbgov("catalog", "rebuild");
    assert.deepEqual([full.code, full.json.error.type], [2, "UsageInvalid"], "a catalog that is not empty is left alone");
    await worker.stop();
    process.env.DBGOV_CATALOG_URL = empty;
    const environment = test.environment as Record<string, string>;
    const original = environment.DBGOV_CATALOG_URL as string;
    environment.DBGOV_CATALOG_URL = empty;
    lost = openCatalog(original);
    const { code, json } = await test.dbgov("catalog", "rebuild");
    assert.deepEqual([code, json.missing], [0, []], JSON.stringify(json));
    assert.deepEqual([json.snapshots, json.removed, json.holds.length], [2, 1, 1]);

    const rebuilt = openCatalog(empty);
    try {
      const after = await rows(rebuilt);
      for (const name of Object.keys(same)) assert.deepEqual(after[name], before[name], name);
      const names = await query<{ identity: string }>(lost, "looking", "SELECT identity FROM dbgov.log_entry");
      for (const { identity } of names)
        assert.ok((await findLogEntry(rebuilt, identity)) !== undefined, `${identity} (${entryIdentity(identity)})`);
    } finally {
      await closeCatalog(rebuilt);
    }
  });

  it("serves the next backup, restore and verification; an event that was logged before is not logged again", async () => {
    await test.reconfigure(() => {});
    await test.worker();
    await runSql(source, "UPDATE t SET text = upper(text) WHERE n < 100");
    const { snapshot } = await test.backup("shop");
    assert.equal((await test.dbgov("verify", snapshot)).code, 0);
    const { json } = await test.dbgov("drill", "shop");
    assert.equal(json.identical, true);
    const sweep = await test.dbgov("sweep", "--failures");
    assert.ok(
      !JSON.stringify(sweep.json.findings.filter(({ check }: { check: string }) => check === "record-log-complete")).includes('"fail"'),
    );
  });
});

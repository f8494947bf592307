import assert from "node:assert/strict";
import { test } from "node:test";
import { knownLogSize } from "../../core/catalog/known-log-size.ts";
import { lastDrill } from "../../core/catalog/last-drill.ts";
import { lastRuns } from "../../core/catalog/last-runs.ts";
import { lastSweep } from "../../core/catalog/last-sweep.ts";
import { checkpointOfSize, latestCheckpoint } from "../../core/catalog/latest-checkpoint.ts";
import { markAnchored } from "../../core/catalog/mark-anchored.ts";
import { nextSequence } from "../../core/catalog/next-sequence.ts";
import { anchorCovering, latestAnchor } from "../../core/catalog/read-anchors.ts";
import { findLogEntry, logEntries } from "../../core/catalog/read-log-entries.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordAnchor } from "../../core/catalog/record-anchor.ts";
import { recordCheckpoint } from "../../core/catalog/record-checkpoint.ts";
import { recordDrill } from "../../core/catalog/record-drill.ts";
import { recordLogEntry } from "../../core/catalog/record-log-entry.ts";
import { recordRunEnded, recordRunStarted } from "../../core/catalog/record-run.ts";
import { recordSweep } from "../../core/catalog/record-sweep.ts";
import type { AnchorRecord } from "../../core/catalog/records.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { committed, createCatalog, hex, writtenPacks } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const at = (minute: number) => new Date(Date.UTC(2026, 4, 1, 0, minute)).toISOString();

test("runs: started, ended, newest first; a repeated record changes nothing", async () => {
  const start = { workflowId: "backup/shop", runId: "r1", database: "shop", kind: "backup", at: at(0) } as const;
  await recordRunStarted(catalog, start);
  await recordRunStarted(catalog, { ...start, at: at(5) });
  await recordRunStarted(catalog, { workflowId: "sweep", runId: "r2", database: null, kind: "sweep", at: at(1) });
  const end = {
    workflowId: "backup/shop",
    runId: "r1",
    outcome: "failed",
    failureType: "StoreFull",
    message: "disk is full",
    at: at(2),
  } as const;
  await recordRunEnded(catalog, end);
  await recordRunEnded(catalog, end);
  const ended = {
    workflowId: "backup/shop",
    runId: "r1",
    database: "shop",
    kind: "backup",
    startedAt: at(0),
    endedAt: at(2),
    outcome: "failed",
    failureType: "StoreFull",
    message: "disk is full",
  };
  assert.deepEqual(await lastRuns(catalog, "shop"), [ended]);
  assert.deepEqual(
    (await lastRuns(catalog)).map(({ runId, outcome }) => [runId, outcome]),
    [
      ["r2", null],
      ["r1", "failed"],
    ],
  );
  assert.equal((await lastRuns(catalog, undefined, 1)).length, 1);
  await assert.rejects(recordRunEnded(catalog, { ...end, runId: "never" }), (error) => isFailure(error, "Unexpected"));
});

test("log entries: sequences without gaps for each database, conflicts refused", async () => {
  assert.equal(await knownLogSize(catalog), 0);
  const entry = async (index: number, database: string | null) => {
    const record = {
      identity: `id-${index}`,
      index,
      kind: database === null ? "sweep-finished" : "snapshot-sealed",
      database,
      sequence: await nextSequence(catalog, database),
      entryHash: hex(`${index}`),
      at: at(index),
    };
    await recordLogEntry(catalog, record);
    await recordLogEntry(catalog, record);
    return record;
  };
  const entries = [await entry(0, "shop"), await entry(1, "events"), await entry(2, "shop"), await entry(3, null), await entry(4, null)];
  assert.deepEqual(
    entries.map(({ sequence }) => sequence),
    [1, 1, 2, 1, 2],
  );
  assert.deepEqual(await logEntries(catalog), entries);
  assert.deepEqual(await logEntries(catalog, { database: "shop" }), [entries[0], entries[2]]);
  assert.deepEqual(await logEntries(catalog, { kind: "sweep-finished" }), [entries[3], entries[4]]);
  assert.deepEqual(await findLogEntry(catalog, "id-2"), entries[2]);
  assert.equal(await findLogEntry(catalog, "id-9"), undefined);
  assert.equal(await knownLogSize(catalog), 5);
  const conflict = (error: unknown) => isFailure(error, "LedgerConflict");
  await assert.rejects(recordLogEntry(catalog, { ...entries[2]!, index: 9 }), conflict);
  await assert.rejects(recordLogEntry(catalog, { ...entries[2]!, entryHash: hex("x") }), conflict);
  await assert.rejects(recordLogEntry(catalog, { ...entries[2]!, identity: "id-9" }), conflict);
  await assert.rejects(recordLogEntry(catalog, { ...entries[2]!, identity: "id-9", index: 9 }), conflict);
});

test("checkpoints: the largest is the latest, and a fork is refused", async () => {
  assert.equal(await latestCheckpoint(catalog), undefined);
  const checkpoint = (size: number, origin = "acme.example/dbgov") => ({
    origin,
    size,
    root: hex(`${size}`),
    note: `note ${size}`,
    at: at(size),
  });
  for (const size of [1, 7, 7, 3]) await recordCheckpoint(catalog, checkpoint(size));
  await recordCheckpoint(catalog, checkpoint(9, "other.example/dbgov"));
  assert.deepEqual(await latestCheckpoint(catalog, "acme.example/dbgov"), checkpoint(7));
  assert.equal((await latestCheckpoint(catalog))?.size, 9);
  assert.deepEqual(await checkpointOfSize(catalog, "acme.example/dbgov", 3), checkpoint(3));
  assert.equal(await checkpointOfSize(catalog, "acme.example/dbgov", 4), undefined);
  await assert.rejects(recordCheckpoint(catalog, { ...checkpoint(7), root: hex("fork") }), (error) => isFailure(error, "LedgerCorrupt"));
});

test("anchors: the smallest finalized one that covers an entry; mined can be taken back, finalized cannot", async () => {
  const anchor = (size: number, status: AnchorRecord["status"], transaction = `0x${size}`): AnchorRecord => ({
    ...{ anchor: "base", size, root: hex(`${size}`), chainId: 8453, contract: "0xc0", transaction, status, at: at(size) },
    block: status === "submitted" ? null : 100 + size,
    blockHash: status === "submitted" ? null : `0xb${size}`,
  });
  await recordAnchor(catalog, anchor(3, "submitted"));
  await recordAnchor(catalog, anchor(3, "mined"));
  assert.equal(await anchorCovering(catalog, 0), undefined);
  await recordAnchor(catalog, anchor(3, "submitted"));
  assert.deepEqual(await latestAnchor(catalog, "base"), anchor(3, "submitted"));
  await recordAnchor(catalog, anchor(3, "finalized"));
  await recordAnchor(catalog, anchor(3, "finalized"));
  await recordAnchor(catalog, anchor(3, "mined"));
  await recordAnchor(catalog, anchor(8, "finalized"));
  await recordAnchor(catalog, anchor(9, "mined"));
  assert.deepEqual(await anchorCovering(catalog, 2), anchor(3, "finalized"));
  assert.equal((await anchorCovering(catalog, 3))?.size, 8);
  assert.equal(await anchorCovering(catalog, 8), undefined);
  assert.equal(await anchorCovering(catalog, 2, "other"), undefined);
  assert.deepEqual(await latestAnchor(catalog, "base"), anchor(9, "mined"));
  assert.deepEqual(await latestAnchor(catalog, "base", "finalized"), anchor(8, "finalized"));
  assert.equal(await latestAnchor(catalog, "other"), undefined);
});

test("drills and sweeps: the last one counts, whatever came of it", async () => {
  assert.equal(await lastDrill(catalog, "shop"), undefined);
  const drill = {
    snapshot: "20260101T000000Z-000000000000",
    database: "shop",
    identical: true,
    seconds: 1.5,
    rows: 3,
    bytes: 9,
    at: at(1),
    differences: [] as unknown[],
  };
  await recordDrill(catalog, drill);
  await recordDrill(catalog, drill);
  assert.deepEqual(await lastDrill(catalog, "shop"), drill);
  const failed = { ...drill, at: at(2), identical: false, differences: [{ stream: "public.t" }] };
  await recordDrill(catalog, failed);
  assert.deepEqual(await lastDrill(catalog, "shop"), failed);
  assert.equal(await lastSweep(catalog), undefined);
  const sweep = {
    id: "s1",
    at: at(1),
    pass: 1,
    fail: 2,
    notApplicable: 3,
    inconclusive: 4,
    reportHash: hex("r"),
    findings: [{ check: "tls" }],
  };
  await recordSweep(catalog, sweep);
  await recordSweep(catalog, { ...sweep, pass: 9 });
  assert.deepEqual(await lastSweep(catalog), sweep);
  await recordSweep(catalog, { ...sweep, id: "s2", at: at(2) });
  assert.equal((await lastSweep(catalog))?.id, "s2");
});

test("an anchor makes the snapshots whose entry it covers anchored, once", async () => {
  const packs = await writtenPacks(catalog, 1);
  const size = await knownLogSize(catalog);
  const [covered, beyond] = [await committed(catalog, "anchored", packs), await committed(catalog, "anchored", packs)];
  for (const [i, { snapshot }] of [covered, beyond].entries()) {
    const sequence = await nextSequence(catalog, "anchored");
    const entry = { identity: `snapshot-sealed/${snapshot}`, index: size + i, kind: "snapshot-sealed", database: "anchored", sequence };
    await recordLogEntry(catalog, { ...entry, entryHash: hex(snapshot), at: at(1) });
  }
  assert.equal(await markAnchored(catalog, size + 1, { transaction: "0x1" }, at(3)), 1);
  assert.equal(await markAnchored(catalog, size + 1, { transaction: "0x2" }, at(4)), 0);
  const states = async (id: string) => (await getSnapshot(catalog, id))!.states.filter(({ state }) => state === "anchored");
  assert.deepEqual(await states(covered.snapshot), [{ state: "anchored", reachedAt: at(3), evidence: { transaction: "0x1" } }]);
  assert.deepEqual(await states(beyond.snapshot), []);
});

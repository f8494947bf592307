import type { DatabaseRecord, EngineRecord, SnapshotRecord, StoreRecord } from "../../core/compliance/engine-record.ts";

/** Records for tests: one of an engine that knows nothing, and one of an engine with which all is well. */
export const emptyRecord: EngineRecord = {
  databases: [],
  log: null,
  anchors: [],
  anchorWithinMs: 86_400_000,
  kit: null,
  keySeparation: null,
  recipients: [],
  stores: [],
};

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
export const sweptAt = new Date("2026-11-24T06:00:00Z");
export const ago = (ms: number): string => new Date(sweptAt.getTime() - ms).toISOString();

export const goodSnapshot: SnapshotRecord = {
  id: "20261124T021500Z-5f3a9c01d2e4",
  capturedAt: ago(4 * hourMs),
  states: { captured: ago(4 * hourMs), sealed: ago(4 * hourMs), replicated: ago(4 * hourMs), logged: ago(4 * hourMs) },
  objects: 12,
  replicas: [
    { store: "local", domain: "office", objects: 12, proven: 3, oldestProof: ago(4 * hourMs) },
    { store: "azure", domain: "west-europe", objects: 12, proven: 3, oldestProof: ago(4 * hourMs) },
  ],
  logIndex: 7,
  held: false,
  expiredAt: null,
};

export const goodDatabase: DatabaseRecord = {
  name: "orders",
  engine: "postgres",
  policy: {
    name: "nightly",
    copies: 2,
    domains: 2,
    recoveryPointMs: 26 * hourMs,
    recoveryTimeMs: hourMs,
    drillEveryMs: 7 * dayMs,
    proveEveryMs: 30 * dayMs,
    retention: { last: 1, minimumAgeMs: dayMs, removeWithinMs: 2 * dayMs },
  },
  schedule: { exists: true, paused: false, nextRun: ago(-20 * hourMs) },
  snapshots: [goodSnapshot],
  removed: [{ id: "20261101T021500Z-aaaaaaaaaaaa", capturedAt: ago(23 * dayMs), removedAt: ago(3 * dayMs) }],
  lastDrill: { at: ago(2 * dayMs), snapshot: "20261122T021500Z-5f3a9c01d2e4", identical: true, seconds: 95 },
  lastRun: { at: ago(4 * hourMs), outcome: "done", failureType: null },
  failuresSinceSuccess: 0,
  allowance: { service: "supabase-free", limitBytes: 500e6, usedBytes: 120e6, growthPerDay: 1e6 },
};

export const goodStore: StoreRecord = {
  ...({
    name: "local",
    trust: 1,
    copies: 40,
    covered: 38,
    overdue: 0,
    oldest: ago(20 * dayMs),
    lost: 0,
    findings: [],
    ends: null,
  } as const),
};

export const goodRecord: EngineRecord = {
  databases: [goodDatabase],
  log: { size: 9, catalogEntries: 9, gaps: [], checkpointRoot: "ab".repeat(32) },
  anchors: [{ name: "chain", finalizedSize: 8, at: ago(hourMs) }],
  anchorWithinMs: dayMs,
  kit: { present: true, missingEnvelopes: 0, refreshedAt: ago(4 * hourMs) },
  keySeparation: { compared: ["keys.signingKey", "keys.logKey", "anchors[0].submitterKey"], equal: [] },
  recipients: [
    { name: "board", secretOnWorkers: false },
    { name: "drills", secretOnWorkers: true },
  ],
  stores: [goodStore, { ...goodStore, name: "azure", lifecycle: { container: "dbgov", rules: [], keepsDays: 2_562 } }],
};

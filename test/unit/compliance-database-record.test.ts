import type { SnapshotRecord } from "../../core/compliance/engine-record.ts";
import { judgesRecords, type RecordCase } from "./compliance-record-cases.ts";
import { ago, dayMs, goodDatabase, goodSnapshot, hourMs } from "./compliance-records.ts";

const snapshot = (change: Partial<SnapshotRecord>): SnapshotRecord => ({ ...goodSnapshot, ...change });
const older = snapshot({ id: "20261123T021500Z-bbbbbbbbbbbb", capturedAt: ago(28 * hourMs) });
const replica = goodSnapshot.replicas[0]!;
const other = goodSnapshot.replicas[1]!;
const onlyCaptured = { snapshots: [snapshot({ states: { captured: ago(hourMs) }, logIndex: null })] };

const cases: readonly RecordCase[] = [
  {
    check: "database-fits-its-allowance",
    when: "all is well",
    result: "pass",
    reason: /^120 MB of the 500 MB that supabase-free allows are used, and at 1\.0 MB a day it is full in 380 days\.$/,
  },
  {
    check: "database-fits-its-allowance",
    when: "no plan is declared",
    database: { allowance: null },
    result: "not-applicable",
    reason: /does not say which plan/,
  },
  {
    check: "database-fits-its-allowance",
    when: "the plan has no limit of size",
    database: { allowance: { ...goodDatabase.allowance!, limitBytes: null } },
    result: "not-applicable",
    reason: /no limit of size/,
  },
  {
    check: "database-fits-its-allowance",
    when: "the server does not say its size",
    database: { allowance: { ...goodDatabase.allowance!, usedBytes: null } },
    result: "inconclusive",
    reason: /did not say how large/,
  },
  {
    check: "database-fits-its-allowance",
    when: "it is nearly full",
    database: { allowance: { ...goodDatabase.allowance!, usedBytes: 425e6, growthPerDay: null } },
    result: "fail",
    reason: /^425 MB of the 500 MB that supabase-free allows are used; from 85 % on there is too little room\.$/,
  },
  {
    check: "database-fits-its-allowance",
    when: "it will be full within a month",
    database: { allowance: { ...goodDatabase.allowance!, growthPerDay: 13e6 } },
    result: "fail",
    reason: /at 13 MB a day it is full in 29 days\.$/,
  },
  {
    check: "database-fits-its-allowance",
    when: "it shrinks",
    database: { allowance: { ...goodDatabase.allowance!, growthPerDay: -5 } },
    result: "pass",
    reason: /are used\.$/,
  },
  { check: "record-protected", when: "all is well", result: "pass", reason: /1 snapshot is replicated/ },
  { check: "record-protected", when: "there is no snapshot", database: { snapshots: [] }, result: "fail", reason: /No snapshot/ },
  { check: "record-protected", when: "the snapshot is only captured", database: onlyCaptured, result: "fail", reason: /No snapshot/ },
  {
    check: "record-protected",
    when: "there is no schedule",
    database: { schedule: { exists: false, paused: false, nextRun: null } },
    result: "fail",
    reason: /no backup schedule/,
  },
  {
    check: "record-protected",
    when: "it is paused",
    database: { schedule: { exists: true, paused: true, nextRun: ago(-1) } },
    result: "fail",
    reason: /paused/,
  },
  {
    check: "record-protected",
    when: "no run is planned",
    database: { schedule: { exists: true, paused: false, nextRun: null } },
    result: "fail",
    reason: /no next run/,
  },
  {
    check: "record-protected",
    when: "the schedule is not known",
    database: { schedule: null },
    result: "inconclusive",
    reason: /could not be asked/,
  },

  { check: "record-recovery-point", when: "all is well", result: "pass", reason: /is 4 h old; the objective is 1 d 2 h/ },
  {
    check: "record-recovery-point",
    when: "the newest is second in the list",
    database: { snapshots: [older, goodSnapshot] },
    result: "pass",
    reason: /4 h old/,
  },
  {
    check: "record-recovery-point",
    when: "the newest is too old",
    database: { snapshots: [older] },
    result: "fail",
    reason: /1 d 4 h old/,
  },
  {
    check: "record-recovery-point",
    when: "the newer one is not replicated",
    database: { snapshots: [older, ...onlyCaptured.snapshots] },
    result: "fail",
    reason: /1 d 4 h old/,
  },
  {
    check: "record-recovery-point",
    when: "there is none",
    database: { snapshots: [] },
    result: "fail",
    reason: /everything would be lost/,
  },

  { check: "record-last-run", when: "all is well", result: "pass", reason: /did all of its job/ },
  { check: "record-last-run", when: "none has ended", database: { lastRun: null }, result: "not-applicable", reason: /has ended yet/ },
  {
    check: "record-last-run",
    when: "it failed",
    database: { lastRun: { at: ago(1), outcome: "failed", failureType: "StoreFull" }, failuresSinceSuccess: 3 },
    result: "fail",
    reason: /^3 backup runs have failed .*StoreFull/,
  },
  {
    check: "record-last-run",
    when: "it was degraded",
    database: { lastRun: { at: ago(1), outcome: "degraded", failureType: null } },
    result: "fail",
    reason: /degraded/,
  },

  { check: "record-replicas", when: "all is well", result: "pass", reason: /^2 of 2 copies in 2 of 2 failure domains/ },
  {
    check: "record-replicas",
    when: "one store lacks an object",
    database: { snapshots: [snapshot({ replicas: [replica, { ...other, objects: 11 }] })] },
    result: "fail",
    reason: /^Only 1 of 2 copies/,
  },
  {
    check: "record-replicas",
    when: "both share a domain",
    database: { snapshots: [snapshot({ replicas: [replica, { ...other, domain: "office" }] })] },
    result: "fail",
    reason: /1 of 2 failure domains/,
  },
  {
    check: "record-replicas",
    when: "one copy is archived, and cannot be read",
    database: { snapshots: [snapshot({ replicas: [replica, { ...other, objects: 9, archived: 3, allArchived: true }] })] },
    result: "fail",
    reason: /^Only 1 of 2 copies/,
  },
  { check: "record-replicas", when: "nothing is replicated", database: onlyCaptured, result: "fail", reason: /no replicated snapshot/ },

  { check: "record-replicas-proven", when: "all is well", result: "pass", reason: /All 2 replicas/ },
  {
    check: "record-replicas-proven",
    when: "one was never read back",
    database: { snapshots: [snapshot({ replicas: [replica, { ...other, proven: 0, oldestProof: null }] })] },
    result: "fail",
    reason: /ever read back from azure/,
  },
  {
    check: "record-replicas-proven",
    when: "a proof is old",
    database: { snapshots: [snapshot({ replicas: [replica, { ...other, oldestProof: ago(31 * dayMs) }] })] },
    result: "fail",
    reason: /in azure is older than 30 d/,
  },
  {
    check: "record-replicas-proven",
    when: "another copy is archived, which nobody can read back",
    database: {
      snapshots: [
        snapshot({ replicas: [replica, other, { ...other, store: "cold", proven: 0, oldestProof: null, archived: 3, allArchived: true }] }),
      ],
    },
    result: "pass",
    reason: /^All 2 replicas/,
  },
  {
    check: "record-replicas-proven",
    when: "all copies are archived",
    database: { snapshots: [snapshot({ replicas: [{ ...replica, proven: 0, oldestProof: null, archived: 3, allArchived: true }] })] },
    result: "fail",
    reason: /^Every copy of .* is archived/,
  },
  {
    check: "record-replicas-proven",
    when: "there is no replica",
    database: { snapshots: [snapshot({ replicas: [] })] },
    result: "fail",
    reason: /no replica/,
  },

  { check: "record-drill", when: "all is well", result: "pass", reason: /content was identical/ },
  { check: "record-drill", when: "there was none", database: { lastDrill: null }, result: "fail", reason: /ever rehearsed/ },
  {
    check: "record-drill",
    when: "content differed",
    database: { lastDrill: { ...goodDatabase.lastDrill!, identical: false } },
    result: "fail",
    reason: /differs/,
  },
  {
    check: "record-drill",
    when: "it is a little late",
    database: { lastDrill: { ...goodDatabase.lastDrill!, at: ago(8 * dayMs) } },
    result: "pass",
    reason: /8 d ago/,
  },
  {
    check: "record-drill",
    when: "it is stale",
    database: { lastDrill: { ...goodDatabase.lastDrill!, at: ago(9 * dayMs) } },
    result: "fail",
    reason: /one every 7 d/,
  },

  { check: "record-recovery-time", when: "all is well", result: "pass", reason: /took 1 min 35 s; the objective is 1 h/ },
  {
    check: "record-recovery-time",
    when: "it took too long",
    database: { lastDrill: { ...goodDatabase.lastDrill!, seconds: 3_601 } },
    result: "fail",
    reason: /took 1 h/,
  },
  { check: "record-recovery-time", when: "nobody measured", database: { lastDrill: null }, result: "inconclusive", reason: /No drill/ },

  { check: "record-anchored", when: "all is well", result: "pass", reason: /Entry 7 is covered by chain, final at size 8/ },
  {
    check: "record-anchored",
    when: "the anchor ends just before it",
    record: { anchors: [{ name: "chain", finalizedSize: 7, at: ago(1) }] },
    result: "inconclusive",
    reason: /may still become final/,
  },
  {
    check: "record-anchored",
    when: "it has waited too long",
    record: { anchors: [{ name: "chain", finalizedSize: null, at: null }], anchorWithinMs: hourMs },
    result: "fail",
    reason: /not final anywhere/,
  },
  { check: "record-anchored", when: "no anchor is declared", record: { anchors: [] }, result: "fail", reason: /No anchor is declared/ },
  { check: "record-anchored", when: "nothing is logged", database: onlyCaptured, result: "fail", reason: /in the log/ },
  {
    check: "record-anchored",
    when: "the index is not known",
    database: { snapshots: [snapshot({ logIndex: null })] },
    result: "inconclusive",
    reason: /is not known/,
  },

  { check: "record-retention", when: "all is well", result: "pass", reason: /1 live and 1 removed/ },
  {
    check: "record-retention",
    when: "there is nothing",
    database: { snapshots: [], removed: [] },
    result: "not-applicable",
    reason: /no snapshot/,
  },
  {
    check: "record-retention",
    when: "an expired one is still there",
    database: { snapshots: [goodSnapshot, snapshot({ expiredAt: ago(3 * dayMs) })] },
    result: "fail",
    reason: /no longer keeps/,
  },
  {
    check: "record-retention",
    when: "the expired one is held",
    database: { snapshots: [goodSnapshot, snapshot({ expiredAt: ago(3 * dayMs), held: true })] },
    result: "pass",
    reason: /2 live/,
  },
  {
    check: "record-retention",
    when: "it expired just now",
    database: { snapshots: [goodSnapshot, snapshot({ expiredAt: ago(hourMs) })] },
    result: "pass",
    reason: /2 live/,
  },
  {
    check: "record-retention",
    when: "one was removed too early",
    database: { removed: [{ id: "x", capturedAt: ago(5 * hourMs), removedAt: ago(hourMs) }] },
    result: "fail",
    reason: /before 1 d had passed/,
  },
  {
    check: "record-retention",
    when: "too few are left",
    database: { policy: { ...goodDatabase.policy, retention: { ...goodDatabase.policy.retention, last: 2 } } },
    result: "fail",
    reason: /always keeps 2/,
  },

  {
    check: "record-retention",
    when: "the newest snapshots look forged",
    database: { retentionAlarm: "12 extra snapshots came within a day" },
    result: "fail",
    reason: /Nothing goes: 12 extra/,
  },
  {
    check: "record-retention",
    when: "extra ones were removed while there are few others",
    database: {
      removed: [{ id: "x", capturedAt: ago(50 * hourMs), removedAt: ago(hourMs), extra: true }],
      policy: { ...goodDatabase.policy, retention: { ...goodDatabase.policy.retention, last: 2 } },
    },
    result: "pass",
    reason: /1 live and 1 removed/,
  },
];

judgesRecords("database-record", cases);

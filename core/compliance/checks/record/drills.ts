import { formatDuration } from "../../../domain/duration.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";
import { ageMs } from "./newest-snapshot.ts";

/** A drill starts when its interval is over and then takes its time: a quarter of the interval is granted for that. */
const grace = 1.25;

export const recordDrill: DatabaseRecordCheck = {
  id: "record-drill",
  appliesTo: "database-record",
  title: "A restore was rehearsed recently, and its content was identical",
  severity: "high",
  rationale: "A backup that was never restored is a hope.",
  remedy: "Run `dbgov drill NAME`; if the content differed, treat the copy as bad and restore from another store.",
  judge(database, _record, now) {
    const { lastDrill: drill } = database;
    const every = database.policy.drillEveryMs;
    if (drill === null) return fail("No restore of this database was ever rehearsed.", { lastDrill: null, drillEveryMs: every });
    const age = ageMs(drill.at, now);
    const evidence = { lastDrill: { ...drill }, ageMs: age, drillEveryMs: every };
    if (!drill.identical) return fail(`The last drill, of ${drill.snapshot}, found content that differs.`, evidence);
    if (age > every * grace) {
      return fail(`The last drill is ${formatDuration(age)} old; the policy asks for one every ${formatDuration(every)}.`, evidence);
    }
    return pass(`${drill.snapshot} was restored ${formatDuration(age)} ago, and its content was identical.`, evidence);
  },
};

export const recordRecoveryTime: DatabaseRecordCheck = {
  id: "record-recovery-time",
  appliesTo: "database-record",
  title: "The last drill restored within the recovery time objective",
  severity: "medium",
  rationale: "How long the business stands still is decided by how long a restore takes, and only a drill knows.",
  remedy: "Restore from a nearer store or with more workers, or agree on another objective.",
  judge(database) {
    const { lastDrill: drill } = database;
    const objective = database.policy.recoveryTimeMs;
    if (drill === null)
      return inconclusive("No drill has measured how long a restore takes.", { lastDrill: null, recoveryTimeMs: objective });
    const taken = drill.seconds * 1_000;
    const evidence = { snapshot: drill.snapshot, at: drill.at, seconds: drill.seconds, recoveryTimeMs: objective };
    const words = `The last drill took ${formatDuration(taken)}; the objective is ${formatDuration(objective)}`;
    return taken <= objective ? pass(`${words}.`, evidence) : fail(`${words}.`, evidence);
  },
};

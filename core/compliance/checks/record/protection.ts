import { formatDuration } from "../../../domain/duration.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, inconclusive, notApplicable, pass } from "../../finding.ts";
import { ageMs, newestWith } from "./newest-snapshot.ts";

export const recordProtected: DatabaseRecordCheck = {
  id: "record-protected",
  appliesTo: "database-record",
  title: "The database has an active backup schedule and a replicated snapshot",
  severity: "critical",
  rationale: "A database that somebody declared and nobody backs up is the one that will be missed.",
  remedy: "Run `dbgov apply` to create or resume the schedule, and `dbgov backup NAME` to start at once.",
  judge(database) {
    const { schedule } = database;
    const replicated = database.snapshots.filter(({ states }) => states.replicated !== undefined).length;
    const evidence = { schedule: schedule === null ? null : { ...schedule }, snapshots: database.snapshots.length, replicated };
    if (replicated === 0) return fail("No snapshot of this database is replicated.", evidence);
    if (schedule === null) return inconclusive("Whether a schedule exists could not be asked.", evidence);
    if (!schedule.exists) return fail("The database has no backup schedule.", evidence);
    if (schedule.paused) return fail("The backup schedule is paused.", evidence);
    if (schedule.nextRun === null) return fail("The backup schedule plans no next run.", evidence);
    return pass(
      `The next backup runs at ${schedule.nextRun}; ${replicated} ${replicated === 1 ? "snapshot is" : "snapshots are"} replicated.`,
      evidence,
    );
  },
};

export const recordRecoveryPoint: DatabaseRecordCheck = {
  id: "record-recovery-point",
  appliesTo: "database-record",
  title: "The newest replicated snapshot is younger than the recovery point objective",
  severity: "critical",
  rationale: "The age of the newest copy that survives a disaster is exactly what would be lost in one.",
  remedy: "Look up why the last runs failed (`dbgov status`), or back up more often.",
  judge(database, _record, now) {
    const objective = database.policy.recoveryPointMs;
    const newest = newestWith(database.snapshots, "replicated");
    if (newest === undefined) {
      return fail("There is no replicated snapshot: everything would be lost.", { snapshot: null, recoveryPointMs: objective });
    }
    const age = ageMs(newest.capturedAt, now);
    const evidence = { snapshot: newest.id, capturedAt: newest.capturedAt, ageMs: age, recoveryPointMs: objective };
    const words = `The newest replicated snapshot is ${formatDuration(age)} old; the objective is ${formatDuration(objective)}`;
    return age <= objective ? pass(`${words}.`, evidence) : fail(`${words}.`, evidence);
  },
};

export const recordLastRun: DatabaseRecordCheck = {
  id: "record-last-run",
  appliesTo: "database-record",
  title: "The last backup run did its whole job",
  severity: "high",
  rationale: "Failures that nobody looks at become the normal state, until the day the copy is needed.",
  remedy: "Open the run, correct the cause that its failure names, and reset it (docs/runbook.md has a section for each type).",
  judge(database) {
    const { lastRun, failuresSinceSuccess } = database;
    const evidence = { lastRun: lastRun === null ? null : { ...lastRun }, failuresSinceSuccess };
    if (lastRun === null) return notApplicable("No backup run has ended yet.", evidence);
    if (lastRun.outcome === "failed" || failuresSinceSuccess > 0) {
      const runs = Math.max(1, failuresSinceSuccess);
      return fail(
        `${runs} backup ${runs === 1 ? "run has" : "runs have"} failed since the last success (${lastRun.failureType ?? "unknown cause"}).`,
        evidence,
      );
    }
    if (lastRun.outcome === "degraded") return fail("The last backup run was degraded: a store did not get its copy.", evidence);
    return pass(`The last backup run ended at ${lastRun.at} and did all of its job.`, evidence);
  },
};

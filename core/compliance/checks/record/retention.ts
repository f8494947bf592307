import { formatDuration } from "../../../domain/duration.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, notApplicable, pass } from "../../finding.ts";
import { ageMs } from "./newest-snapshot.ts";

export const recordRetention: DatabaseRecordCheck = {
  id: "record-retention",
  appliesTo: "database-record",
  title: "Snapshots are kept as long as the policy says, and no longer",
  severity: "high",
  rationale: "Keeping personal data longer than needed breaks one law; deleting records too early breaks another.",
  remedy:
    "Run `dbgov retention plan` and read why; a snapshot that must stay needs a hold. Look at the newest snapshots first where they look forged or far too small.",
  judge(database, _record, now) {
    const { retention } = database.policy;
    const overdue = database.snapshots.filter(
      ({ expiredAt, held }) => expiredAt !== null && !held && ageMs(expiredAt, now) > retention.removeWithinMs,
    );
    const early = database.removed.filter(
      ({ capturedAt, removedAt }) => Date.parse(removedAt) - Date.parse(capturedAt) < retention.minimumAgeMs,
    );
    // Extra snapshots go while fewer of the others are there than are kept.
    const tooFew = database.removed.some(({ extra }) => extra !== true) && database.snapshots.length < retention.last;
    const evidence = {
      live: database.snapshots.length,
      held: database.snapshots.filter(({ held }) => held).length,
      removed: database.removed.length,
      overdue: overdue.map(({ id, expiredAt }) => ({ id, expiredAt })),
      removedEarly: early.map(({ id, capturedAt, removedAt }) => ({ id, capturedAt, removedAt })),
      policy: { ...retention },
    };
    const { retentionAlarm } = database;
    if (retentionAlarm !== undefined) return fail(`Nothing goes: ${retentionAlarm}.`, { ...evidence, retentionAlarm });
    if (early.length > 0) {
      return fail(
        `${early.length} ${early.length === 1 ? "snapshot was" : "snapshots were"} removed before ${formatDuration(retention.minimumAgeMs)} had passed.`,
        evidence,
      );
    }
    if (tooFew) return fail(`Only ${database.snapshots.length} snapshots are left; the policy always keeps ${retention.last}.`, evidence);
    if (overdue.length > 0) {
      return fail(
        `${overdue.length} ${overdue.length === 1 ? "snapshot is" : "snapshots are"} still there that the policy no longer keeps.`,
        evidence,
      );
    }
    if (database.snapshots.length === 0) return notApplicable("There is no snapshot to keep or to remove.", evidence);
    return pass(`${database.snapshots.length} live and ${database.removed.length} removed snapshots are as the policy says.`, evidence);
  },
};

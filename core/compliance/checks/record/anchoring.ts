import { formatDuration } from "../../../domain/duration.ts";
import type { DatabaseRecordCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";
import { ageMs, newestWith } from "./newest-snapshot.ts";

export const recordAnchored: DatabaseRecordCheck = {
  id: "record-anchored",
  appliesTo: "database-record",
  title: "The newest snapshot's log entry is covered by a finalized anchor",
  severity: "medium",
  rationale: "Until something outside the organization attests the log's head, the organization could rewrite its own history.",
  remedy: "Declare an anchor, or look up why the last checkpoint did not become final (`dbgov status`).",
  judge(database, record, now) {
    const newest = newestWith(database.snapshots, "logged");
    const anchors = record.anchors.map(({ name, finalizedSize, at }) => ({ name, finalizedSize, at }));
    if (newest === undefined) return fail("No snapshot of this database is in the log.", { snapshot: null, anchors });
    const evidence = { snapshot: newest.id, logIndex: newest.logIndex, anchors, anchorWithinMs: record.anchorWithinMs };
    if (anchors.length === 0) return fail("No anchor is declared: nobody outside attests the log.", evidence);
    if (newest.logIndex === null) return inconclusive(`The log index of ${newest.id} is not known.`, evidence);
    const index = newest.logIndex;
    const covering = anchors.find(({ finalizedSize }) => finalizedSize !== null && finalizedSize > index);
    if (covering !== undefined)
      return pass(`Entry ${index} is covered by ${covering.name}, final at size ${covering.finalizedSize}.`, evidence);
    const age = ageMs(newest.states.logged ?? newest.capturedAt, now);
    return age <= record.anchorWithinMs
      ? inconclusive(
          `Entry ${index} was logged ${formatDuration(age)} ago and may still become final within ${formatDuration(record.anchorWithinMs)}.`,
          evidence,
        )
      : fail(`Entry ${index} was logged ${formatDuration(age)} ago and is not final anywhere.`, evidence);
  },
};

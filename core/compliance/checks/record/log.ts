import type { OrganizationRecordCheck } from "../../check.ts";
import { fail, inconclusive, notApplicable, pass } from "../../finding.ts";

const shownGaps = 20;

export const recordLogComplete: OrganizationRecordCheck = {
  id: "record-log-complete",
  appliesTo: "organization-record",
  title: "The log is complete: no sequence has a gap, and its size is what the catalog expects",
  severity: "critical",
  rationale: "A log from which entries are missing proves what somebody wants it to prove.",
  remedy: "Stop appending, and compare the log's tiles with another store's copy as docs/runbook.md describes.",
  judge({ log }) {
    if (log === null) return inconclusive("The log or the catalog could not be read.", { log: null });
    const { size, catalogEntries, checkpointRoot } = log;
    const evidence = {
      size,
      catalogEntries,
      checkpointRoot,
      gaps: log.gaps.length,
      firstGaps: log.gaps.slice(0, shownGaps).map((gap) => ({ ...gap })),
    };
    if (log.gaps.length > 0)
      return fail(`${log.gaps.length} sequence ${log.gaps.length === 1 ? "number is" : "numbers are"} missing from the log.`, evidence);
    if (size !== catalogEntries) return fail(`The log has ${size} entries, but the catalog knows ${catalogEntries}.`, evidence);
    if (size === 0) return notApplicable("The log is still empty.", evidence);
    if (checkpointRoot === null) return fail(`The log has ${size} entries, but no checkpoint was signed.`, evidence);
    return pass(`All ${size} entries are there, under a signed checkpoint.`, evidence);
  },
};

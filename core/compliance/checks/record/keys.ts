import type { OrganizationRecordCheck } from "../../check.ts";
import { fail, inconclusive, pass } from "../../finding.ts";

export const recordRecoveryKit: OrganizationRecordCheck = {
  id: "record-recovery-kit",
  appliesTo: "organization-record",
  title: "The recovery kit's keyring covers every live snapshot",
  severity: "critical",
  rationale: "When everything else is down the kit alone must open the copies; an envelope that it lacks is a snapshot that is lost.",
  remedy: "Make the kit's folder writable and start a backup: each run refreshes the keyring.",
  judge({ kit }) {
    if (kit === null) return inconclusive("The recovery kit's folder could not be looked at.", { kit: null });
    const evidence = { ...kit };
    if (!kit.present) return fail("There is no recovery kit.", evidence);
    if (kit.missingEnvelopes > 0) {
      return fail(
        `The kit's keyring lacks ${kit.missingEnvelopes} ${kit.missingEnvelopes === 1 ? "envelope" : "envelopes"} of live snapshots.`,
        evidence,
      );
    }
    return pass(`The kit's keyring has every envelope${kit.refreshedAt === null ? "" : ` as of ${kit.refreshedAt}`}.`, evidence);
  },
};

export const recordKeySeparation: OrganizationRecordCheck = {
  id: "record-key-separation",
  appliesTo: "organization-record",
  title: "Signing, log, submitter and deduplication keys are distinct secrets",
  severity: "high",
  rationale: "A key with two uses gives whoever holds it for one of them the power of both.",
  remedy: "Generate the keys named anew, each for itself, with `dbgov keys`.",
  judge({ keySeparation }) {
    if (keySeparation === null) return inconclusive("The keys could not be read where the sweep ran.", { keySeparation: null });
    const { compared, equal } = keySeparation;
    const evidence = { compared, equal };
    if (equal.length > 0) return fail(`The same secret is used for ${equal.map((pair) => pair.join(" and ")).join("; ")}.`, evidence);
    if (compared.length < 2) return inconclusive("There were not two keys to compare.", evidence);
    return pass(`${compared.length} keys are distinct.`, evidence);
  },
};

export const recordRecipients: OrganizationRecordCheck = {
  id: "record-recipients",
  appliesTo: "organization-record",
  title: "Snapshots are sealed to a recipient whose secret is kept apart from the workers",
  severity: "info",
  rationale: "Recovery must not depend on the machines that are backed up, and these should open no more than drills need.",
  remedy: "Declare a second recipient whose secret key is kept offline only, beside the one that drills use.",
  judge({ recipients }) {
    const apart = recipients.filter(({ secretOnWorkers }) => !secretOnWorkers);
    const evidence = { recipients: recipients.map(({ name, secretOnWorkers }) => ({ name, secretOnWorkers })) };
    if (recipients.length === 0) return fail("Snapshots are sealed to nobody.", evidence);
    return apart.length === 0
      ? fail("The secret key of every recipient is configured on workers.", evidence)
      : pass(`The secret of ${apart.length} of ${recipients.length} recipients is kept apart.`, evidence);
  },
};

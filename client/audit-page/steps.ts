import type { AuditReport, ProofBundle, Trust } from "../../core/ledger/verify/audit.ts";

/** One thing that was checked, as a person reads it. */
export interface Step {
  readonly name: string;
  readonly state: "right" | "wrong" | "missed" | "not asked for";
  readonly detail: string;
}

/** What the audit of the bundle has checked, in order. The verdict is the report's alone: these only say it in words. */
export const stepsOf = (bundle: unknown, trust: Trust, report: AuditReport): Step[] => {
  const failed = (...parts: readonly string[]): string[] =>
    report.failures
      .filter(({ part }) => parts.some((one) => part === one || part.startsWith(`${one}.`) || part.startsWith(`${one}[`)))
      .map(({ part, reason }) => `${part} ${reason}`);
  const told: Step[] = [];
  const step = (name: string, wrong: readonly string[], right: string | undefined, otherwise = ""): void => {
    const detail = wrong.length > 0 ? wrong.join("; ") : (right ?? otherwise);
    told.push({ name, state: wrong.length > 0 ? "wrong" : right === undefined ? "not asked for" : "right", detail });
  };
  const { entry, checkpoint } = report;
  const read = report.failures.length === 0 || checkpoint !== null || failed("checkpoint").length > 0;
  if (!read) {
    step(
      "The file is a proof",
      report.failures.map(({ part, reason }) => `${part} ${reason}`),
      undefined,
    );
    return told;
  }
  const { consistency, database, anchors, timestamps = [], index } = bundle as ProofBundle;
  step("The file is a proof", [], "every field is there, and none that this verifier does not know");
  const unsigned = failed("checkpoint").filter((one) => !one.startsWith("checkpoint.cosignatures"));
  step("The log stands by this checkpoint", unsigned, `size ${checkpoint?.size}, signed by ${trust.log.origin}`);
  if (checkpoint === null) return told;
  step("The entry is in the log", failed("inclusion"), entry === null ? undefined : `entry ${index}: ${entry.kind}, ${entry.time}`);
  step("The manifest was signed by a known key", failed("entry"), trust.signingKeys && "as your policy lists it", "your policy lists none");
  step("The database is the named one", failed("database"), database && `“${database.name}”`, "the name is not disclosed");
  step(
    "The log only grew since you last looked",
    failed("consistency"),
    trust.since === undefined ? undefined : `it extends your checkpoint of size ${trust.since.size}`,
    consistency === undefined ? "your policy has no checkpoint" : "consistent, but your policy has no checkpoint",
  );
  step(
    "Witnesses have seen the same log",
    failed("checkpoint.cosignatures"),
    trust.witnesses && report.cosignatures.map(({ witness, time }) => `${witness} at ${new Date(time * 1000).toISOString()}`).join(", "),
    "your policy names none",
  );
  step(
    "A public chain recorded it",
    [...failed("anchors"), ...report.anchors.flatMap(({ reason }) => reason ?? [])].filter((one, at, all) => all.indexOf(one) === at),
    anchors.length === 0
      ? undefined
      : report.anchors.map(({ chainId, block, time }) => `chain ${chainId}, block ${block}, ${time}`).join("; "),
    "there is no anchor, and your policy asks for none",
  );
  step(
    "A time-stamping authority saw it",
    [...failed("timestamps"), ...report.timestamps.flatMap(({ reason }) => reason ?? [])].filter((one, at, all) => all.indexOf(one) === at),
    timestamps.length === 0 ? undefined : report.timestamps.map(({ authority, time }) => `${authority}, ${time}`).join("; "),
    "there is no time stamp, and your policy asks for none",
  );
  return told;
};

/** The words of a sweep: what a check says, and what a report keeps of it. Plain data. */

export const results = ["pass", "fail", "not-applicable", "inconclusive"] as const;
/** `inconclusive` means that nobody knows: a permission is missing, a server did not answer. It is never counted as a pass. */
export type Result = (typeof results)[number];

export const severities = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof severities)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a check says of one resource. `reason` is one sentence; `evidence` is what was read, without secrets. */
export interface Verdict {
  readonly result: Result;
  readonly reason: string;
  readonly evidence: Json;
}

export const pass = (reason: string, evidence: Json): Verdict => ({ result: "pass", reason, evidence });
export const fail = (reason: string, evidence: Json): Verdict => ({ result: "fail", reason, evidence });
export const notApplicable = (reason: string, evidence: Json): Verdict => ({ result: "not-applicable", reason, evidence });
export const inconclusive = (reason: string, evidence: Json): Verdict => ({ result: "inconclusive", reason, evidence });

export const frameworkIds = ["sox", "gdpr", "hipaa", "iso27001"] as const;
export type FrameworkId = (typeof frameworkIds)[number];

/** One check's result on one resource. `resource` is a database's name, or `organization` for what concerns all of them. */
export interface Finding {
  readonly id: string;
  readonly check: string;
  readonly title: string;
  readonly severity: Severity;
  readonly resource: { readonly kind: "database" | "organization"; readonly name: string };
  readonly result: Result;
  readonly reason: string;
  readonly rationale: string;
  readonly remedy: string;
  readonly controls: readonly { readonly framework: FrameworkId; readonly control: string }[];
  readonly evidence: Json;
  /** SHA-256 (hex) of the evidence as canonical JSON (RFC 8785). */
  readonly evidenceHash: string;
}

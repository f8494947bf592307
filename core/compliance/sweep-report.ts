import { hashJson } from "./evidence.ts";
import type { Finding, FrameworkId, Result } from "./finding.ts";
import { frameworks } from "./frameworks/frameworks.ts";

export interface Totals {
  readonly pass: number;
  readonly fail: number;
  readonly notApplicable: number;
  readonly inconclusive: number;
}

export interface ControlSummary {
  readonly id: string;
  readonly title: string;
  /** The worst of its findings: fail, then inconclusive, then pass; not applicable only when all are. */
  readonly result: Result;
  readonly totals: Totals;
}

export interface FrameworkSummary {
  readonly id: FrameworkId;
  readonly name: string;
  readonly basis: string;
  /** How many controls have which result. */
  readonly totals: Totals;
  readonly controls: readonly ControlSummary[];
}

/** The report is plain JSON; its text and its page are renderings of it. */
export interface SweepReport {
  readonly format: "dbgov-sweep";
  readonly version: 1;
  /** `sweep-<time>-<beginning of the hash>`. */
  readonly id: string;
  readonly at: string;
  readonly totals: Totals;
  readonly findings: readonly Finding[];
  readonly frameworks: readonly FrameworkSummary[];
  /** SHA-256 (hex) of the canonical JSON of `at` and the findings without their evidence, of which the hash is in. */
  readonly hash: string;
}

export const totalsOf = (items: readonly { readonly result: Result }[]): Totals => {
  const count = (result: Result) => items.filter((item) => item.result === result).length;
  return { pass: count("pass"), fail: count("fail"), notApplicable: count("not-applicable"), inconclusive: count("inconclusive") };
};

const worstFirst: readonly Result[] = ["fail", "inconclusive", "pass"];
const worstOf = (items: readonly { readonly result: Result }[]): Result =>
  worstFirst.find((result) => items.some((item) => item.result === result)) ?? "not-applicable";

const summarize = (id: FrameworkId, findings: readonly Finding[]): FrameworkSummary => {
  const { name, basis, controls } = frameworks[id];
  const summaries = controls.map((control): ControlSummary => {
    const evidence = findings.filter(({ check }) => control.checks.includes(check));
    return { id: control.id, title: control.title, result: worstOf(evidence), totals: totalsOf(evidence) };
  });
  return { id, name, basis, totals: totalsOf(summaries), controls: summaries };
};

/** Evidence is left out, so that it can be withheld from somebody who still checks the report. */
const reportHash = (at: string, findings: readonly Finding[]): string =>
  hashJson({ at, findings: findings.map(({ evidence: _withheld, ...rest }) => rest) });

export const sealReport = (at: Date, findings: readonly Finding[], chosen: readonly FrameworkId[]): SweepReport => {
  const time = at.toISOString();
  const hash = reportHash(time, findings);
  return {
    format: "dbgov-sweep",
    version: 1,
    id: `sweep-${time.slice(0, 19).replaceAll(/[-:]/g, "")}Z-${hash.slice(0, 12)}`,
    at: time,
    totals: totalsOf(findings),
    findings,
    frameworks: chosen.map((id) => summarize(id, findings)),
    hash,
  };
};

/** What in a report is not what was sealed: empty when all of it is. */
export const reportDefects = (report: SweepReport): string[] => {
  const defects = report.findings
    .filter(({ evidence, evidenceHash }) => hashJson(evidence) !== evidenceHash)
    .map(({ id }) => `the evidence of ${id} is not what was hashed`);
  if (reportHash(report.at, report.findings) !== report.hash) defects.push("the findings are not what was hashed");
  return defects;
};

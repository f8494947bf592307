import type { Finding, Result, Severity } from "../finding.ts";
import type { SweepReport, Totals } from "../sweep-report.ts";

export const resultWords: Readonly<Record<Result, string>> = {
  pass: "pass",
  fail: "fail",
  "not-applicable": "not applicable",
  inconclusive: "inconclusive",
};

/** In the order of attention. */
export const resultOrder: readonly Result[] = ["fail", "inconclusive", "pass", "not-applicable"];

export const countOf = (totals: Totals, result: Result): number => (result === "not-applicable" ? totals.notApplicable : totals[result]);

export const totalsWords = (totals: Totals): string =>
  resultOrder
    .filter((result) => countOf(totals, result) > 0)
    .map((result) => `${countOf(totals, result)} ${resultWords[result]}`)
    .join(", ");

const severityRank: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };

/** Failed findings, the gravest first; equal ones in the report's order. */
export const failuresByGravity = (report: SweepReport): Finding[] =>
  report.findings
    .filter(({ result }) => result === "fail")
    .toSorted((left, right) => severityRank[left.severity] - severityRank[right.severity]);

export interface ResourceGroup {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** Findings by what they are about, in the report's order. */
export const byResource = (report: SweepReport): ResourceGroup[] => {
  const groups = new Map<string, Finding[]>();
  for (const finding of report.findings) {
    const title = finding.resource.kind === "database" ? `Database ${finding.resource.name}` : "Organization";
    const group = groups.get(title);
    if (group === undefined) groups.set(title, [finding]);
    else group.push(finding);
  }
  return [...groups].map(([title, findings]) => ({ title, findings }));
};

/** `2026-11-24 06:00 UTC` */
export const minuteWords = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

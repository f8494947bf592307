import { allChecks } from "../../core/compliance/checks/all-checks.ts";
import type { Finding, Result } from "../../core/compliance/finding.ts";
import { runSweep, type SweepOptions } from "../../core/compliance/sweep.ts";
import type { SweepReport } from "../../core/compliance/sweep-report.ts";
import { emptyRecord } from "../unit/compliance-records.ts";

const gigabyte = 1e9;

/** A sweep of one PostgreSQL database, at a fixed time. */
export const sweep = (url: string, more: Partial<SweepOptions> & { sizeLimitBytes?: number } = {}): Promise<SweepReport> => {
  const { sizeLimitBytes = gigabyte, ...options } = more;
  return runSweep({
    databases: [{ name: "shop", engine: "postgres", url, sizeLimitBytes }],
    record: emptyRecord,
    now: new Date("2026-11-24T06:00:00Z"),
    frameworks: ["sox", "gdpr", "hipaa", "iso27001"],
    signal: new AbortController().signal,
    ...options,
  });
};

export const live = ({ findings }: SweepReport): Finding[] => findings.filter(({ check }) => check.startsWith("postgres-"));
export const resultsOf = (report: SweepReport): Record<string, Result> =>
  Object.fromEntries(live(report).map(({ check, result }) => [check, result]));
export const findingOf = (report: SweepReport, check: string): Finding => report.findings.find((finding) => finding.check === check)!;
export const every = (result: Result): Record<string, Result> =>
  Object.fromEntries(allChecks.filter(({ appliesTo }) => appliesTo === "postgres").map(({ id }) => [id, result]));

import { eachLimited } from "../domain/each-limited.ts";
import type { Check } from "./check.ts";
import { allChecks } from "./checks/all-checks.ts";
import type { EngineRecord } from "./engine-record.ts";
import { hashJson } from "./evidence.ts";
import { type Finding, type FrameworkId, inconclusive, type Verdict } from "./finding.ts";
import { controlsOf } from "./frameworks/frameworks.ts";
import { judgeLiveDatabase, type SweptDatabase } from "./live-database.ts";
import { type SweepReport, sealReport } from "./sweep-report.ts";

export interface SweepOptions {
  readonly databases: readonly SweptDatabase[];
  readonly record: EngineRecord;
  readonly now: Date;
  readonly frameworks: readonly FrameworkId[];
  readonly signal: AbortSignal;
  /** How many databases are looked at side by side. @default 4 */
  readonly parallel?: number;
  /** After this a check is inconclusive, in milliseconds. @default 15000 */
  readonly timeLimitMs?: number;
  /** Called when a database has been judged. */
  readonly onProgress?: (done: number, databases: number) => void;
}

const findingOf = (check: Check, resource: Finding["resource"], verdict: Verdict, chosen: readonly FrameworkId[]): Finding => ({
  id: `${resource.kind === "database" ? `database/${resource.name}` : resource.name}/${check.id}`,
  check: check.id,
  title: check.title,
  severity: check.severity,
  resource,
  result: verdict.result,
  reason: verdict.reason,
  rationale: check.rationale,
  remedy: check.remedy,
  controls: controlsOf(check.id, chosen),
  evidence: verdict.evidence,
  evidenceHash: hashJson(verdict.evidence),
});

const judgeDatabaseRecord = (name: string, record: EngineRecord, now: Date): { check: Check; verdict: Verdict }[] => {
  const database = record.databases.find((known) => known.name === name);
  return allChecks
    .filter((check) => check.appliesTo === "database-record")
    .map((check) => ({
      check,
      verdict: database === undefined ? inconclusive("Nothing is recorded of this database.", null) : check.judge(database, record, now),
    }));
};

/**
 * Judges every database and the engine's own record. A server that does not answer or a missing permission becomes an
 * inconclusive finding; this rejects only when `signal` aborts, with its reason. Findings come in a fixed order:
 * databases as given, then those only the record knows, then the organization; within each, checks as registered.
 */
export const runSweep = async (options: SweepOptions): Promise<SweepReport> => {
  const { databases, record, now, frameworks: chosen, signal, parallel = 4, timeLimitMs = 15_000, onProgress } = options;
  let done = 0;
  const live: Awaited<ReturnType<typeof judgeLiveDatabase>>[] = [];
  await eachLimited(databases.entries(), parallel, async ([index, database]) => {
    live[index] = await judgeLiveDatabase(database, { now, signal, timeLimitMs });
    onProgress?.(++done, databases.length);
  });
  const findings: Finding[] = [];
  const orphans = record.databases.filter(({ name }) => !databases.some((database) => database.name === name));
  for (const [index, { name }] of [...databases, ...orphans].entries()) {
    const resource = { kind: "database", name } as const;
    for (const { check, verdict } of [...(live[index] ?? []), ...judgeDatabaseRecord(name, record, now)]) {
      findings.push(findingOf(check, resource, verdict, chosen));
    }
  }
  for (const check of allChecks) {
    if (check.appliesTo !== "organization-record") continue;
    findings.push(findingOf(check, { kind: "organization", name: "organization" }, check.judge(record, now), chosen));
  }
  return sealReport(now, findings, chosen);
};

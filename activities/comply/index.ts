import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Context, cancellationSignal, heartbeat } from "@temporalio/activity";
import { recordSweep } from "../../core/catalog/record-sweep.ts";
import type { ScheduleRecord } from "../../core/compliance/engine-record.ts";
import { renderHtml } from "../../core/compliance/render/html.ts";
import { runSweep } from "../../core/compliance/sweep.ts";
import type { SweepReport } from "../../core/compliance/sweep-report.ts";
import { allowanceOfDatabase } from "../../core/config/allowances.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { scheduleIds } from "../../core/domain/schedules.ts";
import { reportKey } from "../../core/repository/object-keys.ts";
import { sealReportTo } from "../../core/repository/sealed-report.ts";
import { readEngineRecord } from "../../core/site/engine-record.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";

export interface SweepTotals {
  readonly id: string;
  readonly reportHash: string;
  readonly pass: number;
  readonly fail: number;
  readonly notApplicable: number;
  readonly inconclusive: number;
  /** The report as JSON; the page lies beside it. */
  readonly report: string;
  /** Where a policy archives reports: the sealed one's key in the log's store. */
  readonly sealed?: string;
}

export const createComplyActivities = ({ site }: ActivityEnvironment) => ({
  /** Judges every database and dbgov's own record, and writes the report as JSON and as a page. */
  sweepControls: async (): Promise<SweepTotals> => {
    const at = await site();
    const { config, folder } = at.loaded;
    const now = new Date();
    const { client } = Context.current();
    const scheduleOf = async (database: string): Promise<ScheduleRecord | null> => {
      try {
        const { state, info } = await client.schedule.getHandle(scheduleIds.backup(database)).describe();
        return { exists: true, paused: state.paused, nextRun: info.nextActionTimes[0]?.toISOString() ?? null };
      } catch (error) {
        const gone = error instanceof Error && error.name === "ScheduleNotFoundError";
        return gone ? { exists: false, paused: false, nextRun: null } : null;
      }
    };
    const databases = await Promise.all(
      config.databases.map(async ({ name, engine }) => {
        const sizeLimitBytes = allowanceOfDatabase(config, name)?.free?.bytes;
        return { name, engine, url: await urlOrNull(at, name), ...(sizeLimitBytes === undefined ? {} : { sizeLimitBytes }) };
      }),
    );
    const report = await runSweep({
      databases,
      record: await readEngineRecord(at, scheduleOf, now),
      now,
      frameworks: config.sweep.frameworks,
      signal: cancellationSignal(),
      onProgress: (done, of) => heartbeat({ done, of }),
    });
    const path = await writeReport(resolve(folder, config.sweep.out), report);
    const sealed = await keepSealed(at, report, cancellationSignal());
    const totals = { ...report.totals, id: report.id, reportHash: report.hash, report: path, ...(sealed === undefined ? {} : { sealed }) };
    await recordSweep(await at.catalog(), { ...report.totals, id: report.id, at: now, reportHash: report.hash, findings: report.findings });
    return totals;
  },
});

export type ComplyActivities = ReturnType<typeof createComplyActivities>;

/** Null when this worker has not got the database's secret: then what it would show is inconclusive. */
const urlOrNull = async (site: Site, database: string): Promise<string | null> => {
  try {
    return await site.databaseUrl(database);
  } catch (error) {
    if (isFailure(error, "SecretMissing")) return null;
    throw error;
  }
};

/** Puts the sealed report into the log's store, whence it is archived; undefined where no policy archives. */
const keepSealed = async (at: Site, report: SweepReport, signal: AbortSignal): Promise<string | undefined> => {
  const { config } = at.loaded;
  if (!config.policies.some(({ archive }) => archive.length > 0)) return undefined;
  const key = reportKey(report.id);
  const bytes = await sealReportTo(report.id, Buffer.from(JSON.stringify(report)), await at.recipients());
  await (await at.store(config.log.store)).put(key, bytes, signal);
  return key;
};

const writeReport = async (folder: string, report: SweepReport): Promise<string> => {
  await mkdir(folder, { recursive: true });
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    const unfinished = join(folder, `.${randomUUID()}`);
    await writeFile(unfinished, content, { mode: 0o640 });
    await rename(unfinished, path);
    return path;
  };
  await write(`${report.id}.html`, renderHtml(report));
  return await write(`${report.id}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
};

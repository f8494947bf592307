import { cancellationSignal } from "@temporalio/activity";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot, latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordDrill } from "../../core/catalog/record-drill.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { DrillInput, DrillResult } from "../../core/domain/run.ts";
import { restoreSources } from "../../core/site/restore-sources.ts";
import type { Site } from "../../core/site/site.ts";
import { type ActivityEnvironment, runJob } from "../environment.ts";

export interface ChosenDrill {
  readonly database: string;
  readonly snapshot: string;
  /** The scratch database's name. */
  readonly scratch: string;
}

const drillParallelism = 2;

/** Building one large index can take hours, in which the server says nothing. */
const standstill = { afterMs: 6 * 60 * 60_000, type: "DatabaseUnreachable" } as const;

/** The server that drills restore into: a policy's own, or that of the database. */
const drillServer = async (site: Site, database: string): Promise<string> => {
  const { target } = site.policyOf(database).drill;
  return target === undefined ? await site.databaseUrl(database) : await site.secret(target);
};

export const createDrillSnapshot = ({ site, threads }: ActivityEnvironment) => ({
  /** The snapshot asked for, or else the newest that is replicated. */
  chooseDrill: async ({ database, snapshot }: DrillInput): Promise<ChosenDrill> => {
    const catalog = await (await site()).catalog();
    const chosen = snapshot === undefined ? await latestSnapshot(catalog, database, "replicated") : await getSnapshot(catalog, snapshot);
    if (chosen === undefined) {
      throw new Failure(
        "SnapshotUnknown",
        snapshot === undefined ? `${database} has no replicated snapshot to drill` : `snapshot ${snapshot} is not in the catalog`,
      );
    }
    if (chosen.database !== database)
      throw new Failure("UsageInvalid", `snapshot ${chosen.snapshot} is of ${chosen.database}, not of ${database}`);
    return { database, snapshot: chosen.snapshot, scratch: `dbgov_drill_${chosen.snapshot.slice(-12)}` };
  },

  /** Restores into a scratch database, which is made anew by every attempt, and compares. */
  drillSnapshot: async ({ database, snapshot, scratch }: ChosenDrill): Promise<DrillResult> => {
    const at = await site();
    const signal = cancellationSignal();
    const { engine } = at.database(database);
    const sources = await restoreSources(at, snapshot, database);
    const url = await (await engineOf(engine)).createScratch(await drillServer(at, database), scratch, signal);
    const job = { ...sources, engine, url, replace: false, parallelism: drillParallelism, scratch: true as const };
    const { identical, rows, bytes, seconds, differences } = await runJob(threads, "restore", job, {
      ...standstill,
      what: `the drill of ${database}`,
    });
    return { snapshot, database, identical, rows, bytes, seconds, differences };
  },

  dropScratch: async ({ database, scratch }: ChosenDrill): Promise<void> => {
    const at = await site();
    await (await engineOf(at.database(database).engine)).dropScratch(await drillServer(at, database), scratch, cancellationSignal());
  },

  recordDrill: async (result: DrillResult & { at: string }): Promise<void> => {
    const catalog = await (await site()).catalog();
    await recordDrill(catalog, result);
    if (!result.identical) return;
    const { seconds, rows } = result;
    await reachState(catalog, result.snapshot, "drilled", { seconds, rows }, result.at);
  },
});

import { lastDrill } from "../catalog/last-drill.ts";
import { lastRuns } from "../catalog/last-runs.ts";
import { latestSnapshot } from "../catalog/read-snapshots.ts";
import { replicaSummary } from "../catalog/replica-summary.ts";
import { durationMs } from "../domain/duration.ts";
import { furthestState, type SnapshotState } from "../domain/snapshot.ts";
import type { Site } from "./site.ts";

/** One database at a glance. */
export interface DatabaseStatus {
  readonly database: string;
  readonly engine: string;
  readonly policy: string;
  /** The newest snapshot that is sealed. */
  readonly snapshot: string | null;
  readonly state: SnapshotState | null;
  /** Milliseconds since the moment that the newest replicated snapshot shows. */
  readonly ageMs: number | null;
  readonly objectiveMs: number;
  readonly objectiveMet: boolean;
  /** Stores that hold every object of the newest snapshot. */
  readonly copies: number;
  readonly copiesWanted: number;
  readonly lastDrill: { readonly at: string; readonly identical: boolean; readonly seconds: number } | null;
  /** What the last backup run failed with; null when it did not. */
  readonly lastFailure: string | null;
}

export const readStatus = async (site: Site, now: Date): Promise<DatabaseStatus[]> =>
  await Promise.all(site.loaded.config.databases.map(({ name }) => statusOf(site, name, now)));

const statusOf = async (site: Site, name: string, now: Date): Promise<DatabaseStatus> => {
  const catalog = await site.catalog();
  const policy = site.policyOf(name);
  const newest = await latestSnapshot(catalog, name);
  const replicated = await latestSnapshot(catalog, name, "replicated");
  const replicas = newest === undefined ? [] : await replicaSummary(catalog, newest.snapshot);
  const drill = await lastDrill(catalog, name);
  const lastBackup = (await lastRuns(catalog, name)).find(({ kind, outcome }) => kind === "backup" && outcome !== null);
  const objectiveMs = durationMs(policy.objectives.recoveryPoint);
  const ageMs = replicated === undefined ? null : now.getTime() - Date.parse(replicated.capturedAt);
  return {
    database: name,
    engine: site.database(name).engine,
    policy: policy.name,
    snapshot: newest?.snapshot ?? null,
    state: newest === undefined ? null : (furthestState(new Set(newest.states.map(({ state }) => state))) ?? null),
    ageMs,
    objectiveMs,
    objectiveMet: ageMs !== null && ageMs <= objectiveMs,
    copies: replicas.filter(({ objects, objectsOfAll, archived }) => objects - archived >= objectsOfAll).length,
    copiesWanted: policy.copies,
    lastDrill: drill === undefined ? null : { at: drill.at, identical: drill.identical, seconds: drill.seconds },
    lastFailure: lastBackup?.outcome === "failed" ? `${lastBackup.failureType ?? ""}: ${lastBackup.message ?? ""}` : null,
  };
};

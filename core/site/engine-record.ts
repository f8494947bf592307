import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { lastDrill } from "../catalog/last-drill.ts";
import { lastRuns } from "../catalog/last-runs.ts";
import { latestAnchor } from "../catalog/read-anchors.ts";
import { logEntries } from "../catalog/read-log-entries.ts";
import { listSnapshots } from "../catalog/read-snapshots.ts";
import type { SnapshotRecord as CatalogSnapshot, LogEntryRecord } from "../catalog/records.ts";
import { replicaSummary } from "../catalog/replica-summary.ts";
import { spacedSnapshots } from "../catalog/spaced-snapshots.ts";
import type { DatabaseRecord, EngineRecord, KeySeparationRecord, ScheduleRecord, SnapshotRecord } from "../compliance/engine-record.ts";
import type { Config, SecretRef } from "../config/schema.ts";
import { ageBefore } from "../domain/age.ts";
import { durationMs } from "../domain/duration.ts";
import { isFailure } from "../domain/failure.ts";
import { openLog } from "../ledger/log.ts";
import { headOf } from "../ledger/verify/checkpoint.ts";
import { keyringFolder } from "../repository/keyring.ts";
import { databaseAllowance } from "./database-allowance.ts";
import { missingFromKeyring } from "./kit-coverage.ts";
import { regularOf, retentionPlanOf } from "./retention-plan.ts";
import { rulesInForce } from "./rules-in-force.ts";
import type { Site } from "./site.ts";
import { storeRecords } from "./store-records.ts";

const day = 86_400_000;

/** What dbgov knows of itself, for a sweep to judge. `scheduleOf` asks the orchestrator; null when it cannot be asked. */
export const readEngineRecord = async (
  site: Site,
  scheduleOf: (database: string) => Promise<ScheduleRecord | null>,
  now: Date,
): Promise<EngineRecord> => {
  const catalog = await site.catalog();
  const { config } = site.loaded;
  const entries = await logEntries(catalog);
  const databases: DatabaseRecord[] = [];
  for (const { name } of config.databases) databases.push(await databaseRecord(site, name, entries, await scheduleOf(name), now));
  const anchors = await Promise.all(
    config.anchors.map(async ({ name }) => {
      const final = await latestAnchor(catalog, name, "finalized");
      return { name, finalizedSize: final?.size ?? null, at: final?.at ?? null };
    }),
  );
  return {
    databases,
    log: await logRecord(site, entries),
    anchors,
    anchorWithinMs: Math.max(day, 3 * Math.max(0, ...config.anchors.map(({ every }) => durationMs(every)))),
    kit: await kitRecord(site),
    keySeparation: await keySeparation(site),
    recipients: config.recipients.map(({ name, secretKey }) => ({ name, secretOnWorkers: secretKey !== undefined })),
    stores: await storeRecords(site, now),
  };
};

const databaseRecord = async (
  site: Site,
  name: string,
  entries: readonly LogEntryRecord[],
  schedule: ScheduleRecord | null,
  now: Date,
): Promise<DatabaseRecord> => {
  const catalog = await site.catalog();
  const policy = site.policyOf(name);
  const all = await listSnapshots(catalog, { database: name, removed: true });
  const live = all.filter(({ removedAt }) => removedAt === null);
  const { rules } = await rulesInForce(site, name);
  const { alarm } = await retentionPlanOf(site, name, now);
  const regular = regularOf(rules, await spacedSnapshots(catalog, name));
  // Retention runs daily: what it would have let go that long ago, and still is there, is overdue.
  const removeWithinMs = 2 * day + durationMs(site.loaded.config.retention.grace);
  const overdueSince = new Date(now.getTime() - removeWithinMs - 1_000);
  const overdue = new Set((await retentionPlanOf(site, name, overdueSince)).deletions);
  const backups = (await lastRuns(catalog, name)).filter(({ kind, outcome }) => kind === "backup" && outcome !== null);
  const drill = await lastDrill(catalog, name);
  const sinceSuccess = backups.findIndex(({ outcome }) => outcome !== "failed");
  return {
    name,
    engine: site.database(name).engine,
    policy: {
      name: policy.name,
      copies: policy.copies,
      domains: policy.domains,
      recoveryPointMs: durationMs(policy.objectives.recoveryPoint),
      recoveryTimeMs: durationMs(policy.objectives.recoveryTime),
      drillEveryMs: durationMs(policy.drill.every),
      proveEveryMs: 30 * day,
      retention: { last: rules.last, minimumAgeMs: now.getTime() - ageBefore(now, rules.minimumAge).getTime(), removeWithinMs },
    },
    ...(alarm === undefined ? {} : { retentionAlarm: alarm.message }),
    schedule,
    snapshots: await Promise.all(live.map((snapshot) => snapshotRecord(site, snapshot, entries, overdue, overdueSince))),
    removed: all.flatMap(({ snapshot, capturedAt, removedAt }) =>
      removedAt === null ? [] : [{ id: snapshot, capturedAt, removedAt, ...(regular.has(snapshot) ? {} : { extra: true as const }) }],
    ),
    lastDrill: drill === undefined ? null : { at: drill.at, snapshot: drill.snapshot, identical: drill.identical, seconds: drill.seconds },
    lastRun:
      backups[0]?.outcome == null
        ? null
        : { at: backups[0].endedAt ?? backups[0].startedAt, outcome: backups[0].outcome, failureType: backups[0].failureType },
    failuresSinceSuccess: sinceSuccess < 0 ? backups.length : sinceSuccess,
    allowance: await databaseAllowance(site, name, now),
  };
};

const snapshotRecord = async (
  site: Site,
  { snapshot, database, capturedAt, states, held }: CatalogSnapshot,
  entries: readonly LogEntryRecord[],
  overdue: ReadonlySet<string>,
  overdueSince: Date,
): Promise<SnapshotRecord> => {
  // What an archive has is not a replica: it gets the small permanent things only.
  const { landing, stores } = site.policyOf(database);
  const replicas = (await replicaSummary(await site.catalog(), snapshot)).filter(
    ({ store }) => store === landing || stores.includes(store),
  );
  const domainOf = new Map(site.loaded.config.stores.map(({ name, domain }) => [name, domain]));
  return {
    id: snapshot,
    capturedAt,
    states: Object.fromEntries(states.map(({ state, reachedAt }) => [state, reachedAt])),
    objects: replicas[0]?.objectsOfAll ?? 0,
    replicas: replicas.map(({ store, objects, verified, oldestProof, archived, packs }) => ({
      ...{ store, domain: domainOf.get(store) ?? store, objects: objects - archived },
      ...(archived > 0 ? { archived, allArchived: archived === packs } : {}),
      ...{ proven: verified, oldestProof },
    })),
    logIndex: entries.find(({ identity }) => identity === `snapshot-sealed/${snapshot}`)?.index ?? null,
    held,
    expiredAt: overdue.has(snapshot) ? overdueSince.toISOString() : null,
  };
};

/** The signed head as the log's own store has it, beside what the catalog knows. Null when the store cannot be read. */
const logRecord = async (site: Site, entries: readonly LogEntryRecord[]): Promise<EngineRecord["log"]> => {
  const { origin, store } = site.loaded.config.log;
  try {
    const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner(), unpublished: true });
    const { size, root } = headOf(log.checkpoint());
    return { size, catalogEntries: entries.length, gaps: sequenceGaps(entries), checkpointRoot: size === 0 ? null : root };
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
};

const sequenceGaps = (entries: readonly LogEntryRecord[]): { database: string; sequence: number }[] => {
  const seen = new Map<string, Set<number>>();
  for (const { database, sequence } of entries) {
    if (sequence !== null) seen.set(database ?? "", (seen.get(database ?? "") ?? new Set()).add(sequence));
  }
  return [...seen].flatMap(([database, numbers]) =>
    Array.from({ length: Math.max(...numbers) }, (_, at) => at + 1)
      .filter((sequence) => !numbers.has(sequence))
      .map((sequence) => ({ database, sequence })),
  );
};

const kitRecord = async (site: Site): Promise<EngineRecord["kit"]> => {
  const folder = site.loaded.config.recoveryKit;
  const keyring = join(folder, keyringFolder);
  // A worker that does not see the kit's folder cannot tell whether the kit is there.
  if (!existsSync(folder)) return null;
  if (!existsSync(keyring)) return { present: false, missingEnvelopes: 0, refreshedAt: null };
  return {
    present: existsSync(join(folder, "kit.json")),
    missingEnvelopes: await missingFromKeyring(await site.catalog(), folder),
    // Each refresh gives a file in it its name.
    refreshedAt: statSync(keyring).mtime.toISOString(),
  };
};

/** The secrets among the keys; a key that never leaves its program is like no other. */
const keyRefs = ({ retired: _, ...keys }: Config["keys"]): [string, SecretRef][] =>
  Object.entries(keys).flatMap(([name, ref]) => (ref === undefined || "command" in ref ? [] : [[name, ref] as [string, SecretRef]]));

/** Which of the keys that this process can read are one and the same. Null when it can read fewer than two. */
const keySeparation = async (site: Site): Promise<KeySeparationRecord | null> => {
  const { config } = site.loaded;
  const refs = [
    ...keyRefs(config.keys).map(([name, ref]) => [`keys.${name}`, ref] as const),
    ...config.anchors.map((anchor) => [`anchors.${anchor.name}.submitterKey`, anchor.submitterKey] as const),
  ];
  const secrets: [string, string][] = [];
  for (const [name, ref] of refs) {
    // A secret that this worker was not given is simply not compared.
    const value = await site.secret(ref).catch(() => undefined);
    if (value !== undefined) secrets.push([name, value.trim().toLowerCase().replace(/^0x/, "")]);
  }
  if (secrets.length < 2) return null;
  const equal = secrets.flatMap(([a, value], at) =>
    secrets.slice(at + 1).flatMap(([b, other]) => (value === other ? [[a, b] as const] : [])),
  );
  return { compared: secrets.map(([name]) => name), equal };
};

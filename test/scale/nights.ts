import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import { scheduleIds } from "../../core/domain/schedules.ts";
import { openBenchSite, startBenchWorker } from "../bench/bench-site.ts";
import { treeSeconds, watchMemory } from "../bench/process-tree.ts";
import { timedCommand } from "../bench/timed-command.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Ground, SimulationResult } from "./simulation.ts";

export interface NightsOptions {
  /** Databases in the configuration. */
  readonly databases: number;
  /** Databases on the server: those of the configuration share them. */
  readonly real: number;
  readonly nights: number;
  /** A night comes every so many seconds: a whole number of minutes, a whole number of times in an hour. */
  readonly everySeconds: number;
  /** Over which the schedules of one night spread. */
  readonly jitterSeconds: number;
}

const createTinyDatabase = async (server: string, name: string): Promise<string> => {
  const url = await createSampleDatabase(server, name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("CREATE TABLE tiny AS SELECT k AS id, md5(random()::text) AS note FROM generate_series(1, 100) k");
  } finally {
    await client.end();
  }
  return url;
};

/** A whole minute, late enough that all schedules are applied before it. */
const firstNight = (databases: number, now: Date): Date =>
  new Date(Math.ceil((now.getTime() + 45_000 + databases * 150) / 60_000) * 60_000);

/** Every so many seconds from that minute on. */
export const cronFrom = (first: Date, everySeconds: number): string => {
  const every = everySeconds / 60;
  const minutes = Array.from({ length: 60 / every }, (_, at) => (first.getUTCMinutes() + at * every) % 60);
  return `${minutes.sort((a, b) => a - b).join(",")} * * * *`;
};

/** What a database's schedule came to. */
export interface NightsOfOne {
  /** Runs that the schedule has started. */
  readonly started: number;
  /** Snapshots that were logged. */
  readonly logged: number;
}

/** Nights without a logged snapshot. Of each database by itself: what one has too many of is no night of another. */
export const missedNights = (nights: number, databases: readonly NightsOfOne[]): number =>
  // A night more may have begun for some before the last one ended for all.
  databases.reduce((missed, { started, logged }) => missed + Math.max(0, Math.max(nights, started) - logged), 0);

/** Logged snapshots, by database. */
const snapshotsIn = async (catalog: string): Promise<Map<string, number>> => {
  const client = new pg.Client({ connectionString: catalog });
  await client.connect();
  try {
    const { rows } = await client.query<{ database: string; logged: number }>(
      `SELECT s.database, count(*)::int AS logged FROM dbgov.snapshot s JOIN dbgov.snapshot_state t USING (snapshot_no)
       WHERE t.state = 'logged' GROUP BY 1`,
    );
    return new Map(rows.map(({ database, logged }) => [database, logged]));
  } finally {
    await client.end();
  }
};

/** Schedules of so many databases, spread by their jitter, through two workers; `nights` of them, compressed into minutes. */
export const manyNights = async ({ stack, folder, name, say }: Ground, options: NightsOptions): Promise<SimulationResult> => {
  const { databases, real, nights, everySeconds, jitterSeconds } = options;
  const prefix = name.replaceAll("-", "_");
  const urls: string[] = [];
  for (let at = 0; at < real; at += 1) urls.push(await createTinyDatabase(stack.postgres.url, `${prefix}_tiny_${at}`));
  const first = firstNight(databases, new Date());
  const names = Array.from({ length: databases }, (_, at) => `db-${at}`);
  const site = await openBenchSite({
    ...{ folder: join(folder, "nights"), stack, namespace: name, catalogName: `${prefix}_nights` },
    databases: names.map((database, at) => ({ name: database, engine: "postgres", url: urls[at % real]! })),
    policy: { schedule: { cron: cronFrom(first, everySeconds), jitter: `${jitterSeconds}s`, catchUp: "1h" } },
  });
  const second = await startBenchWorker(site);
  const connection = await Connection.connect({ address: stack.temporal.address });
  const { schedule, workflow } = new Client({ connection, namespace: name });
  const pids = [site.workerPid, second.pid];
  const memories = pids.map(watchMemory);
  const before = pids.map(treeSeconds);
  try {
    say(`applying the schedules of ${databases.toLocaleString("en")} databases`);
    const applied = await timedCommand(site.command("apply"), site.environment);
    if (Date.now() > first.getTime()) throw new Error("the first night began before all schedules were applied");
    const wanted = nights * databases;
    // What is not there long after the last night never comes.
    const deadline = first.getTime() + (nights - 1) * everySeconds * 1_000 + jitterSeconds * 2_000 + 120_000;
    let told = 0;
    for (;;) {
      const snapshots = await snapshotsIn(site.catalog);
      const done = names.reduce((sum, database) => sum + Math.min(nights, snapshots.get(database) ?? 0), 0);
      if (done >= wanted || Date.now() > deadline) break;
      if (Date.now() - told > 15_000) {
        told = Date.now();
        say(Date.now() < first.getTime() ? `the first night begins at ${first.toISOString()}` : `${done} of ${wanted} backups`);
      }
      await delay(500);
    }
    const seconds = (Date.now() - first.getTime()) / 1_000;
    for (const database of names) await schedule.getHandle(scheduleIds.backup(database)).pause("the nights are over");
    while ((await workflow.count("WorkflowType = 'backup' AND ExecutionStatus = 'Running'")).count > 0) await delay(500);
    const snapshots = await snapshotsIn(site.catalog);
    const each: NightsOfOne[] = [];
    let dropped = 0;
    for (const database of names) {
      const { info } = await schedule.getHandle(scheduleIds.backup(database)).describe();
      dropped += info.numActionsMissedCatchupWindow + info.numActionsSkippedOverlap;
      each.push({ started: info.numActionsTaken, logged: snapshots.get(database) ?? 0 });
    }
    const processor = pids.reduce((sum, pid, at) => sum + treeSeconds(pid) - (before[at] ?? 0), 0);
    const peaks = await Promise.all(memories.map((memory) => memory.stop()));
    const all = [...snapshots.values()].reduce((sum, count) => sum + count, 0);
    return {
      title: `${databases.toLocaleString("en")} databases, two workers, ${nights} ${nights === 1 ? "night" : "nights"}`,
      said: [
        `The databases of the configuration share ${real} on the server. A night is ${formatSeconds(everySeconds)} long, its schedules spread over ${formatSeconds(jitterSeconds)}.`,
        `Applying the schedules took ${applied.seconds.toFixed(1)} s; all nights were over ${formatSeconds(Math.round(seconds))} after the first began.`,
        `${all} snapshots were logged; the two workers took ${(processor / all).toFixed(2)} s of processor time for each, its verification included.`,
      ],
      bounds: [
        { what: "a worker's resident memory at its highest", value: Math.max(...peaks) / 1e6, limit: 400, unit: "MB" },
        { what: "nights without a logged snapshot", value: missedNights(nights, each), limit: 0, unit: "missed" },
        { what: "runs that their schedule dropped (overlap, or too late)", value: dropped, limit: 0, unit: "missed" },
      ],
    };
  } finally {
    await connection.close();
    await Promise.all([site.close(), second.stop()]);
  }
};

const formatSeconds = (seconds: number): string => (seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`);

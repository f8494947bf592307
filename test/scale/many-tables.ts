import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import type { BackupResult } from "../../core/domain/run.ts";
import { openBenchSite } from "../bench/bench-site.ts";
import { forgetPeak, watchMemory } from "../bench/process-tree.ts";
import { timedCommand } from "../bench/timed-command.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Ground, SimulationResult } from "./simulation.ts";

const tablesAtOnce = 250;
/** One table in so many has rows. */
const withRows = 10;

const createTables = async (server: string, name: string, tables: number): Promise<string> => {
  const url = await createSampleDatabase(server, name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("SET synchronous_commit = off");
    for (let first = 1; first <= tables; first += tablesAtOnce) {
      await client.query(`DO $$ BEGIN
        FOR n IN ${first}..${Math.min(tables, first + tablesAtOnce - 1)} LOOP
          EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, note text)', n);
          IF n % ${withRows} = 0 THEN
            EXECUTE format('INSERT INTO t%s SELECT k, md5(k::text) FROM generate_series(1, 20) k', n);
          END IF;
        END LOOP; END $$`);
    }
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
  return url;
};

/** A backup of so many tables, first all of it, then unchanged. The server must allow `pg_dump` as many locks. */
export const manyTables = async ({ stack, folder, name, say }: Ground, tables: number): Promise<SimulationResult> => {
  say(`creating ${tables.toLocaleString("en")} tables`);
  const url = await createTables(stack.postgres.url, `${name.replaceAll("-", "_")}_tables`, tables);
  const site = await openBenchSite({
    ...{ folder: join(folder, "many-tables"), stack, namespace: name, catalogName: `${name.replaceAll("-", "_")}_many` },
    databases: [{ name: "wide", engine: "postgres", url }],
  });
  const connection = await Connection.connect({ address: stack.temporal.address });
  const histories = [];
  const said = [];
  let peak = 0;
  try {
    for (const what of ["first", "unchanged"]) {
      say(`backing them up (${what})`);
      forgetPeak(site.workerPid);
      const memory = watchMemory(site.workerPid);
      const { output, seconds } = await timedCommand(site.command("backup wide"), site.environment);
      const result = JSON.parse(output) as BackupResult;
      peak = Math.max(peak, await memory.stop());
      const { historyLength, historySize } = await new Client({ connection, namespace: name }).workflow.getHandle("backup/wide").describe();
      histories.push({ events: historyLength, bytes: historySize ?? 0 });
      said.push(`The ${what} backup took ${seconds.toFixed(1)} s, read ${(result.bytes.read / 1e6).toFixed(1)} MB: ${result.rows} rows.`);
      if (result.rows !== Math.floor(tables / withRows) * 20) throw new Error(`the backup has ${result.rows} rows`);
      await site.verified(result.snapshot);
    }
    return {
      title: `A database of ${tables.toLocaleString("en")} tables`,
      said: [...said, `The worker's resident memory was ${(peak / 1e6).toFixed(0)} MB at its highest.`],
      bounds: [
        { what: "events in a backup's history", value: Math.max(...histories.map(({ events }) => events)), limit: 5_000, unit: "events" },
        { what: "size of that history", value: Math.max(...histories.map(({ bytes }) => bytes)) / 1e6, limit: 5, unit: "MB" },
      ],
    };
  } finally {
    await connection.close();
    await site.close();
  }
};

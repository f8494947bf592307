import pg from "pg";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Change, DataSet } from "./data-set.ts";

export interface PostgresData {
  readonly name: string;
  readonly title: string;
  readonly load: (url: string) => Promise<void>;
  /** Tables that changes touch. */
  readonly touched: readonly string[];
  readonly changes: Readonly<Record<Change, { readonly what: string; readonly sql: readonly string[] }>>;
}

const sourceName = "bench_source";

const execute = async (url: string, ...statements: string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

const databaseAt = (server: string, name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};

const exists = async (server: string, name: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return (await client.query("SELECT FROM pg_database WHERE datname = $1", [name])).rows.length > 0;
  } finally {
    await client.end();
  }
};

/** The base is a database that nobody connects to; each round has a copy of its files. */
export const postgresData = (server: string, data: PostgresData): DataSet => {
  const base = `bench_base_${data.name.replaceAll(/\W/g, "_")}`;
  const source = databaseAt(server, sourceName);
  return {
    name: data.name,
    title: data.title,
    changes: { updated: data.changes.updated.what, inserted: data.changes.inserted.what, column: data.changes.column.what },
    load: async () => {
      if (await exists(server, base)) return;
      const loading = await createSampleDatabase(server, `${base}_loading`);
      await data.load(loading);
      await execute(loading, "VACUUM ANALYZE");
      // Under its name only when it is whole.
      await execute(server, `ALTER DATABASE ${base}_loading RENAME TO ${base}`);
    },
    reset: async () => {
      await execute(server, `DROP DATABASE IF EXISTS ${sourceName} WITH (FORCE)`);
      await execute(server, `CREATE DATABASE ${sourceName} TEMPLATE ${base} STRATEGY file_copy`);
      return { engine: "postgres", url: source };
    },
    change: (change) => execute(source, ...data.changes[change].sql),
    settle: () => execute(source, ...data.touched.map((table) => `SELECT count(*) FROM ${table}`), "CHECKPOINT"),
  };
};

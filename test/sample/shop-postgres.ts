import pg from "pg";
import { loadTpch, runStatements } from "./tpch.ts";

export interface LoadedShop {
  readonly rows: number;
  readonly tables: number;
}

/**
 * Loads a shop into the empty database at `url`: TPC-H of the scale (0.04 is some 350,000 rows), and what real databases
 * have beside such tables. The same scale gives the same rows.
 */
export const loadShop = async (url: string, { scale }: { readonly scale: number }): Promise<LoadedShop> => {
  await loadTpch(url, scale);
  await runStatements(url, "shop-extras.sql");
  return countRows(url);
};

/** Counts the rows of all tables that hold rows themselves. */
const countRows = async (url: string): Promise<LoadedShop> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
         AND NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = format('%I.%I', schemaname, tablename)::regclass)`,
    );
    const counts = tables.map(({ name }) => `SELECT count(*) AS n FROM ${name}`).join(" UNION ALL ");
    const { rows } = await client.query<{ rows: string }>(`SELECT sum(n) AS rows FROM (${counts}) AS counted`);
    return { rows: Number(rows[0]?.rows ?? 0), tables: tables.length };
  } finally {
    await client.end();
  }
};

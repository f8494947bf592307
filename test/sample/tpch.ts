import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAddress } from "../../core/databases/postgres/address.ts";
import { copyIn } from "../../core/databases/postgres/copy-in.ts";
import { withSession } from "../../core/databases/postgres/session.ts";
import { eachLimited } from "../../core/domain/each-limited.ts";
import { type TpchTable, tpchTables, withTpchFiles } from "./tpch-files.ts";

const unaborted = new AbortController().signal;

const copyTable = (url: string, table: TpchTable, file: string): Promise<void> =>
  withSession(parseAddress(url), "restore", unaborted, async (session) => {
    // A table that is new in the same transaction takes its rows frozen: no later pass has to touch them again.
    await session.query("BEGIN");
    await session.query(`TRUNCATE public.${table}`);
    const sql = `COPY public.${table} FROM STDIN WITH (FORMAT csv, HEADER, FREEZE)`;
    await copyIn(session, sql, createReadStream(file, { highWaterMark: 256 << 10 }), unaborted, `loading ${table}`);
    await session.query("COMMIT");
  });

/**
 * Runs the statements of a file beside this one. A line `-- and then` waits for all before it; what `-- beside that` parts
 * runs in sessions of their own at the same time.
 */
export const runStatements = async (url: string, file: string): Promise<void> => {
  const statements = await readFile(join(import.meta.dirname, file), "utf8");
  for (const step of statements.split(/^-- and then.*$/m)) {
    await eachLimited(step.split(/^-- beside that.*$/m), 2, (sql) =>
      withSession(parseAddress(url), "restore", unaborted, async (session) => {
        await session.query("SET search_path = public");
        await session.query(sql);
      }),
    );
  }
};

/** Loads TPC-H of the scale into the empty database at `url`, with its keys and indexes. */
export const loadTpch = async (url: string, scale: number): Promise<void> => {
  await withTpchFiles(scale, tpchTables, async (fileOf) => {
    await runStatements(url, "tpch-tables.sql");
    await eachLimited(tpchTables, 2, (table) => copyTable(url, table, fileOf(table)));
  });
  await runStatements(url, "tpch-keys.sql");
};

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { Failure } from "../domain/failure.ts";
import { type Catalog, type Queryable, run, transaction } from "./catalog.ts";
import { lockMigrations } from "./locks.ts";

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/**
 * Brings the schema `dbgov` to the newest version. Idempotent, all or nothing, and two at once take turns.
 * `FormatUnsupported` when an applied migration was changed since, or the catalog was migrated by a newer dbgov.
 * Returns the names of the migrations that it applied.
 */
export const migrate = async (catalog: Catalog, folder: URL = new URL("./migrations/", import.meta.url)): Promise<string[]> => {
  const migrations = await readMigrations(folder);
  return await transaction(catalog, "migrating it", async (db) => {
    await lockMigrations(db);
    const pending = migrations.filter(isPending(await appliedMigrations(db), migrations));
    for (const { number, name, sql, sha256 } of pending) {
      await db.query(sql);
      await run(db, "INSERT INTO dbgov.migration (number, name, sha256) VALUES ($1, $2, $3)", [number, name, sha256]);
    }
    return pending.map(({ name }) => name);
  });
};

const readMigrations = async (folder: URL): Promise<Migration[]> => {
  const names = (await readdir(folder)).filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const sql = (await readFile(new URL(name, folder), "utf8")).replaceAll("\r\n", "\n");
      return { number: Number(name.slice(0, 3)), name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    }),
  );
};

type Applied = ReadonlyMap<number, { readonly name: string; readonly sha256: string }>;

const appliedMigrations = async (db: Queryable): Promise<Applied> => {
  // Asked first, because CREATE … IF NOT EXISTS demands the right to create even where there is nothing to do.
  const [state] = await run<{ exists: boolean }>(db, "SELECT to_regclass('dbgov.migration') IS NOT NULL AS exists");
  if (state?.exists !== true) {
    await db.query(`
      CREATE SCHEMA IF NOT EXISTS dbgov;
      CREATE TABLE dbgov.migration (
        number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
      )`);
  }
  const rows = await run<{ number: number; name: string; sha256: string }>(db, "SELECT number, name, sha256 FROM dbgov.migration");
  return new Map(rows.map((row) => [row.number, row]));
};

const isPending = (applied: Applied, known: readonly Migration[]) => {
  const newest = known.at(-1)?.number ?? 0;
  for (const [number, { name }] of applied) {
    if (number > newest) {
      throw new Failure("FormatUnsupported", `the catalog was migrated by a newer dbgov (it has ${name}, this one ends at ${newest})`);
    }
  }
  return ({ number, name, sha256 }: Migration): boolean => {
    const before = applied.get(number);
    if (before !== undefined && before.sha256 !== sha256) {
      throw new Failure("FormatUnsupported", `migration ${name} is not the one that the catalog was made with: its SHA-256 differs`);
    }
    return before === undefined;
  };
};

import { Failure, isFailure } from "../../domain/failure.ts";
import type { RestoreProgress } from "../engine.ts";
import { describe } from "./address.ts";
import { quoteIdentifier, quoteQualified } from "./quoting.ts";
import { progressSchema } from "./restore-progress.ts";
import type { Session } from "./session.ts";
import { userSchema } from "./tables.ts";
import { readable, type TocEntry } from "./toc.ts";

const shown = 4;

export const notExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** What a user has made in a database; extensions and what belongs to them do not count. */
const contentSql = `
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' WHEN 'c' THEN 'type '
      WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND c.relpersistence <> 't' AND ${userSchema("n.nspname")} AND ${notExtension("pg_class", "c.oid")}
  UNION ALL
  SELECT 'function ' || format('%I.%I', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ${userSchema("n.nspname")} AND ${notExtension("pg_proc", "p.oid")}
  UNION ALL
  SELECT 'type ' || format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('d', 'e', 'r') AND ${userSchema("n.nspname")} AND ${notExtension("pg_type", "t.oid")}
  UNION ALL
  SELECT 'schema ' || quote_ident(n.nspname) FROM pg_namespace n
    WHERE n.nspname <> 'public' AND ${userSchema("n.nspname")} AND ${notExtension("pg_namespace", "n.oid")}
  UNION ALL
  SELECT 'large object ' || oid FROM pg_largeobject_metadata`;

/** Names of what is there, with their kinds. */
export const contentNames = async (session: Session): Promise<string[]> =>
  (await session.query<{ name: string }>(contentSql)).map((row) => row.name).sort();

export const refuseContent = async (session: Session): Promise<void> => {
  const found = (await session.query<{ name: string }>(`${contentSql} LIMIT ${shown + 1}`)).map((row) => row.name);
  if (found.length === 0) return;
  const list = found.length > shown ? `${found.slice(0, shown).join(", ")} and more` : found.join(", ");
  throw new Failure("TargetNotEmpty", `${describe(session.address)} is not empty: it holds ${list}`);
};

/**
 * Since 15 a new database lets nobody but its owner create in `public`, and pg_dump since then writes down only what differs from
 * that; an older server has to be brought to it first, or the copy would be more open than the source. Returns what could not be done.
 */
export const closePublicSchema = async (session: Session, toolMajor: number): Promise<string[]> => {
  if (session.version >= 150_000 || toolMajor < 15) return [];
  try {
    await session.query("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    return [];
  } catch (error) {
    if (!isFailure(error, "PermissionMissing")) throw error;
    return ["Everybody may create objects in the schema public of the target, which the restoring role may not change."];
  }
};

/** Empties unlogged tables after a crash of the server, which has emptied them and the record of their parts, but perhaps not since. */
export const emptyUnlogged = async (session: Session, { job }: RestoreProgress, tables: readonly TocEntry[] | undefined): Promise<void> => {
  const own = progressSchema(job);
  const [recorded] = await session.query<{ some: boolean }>(`SELECT EXISTS (SELECT FROM ${quoteIdentifier(own)}.written_unlogged) AS some`);
  if (recorded?.some === true) return;
  const found = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND n.nspname <> $1 AND ${userSchema("n.nspname")} AND ${notExtension("pg_class", "c.oid")}`,
    [own],
  );
  const ours =
    tables === undefined ? undefined : new Set(tables.map(({ schema, tag }) => JSON.stringify([readable(schema ?? ""), readable(tag)])));
  const emptied = found.filter(({ schema, name }) => ours === undefined || ours.has(JSON.stringify([schema, name])));
  if (emptied.length > 0) await session.query(`TRUNCATE ${emptied.map(({ schema, name }) => quoteQualified(schema, name)).join(", ")}`);
};

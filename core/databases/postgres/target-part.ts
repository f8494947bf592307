import { Failure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { type ChosenEntries, nameOf, quotedName } from "./chosen-entries.ts";
import type { Session } from "./session.ts";
import { readable, type TocEntry } from "./toc.ts";

/** What a chosen part becomes in a target that holds other things already. */
export interface FittedPart {
  readonly entries: readonly TocEntry[];
  readonly notes: readonly string[];
}

/** Kinds that may be there already and are then used as they are. By schema and name, or as `regprocedure` takes them. */
const existingSql = `
  WITH wanted(id, kind, schema, name) AS (SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]))
  SELECT id FROM wanted WHERE CASE
    WHEN kind IN ('TABLE', 'FOREIGN TABLE', 'VIEW', 'MATERIALIZED VIEW', 'SEQUENCE')
      THEN EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = schema AND c.relname = name)
    WHEN kind IN ('TYPE', 'DOMAIN', 'SHELL TYPE')
      THEN EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = schema AND t.typname = name)
    WHEN kind IN ('FUNCTION', 'PROCEDURE', 'AGGREGATE') THEN to_regprocedure(quote_ident(schema) || '.' || name) IS NOT NULL
    WHEN kind = 'SCHEMA' THEN EXISTS (SELECT FROM pg_namespace WHERE nspname = name)
    WHEN kind = 'EXTENSION' THEN EXISTS (SELECT FROM pg_extension WHERE extname = name)
    WHEN kind = 'PROCEDURAL LANGUAGE' THEN EXISTS (SELECT FROM pg_language WHERE lanname = name)
    WHEN kind = 'COLLATION'
      THEN EXISTS (SELECT FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE n.nspname = schema AND c.collname = name)
    WHEN kind = 'FOREIGN DATA WRAPPER' THEN EXISTS (SELECT FROM pg_foreign_data_wrapper WHERE fdwname = name)
    WHEN kind = 'SERVER' THEN EXISTS (SELECT FROM pg_foreign_server WHERE srvname = name)
    ELSE false END`;

const existing = async (session: Session, entries: readonly TocEntry[]): Promise<Set<number>> => {
  const columns = [
    entries.map(({ id }) => id),
    entries.map(({ kind }) => kind),
    entries.map(({ schema }) => readable(schema ?? "")),
    entries.map(({ tag }) => readable(tag)),
  ];
  return new Set((await session.query<{ id: number }>(existingSql, columns)).map(({ id }) => id));
};

const chosenThere = async (session: Session, { relations }: ChosenEntries): Promise<TocEntry[]> => {
  const there = await existing(session, relations);
  return relations.filter(({ id }) => there.has(id));
};

/** The chosen tables and views that the target has already, quoted. */
export const chosenNamesThere = async (session: Session, chosen: ChosenEntries): Promise<string[]> =>
  (await chosenThere(session, chosen)).map(quotedName);

export const refuseChosen = async (session: Session, chosen: ChosenEntries): Promise<void> => {
  const there = await chosenThere(session, chosen);
  const what = there.every(({ kind }) => kind === "TABLE") ? "tables" : "tables and views";
  if (there.length > 0)
    throw new Failure("TargetNotEmpty", `${describe(session.address)} has chosen ${what} already: ${there.map(quotedName).join(", ")}`);
};

/** Views first, the last ones before those that they may read; then the tables in one statement, since they may refer to each other. Nothing that was not chosen goes with them. */
export const dropChosen = async (session: Session, chosen: ChosenEntries): Promise<void> => {
  const all = await chosenThere(session, chosen);
  const tables = all.filter(({ kind }) => kind === "TABLE").map(quotedName);
  const others = all.filter(({ kind }) => kind !== "TABLE").toReversed();
  if (tables.length + others.length === 0) return;
  const there = [...others.map(quotedName), ...tables];
  try {
    await session.query("BEGIN");
    for (const entry of others) await session.query(`DROP ${entry.kind} ${quotedName(entry)}`);
    if (tables.length > 0) await session.query(`DROP TABLE ${tables.join(", ")}`);
    await session.query("COMMIT");
  } catch (error) {
    await session.query("ROLLBACK").catch(() => undefined); // the connection is gone, and with it the transaction
    if (!/other objects depend/.test(error instanceof Error ? error.message : "")) throw error;
    throw new Failure(
      "TargetNotEmpty",
      `${describe(session.address)}: chosen tables and views cannot be replaced, since others that were not chosen depend on them (${there.join(", ")}); drop these first, as views and foreign keys, or restore into another database`,
      { cause: error },
    );
  }
};

/** Takes out what is needed but there already, and what hangs on that alone. To be asked once the chosen tables and views are gone. */
export const fitPart = async (session: Session, { entries }: ChosenEntries): Promise<FittedPart> => {
  const there = await existing(session, entries);
  const out = new Set(there);
  const listed = new Set(entries.map(({ id }) => id));
  const notes: string[] = [];
  for (let before = -1; before !== out.size; ) {
    before = out.size;
    for (const entry of entries) {
      const needs = entry.needs.filter((need) => listed.has(need));
      if (out.has(entry.id) || !needs.some((need) => out.has(need)) || there.has(entry.id)) continue;
      const attaches = entry.kind.endsWith(" ATTACH");
      if (!attaches && (!hangsOn.has(entry.kind) || needs.some((need) => !out.has(need)))) continue;
      out.add(entry.id);
      if (entry.kind === "TABLE ATTACH") notes.push(`${nameOf(entry)} is not attached as a partition: its parent was there already.`);
    }
  }
  return { entries: entries.filter(({ id }) => !out.has(id)), notes };
};

const hangsOn = new Set([
  ...["SEQUENCE OWNED BY", "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "STATISTICS", "RULE", "TRIGGER"],
  ...["ROW SECURITY", "POLICY", "COMMENT", "ACL", "SECURITY LABEL"],
]);

/**
 * Drops what entries have created, as far as it is there, the last ones first. What depends on something that goes later is
 * tried again; what is not there is no error.
 */
export const undoEntries = async (session: Session, entries: readonly TocEntry[]): Promise<void> => {
  let left = entries.filter(({ drop }) => drop !== undefined && drop.trim() !== "").toReversed();
  while (left.length > 0) {
    const hindered: TocEntry[] = [];
    let cause: unknown;
    for (const entry of left) {
      try {
        await session.query(readable(entry.drop!));
      } catch (error) {
        const code = (error as { cause?: { code?: string } }).cause?.code;
        if (code !== undefined && needed.has(code)) {
          hindered.push(entry);
          cause = error;
        } else if (code === undefined || !absent.has(code)) throw error;
      }
    }
    if (hindered.length === left.length) throw cause;
    left = hindered;
  }
};

/** dependent_objects_still_exist; invalid_table_definition, which is what a partition's constraint says that goes with its parent's. */
const needed = new Set(["2BP01", "42P16"]);

/** undefined_object, undefined_table, undefined_function, undefined_column, invalid_schema_name. */
const absent = new Set(["42704", "42P01", "42883", "42703", "3F000"]);

import type { RowsStream, Selectable, SnapshotPart } from "../engine.ts";
import { quoteQualified, readableName } from "./quoting.ts";
import type { RowsTarget } from "./targets.ts";
import { readable, sections, type Toc, type TocEntry } from "./toc.ts";

/** What of an archive belongs to a chosen part. */
export interface ChosenEntries {
  /** In the archive's order. */
  readonly entries: readonly TocEntry[];
  /** The chosen tables, which must not be there already. What else is needed and exists is used as it is. */
  readonly tables: readonly TocEntry[];
  /** What is left out, or comes without rows, because of the choice. */
  readonly notes: readonly string[];
}

/** What is nothing by itself, and goes where the table goes. */
const attached = new Set([
  ...[
    "SEQUENCE",
    "SEQUENCE OWNED BY",
    "DEFAULT",
    "CONSTRAINT",
    "CHECK CONSTRAINT",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "TABLE ATTACH",
  ],
  ...["STATISTICS", "RULE", "TRIGGER", "ROW SECURITY", "POLICY", "COMMENT", "ACL", "SECURITY LABEL"],
]);
/** What holds or shows rows, and is not created merely because something else looks at it. */
const relations = new Set(["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"]);

export const nameOf = ({ schema, tag }: TocEntry): string => readableName(readable(schema ?? ""), readable(tag));

const isTable = ({ kind }: TocEntry): boolean => kind === "TABLE";

/** Tables by the partitioned table that they are attached to. */
const partitionsOf = (toc: Toc): Map<number, number[]> => {
  const tables = new Set(toc.entries.filter(isTable).map(({ id }) => id));
  const byParent = new Map<number, number[]>();
  for (const { kind, needs } of toc.entries) {
    if (kind !== "TABLE ATTACH") continue;
    const [partition, parent] = needs.filter((need) => tables.has(need));
    if (partition !== undefined && parent !== undefined) byParent.set(parent, [...(byParent.get(parent) ?? []), partition]);
  }
  return byParent;
};

const withPartitions = (table: number, partitions: ReadonlyMap<number, readonly number[]>): number[] => [
  table,
  ...(partitions.get(table) ?? []).flatMap((partition) => withPartitions(partition, partitions)),
];

/** Every table with rows of its own, and every partitioned table for all of its partitions. */
export const selectableTables = (toc: Toc, streams: readonly RowsStream[]): Selectable[] => {
  const names = new Map(toc.entries.filter(isTable).map((entry) => [entry.id, nameOf(entry)]));
  const partitions = partitionsOf(toc);
  const known = new Set(streams.map(({ name }) => name));
  const parents = [...partitions.keys()]
    .map((parent) => ({
      name: names.get(parent) ?? "",
      streams: withPartitions(parent, partitions).flatMap((table) =>
        [names.get(table)].filter((name) => name !== undefined && known.has(name)),
      ),
    }))
    .filter(({ name }) => !known.has(name));
  return [...streams.map(({ name }) => ({ name, streams: [name] })), ...(parents as Selectable[])].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
};

const tablesByName = new WeakMap<Toc, ReadonlyMap<string, TocEntry>>();

/** The archive's entry of a stream's table. */
export const tableEntry = (toc: Toc, { target }: Pick<RowsStream, "target">): TocEntry | undefined => {
  const rows = target as RowsTarget;
  if ("largeObjects" in rows) return undefined;
  const byName = tablesByName.get(toc) ?? new Map(toc.entries.filter(isTable).map((entry) => [quotedName(entry), entry]));
  tablesByName.set(toc, byName);
  return byName.get(rows.table);
};

/** Quoted and qualified, as `TableTarget` has it. */
export const quotedName = ({ schema, tag }: TocEntry): string => quoteQualified(readable(schema ?? ""), readable(tag));

/** Walks what entries need. */
const needsOf = (toc: Toc): ((ids: Iterable<number>) => Set<number>) => {
  const byId = new Map(toc.entries.map((entry) => [entry.id, entry]));
  const schemas = new Map(toc.entries.filter(({ kind }) => kind === "SCHEMA").map(({ tag, id }) => [tag, id]));
  return (ids) => {
    const found = new Set<number>();
    const todo = [...ids];
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      const entry = byId.get(id);
      if (entry === undefined || found.has(id)) continue;
      found.add(id);
      todo.push(...entry.needs);
      const schema = entry.schema === undefined ? undefined : schemas.get(entry.schema);
      if (schema !== undefined) todo.push(schema);
    }
    return found;
  };
};

/** Which entries of the archive make the part; `part` is chosen by name. */
export const chooseEntries = (toc: Toc, part: SnapshotPart & { by: "name" }): ChosenEntries => {
  const names = new Set("only" in part ? part.only : part.except);
  const named = new Set(toc.entries.filter((entry) => isTable(entry) && names.has(nameOf(entry))).map(({ id }) => id));
  return "only" in part ? chooseOnly(toc, named) : chooseExcept(toc, named);
};

const chooseOnly = (toc: Toc, tables: ReadonlySet<number>): ChosenEntries => {
  const needs = needsOf(toc);
  const chosen = needs(tables);
  const byId = new Map(toc.entries.map((entry) => [entry.id, entry]));
  /** Whether an entry brings nothing with it but what is chosen, and what holds no rows. */
  const fits = (entry: TocEntry): boolean =>
    attached.has(entry.kind) &&
    entry.needs.some((need) => chosen.has(need) && (relations.has(byId.get(need)!.kind) || attached.has(byId.get(need)!.kind))) &&
    [...needs([entry.id])].every((id) => chosen.has(id) || !relations.has(byId.get(id)!.kind));
  for (let before = -1; before !== chosen.size; ) {
    before = chosen.size;
    for (const entry of toc.entries) if (!chosen.has(entry.id) && fits(entry)) for (const id of needs([entry.id])) chosen.add(id);
  }
  // Comments and grants of schemas and types that came along.
  for (const entry of toc.entries)
    if (
      ["COMMENT", "ACL", "SECURITY LABEL"].includes(entry.kind) &&
      entry.needs.length > 0 &&
      entry.needs.every((need) => chosen.has(need))
    )
      chosen.add(entry.id);
  const notes = [
    ...toc.entries
      .filter((entry) => isTable(entry) && chosen.has(entry.id) && !tables.has(entry.id))
      .map((entry) => `${nameOf(entry)} was not chosen, but is needed: it comes without rows, unless it is there already.`),
    ...toc.entries
      .filter(({ kind, id, needs: [...wanted] }) => kind === "FK CONSTRAINT" && !chosen.has(id) && wanted.some((need) => tables.has(need)))
      .map(
        ({ schema, tag }) =>
          `Foreign key ${readable(schema ?? "")}.${readable(tag)} is left out: the table at its other end was not chosen.`,
      ),
  ];
  return { entries: toc.entries.filter(({ id }) => chosen.has(id)), tables: toc.entries.filter(({ id }) => tables.has(id)), notes };
};

const chooseExcept = (toc: Toc, tables: ReadonlySet<number>): ChosenEntries => {
  const byId = new Map(toc.entries.map((entry) => [entry.id, entry]));
  const needed = needsOf(toc)(toc.entries.filter((entry) => isTable(entry) && !tables.has(entry.id)).map(({ id }) => id));
  const gone = new Set([...tables].filter((id) => !needed.has(id)));
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const { id, kind, tag, needs } of toc.entries) {
      if (gone.has(id) || !needs.some((need) => gone.has(need))) continue;
      gone.add(id);
      // The view stands as an empty shell until its rule comes.
      if (kind === "RULE" && tag.endsWith(" _RETURN"))
        for (const need of needs) if (/VIEW$/.test(byId.get(need)?.kind ?? "")) gone.add(need);
    }
  }
  const told = new Set(["VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "FUNCTION", "PROCEDURE", "FK CONSTRAINT", "TYPE", "DOMAIN"]);
  const notes = [
    ...[...tables]
      .filter((id) => needed.has(id))
      .map((id) => `${nameOf(byId.get(id)!)} is needed by another table: it comes without rows.`),
    ...toc.entries
      .filter(({ id, kind }) => gone.has(id) && told.has(kind))
      .map(
        ({ kind, schema, tag }) =>
          `${kind.toLowerCase()} ${readable(schema ?? "")}.${readable(tag)} is left out, since it needs what was left out.`,
      ),
  ];
  return { entries: toc.entries.filter(({ id }) => !gone.has(id)), tables: [], notes };
};

/** How many of each kind, as a plan says it: `{ kind: "table", count: 12 }`. */
export const countKinds = (entries: readonly TocEntry[]): { kind: string; count: number }[] => {
  const plain = entries.filter(({ section, kind }) => section !== sections.data && !unseen.has(kind));
  return [...Map.groupBy(plain, ({ kind }) => kind.toLowerCase())].map(([kind, { length }]) => ({ kind, count: length }));
};

/** Settings of the archive itself, and what is part of something else. */
const unseen = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "DATABASE",
  "DATABASE PROPERTIES",
  "SEQUENCE OWNED BY",
  "INDEX ATTACH",
  "TABLE ATTACH",
]);

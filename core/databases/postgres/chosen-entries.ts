import type { RowsStream, Selectable, SnapshotPart } from "../engine.ts";
import { quoteQualified, readableName } from "./quoting.ts";
import type { RowsTarget } from "./targets.ts";
import { readable, sections, type Toc, type TocEntry } from "./toc.ts";

/** What of an archive belongs to a chosen part. */
export interface ChosenEntries {
  /** In the archive's order. */
  readonly entries: readonly TocEntry[];
  /** The chosen tables and views, which must not be there already. What else is needed and exists is used as it is. */
  readonly relations: readonly TocEntry[];
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
const isRelation = ({ kind }: TocEntry): boolean => relations.has(kind);
/** A view that others depend on in a circle stands as an empty shell until this rule comes. */
const isViewsRule = ({ kind, tag }: TocEntry): boolean => kind === "RULE" && tag.endsWith(" _RETURN");

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

/**
 * Every table and view; a partitioned table stands for all of its partitions. Streams beyond these are of large objects and of
 * extensions' tables.
 */
export const selectableRelations = (toc: Toc, streams: readonly RowsStream[]): Selectable[] => {
  const there = toc.entries.filter(isRelation);
  const names = new Map(there.map((entry) => [entry.id, nameOf(entry)]));
  const partitions = partitionsOf(toc);
  const known = new Set(streams.map(({ name }) => name));
  const streamsOf = (id: number): string[] =>
    withPartitions(id, partitions).flatMap((table) => [names.get(table) ?? ""].filter((name) => known.has(name)));
  const own = new Set(names.values());
  return [
    ...there.map((entry) => ({ name: nameOf(entry), streams: known.has(nameOf(entry)) ? [nameOf(entry)] : streamsOf(entry.id) })),
    ...streams.filter(({ name }) => !own.has(name)).map(({ name }) => ({ name, streams: [name] })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
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
  const rules = new Map(
    toc.entries
      .filter(isViewsRule)
      .flatMap(({ id, needs }) => needs.filter((need) => byId.get(need)?.kind.endsWith("VIEW")).map((view) => [view, id] as const)),
  );
  return (ids) => {
    const found = new Set<number>();
    const todo = [...ids];
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      const entry = byId.get(id);
      if (entry === undefined || found.has(id)) continue;
      found.add(id);
      todo.push(...entry.needs);
      const rule = rules.get(id);
      if (rule !== undefined) todo.push(rule);
      const schema = entry.schema === undefined ? undefined : schemas.get(entry.schema);
      if (schema !== undefined) todo.push(schema);
    }
    return found;
  };
};

/** Which entries of the archive make the part; `part` is chosen by name. */
export const chooseEntries = (toc: Toc, part: SnapshotPart & { by: "name" }): ChosenEntries => {
  const names = new Set("only" in part ? part.only : part.except);
  const named = new Set(toc.entries.filter((entry) => isRelation(entry) && names.has(nameOf(entry))).map(({ id }) => id));
  return "only" in part ? chooseOnly(toc, named) : chooseExcept(toc, named);
};

const chooseOnly = (toc: Toc, named: ReadonlySet<number>): ChosenEntries => {
  const needs = needsOf(toc);
  const chosen = needs(named);
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
  const everything = toc.entries.every((entry) => !isRelation(entry) || chosen.has(entry.id));
  const left = toc.entries.filter(
    ({ id, kind }) => !chosen.has(id) && (kind === "SEQUENCE" || !attached.has(kind)) && !/^(BLOB|LARGE OBJECT)/.test(kind),
  );
  const notes = [
    ...toc.entries
      .filter((entry) => isTable(entry) && chosen.has(entry.id) && !named.has(entry.id))
      .map((entry) => `${nameOf(entry)} was not chosen, but is needed: it comes without rows, unless it is there already.`),
    ...toc.entries
      .filter(({ kind, id, needs: [...wanted] }) => kind === "FK CONSTRAINT" && !chosen.has(id) && wanted.some((need) => named.has(need)))
      .map(
        ({ schema, tag }) =>
          `Foreign key ${readable(schema ?? "")}.${readable(tag)} is left out: the table at its other end was not chosen.`,
      ),
    ...(everything ? leftOut(left) : left.filter(({ needs: wanted }) => wanted.some((need) => named.has(need))).flatMap(unpublished)),
  ];
  return { entries: toc.entries.filter(({ id }) => chosen.has(id)), relations: toc.entries.filter(({ id }) => named.has(id)), notes };
};

/** What a choice of tables and views cannot bring, where all of these are chosen and one could take that for everything. */
const leftOut = (entries: readonly TocEntry[]): string[] => {
  const kinds = countKinds(entries.filter(({ kind }) => !kind.startsWith("PUBLICATION TABLE")));
  const list = kinds.map(({ kind, count }) => `${kind} (${count})`).join(", ");
  return list === "" ? [] : [`Only tables and views are chosen, and what they need; of the rest, these are left out: ${list}.`];
};

const unpublished = ({ kind, tag }: TocEntry): string[] =>
  kind === "PUBLICATION TABLE" ? [`Publications are left out by this choice, which concerns: ${readable(tag)}.`] : [];

const chooseExcept = (toc: Toc, named: ReadonlySet<number>): ChosenEntries => {
  const byId = new Map(toc.entries.map((entry) => [entry.id, entry]));
  const needed = needsOf(toc)(toc.entries.filter((entry) => isTable(entry) && !named.has(entry.id)).map(({ id }) => id));
  const gone = new Set([...named].filter((id) => !needed.has(id)));
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const entry of toc.entries) {
      const { id, needs } = entry;
      if (gone.has(id) || !needs.some((need) => gone.has(need))) continue;
      gone.add(id);
      if (isViewsRule(entry)) for (const need of needs) if (/VIEW$/.test(byId.get(need)?.kind ?? "")) gone.add(need);
    }
  }
  const told = new Set(["VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "FUNCTION", "PROCEDURE", "FK CONSTRAINT", "TYPE", "DOMAIN"]);
  const notes = [
    ...[...named]
      .filter((id) => needed.has(id))
      .map((id) => `${nameOf(byId.get(id)!)} is needed by another table: it comes${isTable(byId.get(id)!) ? " without rows" : ""}.`),
    ...toc.entries
      .filter(({ id, kind }) => gone.has(id) && !named.has(id) && told.has(kind))
      .map(
        ({ kind, schema, tag }) =>
          `${kind.toLowerCase()} ${readable(schema ?? "")}.${readable(tag)} is left out, since it needs what was left out.`,
      ),
  ];
  return { entries: toc.entries.filter(({ id }) => !gone.has(id)), relations: [], notes };
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

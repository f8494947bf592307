import type { Comparison, Definition, RowsStream } from "../engine.ts";
import { nameOf, tableEntry } from "./chosen-entries.ts";
import type { LargeObject } from "./large-objects.ts";
import { quoteIdentifier } from "./quoting.ts";
import { roleFactsOf } from "./role-facts.ts";
import { definitionNames, type RowsTarget, type SequenceState } from "./targets.ts";
import { readable, readToc, type Toc, type TocEntry } from "./toc.ts";

const tocs = new WeakMap<readonly Definition[], Toc>();

/** Read once: it is asked for with every table, and has an entry for each. */
export const tocOf = (definitions: readonly Definition[]): Toc => {
  const known = tocs.get(definitions);
  if (known !== undefined) return known;
  const toc = readToc(definitions.find(({ name }) => name === definitionNames.schema)?.content ?? new Uint8Array());
  tocs.set(definitions, toc);
  return toc;
};

/** What says nothing of the database itself: settings of the archive, and the database's name. */
const notDefined = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE"]);

const parsed = <T>(definitions: readonly Definition[], name: string): T[] => {
  const content = definitions.find((definition) => definition.name === name)?.content;
  return content === undefined ? [] : (JSON.parse(Buffer.from(content).toString("utf8")) as T[]);
};

/** Every entry of the archive with its definition, owner and place, and the states of sequences. */
const definitionTexts = (definitions: readonly Definition[]): Map<string, string> => {
  const texts = new Map<string, string>();
  for (const entry of tocOf(definitions).entries) {
    if (notDefined.has(entry.kind)) continue;
    const name = nameForDiff(entry);
    const { definition, owner, tablespace, accessMethod } = entry;
    const key = `${entry.kind.toLowerCase()} ${name}`;
    texts.set(key, `${texts.get(key) ?? ""}${JSON.stringify([definition, owner, tablespace, accessMethod])}`);
  }
  for (const { sequence, last, called } of parsed<SequenceState>(definitions, definitionNames.sequences))
    texts.set(`state of sequence ${sequence}`, `${last} ${called}`);
  for (const { oid, ...facts } of parsed<LargeObject>(definitions, definitionNames.objects))
    texts.set(`large object ${oid}`, JSON.stringify(facts));
  const { roles, memberships } = roleFactsOf(definitions) ?? { roles: [], memberships: [] };
  // Without the password: two readers do not both see it.
  for (const { verifier, ...facts } of roles)
    texts.set(`role ${facts.name}`, JSON.stringify([facts, memberships.filter(({ member }) => member === facts.name)]));
  return texts;
};

/** A relation's name is quoted where it must be; other tags (`f(integer)`, `orders orders_pkey`) are as the archive has them. */
const nameForDiff = (entry: TocEntry): string => {
  if (/^(TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|SEQUENCE)$/.test(entry.kind)) return nameOf(entry);
  return entry.schema === undefined ? readable(entry.tag) : `${readable(entry.schema)}.${readable(entry.tag)}`;
};

/** The columns of a primary key, quoted, out of `ALTER TABLE … PRIMARY KEY (…)`. Exported for its tests. */
export const primaryKeyColumns = (definition: string): string[] | undefined => {
  const list = /\bPRIMARY KEY \(((?:"(?:[^"]|"")*"|[^")])*)\)/.exec(definition)?.[1];
  return list?.match(/"(?:[^"]|"")*"|[^\s,"][^,"]*/g)?.map((column) => {
    const plain = column.trim().replace(/ WITHOUT OVERLAPS$/, "");
    return plain.startsWith('"') ? plain : quoteIdentifier(plain);
  });
};

const tab = Buffer.from("\t");

/** Of rows in COPY's text format: tabs part the fields, and none is in a field. */
const fieldsAt = (positions: readonly number[]): ((row: Uint8Array) => Uint8Array) => {
  const last = Math.max(...positions);
  return (row) => {
    const length = row.at(-1) === 0x0a ? row.length - 1 : row.length;
    const fields: Uint8Array[] = [];
    for (let field = 0, from = 0; field <= last; field += 1) {
      const found = row.indexOf(0x09, from);
      const end = found < 0 ? length : found;
      fields.push(row.subarray(from, end));
      from = end + 1;
    }
    return positions.length === 1 ? fields[last]! : Buffer.concat(positions.flatMap((position) => [fields[position]!, tab]));
  };
};

const keysByTable = new WeakMap<readonly Definition[], ReadonlyMap<number, string[]>>();

const primaryKeys = (definitions: readonly Definition[], toc: Toc): ReadonlyMap<number, string[]> => {
  const known = keysByTable.get(definitions);
  if (known !== undefined) return known;
  const found = new Map<number, string[]>();
  for (const { kind, definition, needs } of toc.entries) {
    const columns = kind === "CONSTRAINT" && definition !== undefined ? primaryKeyColumns(readable(definition)) : undefined;
    if (columns !== undefined) for (const table of needs) found.set(table, columns);
  }
  keysByTable.set(definitions, found);
  return found;
};

const rowKey = (definitions: readonly Definition[], stream: RowsStream): ((row: Uint8Array) => Uint8Array) | undefined => {
  const target = stream.target as RowsTarget;
  if ("largeObjects" in target) return fieldsAt([0, 1]);
  const toc = tocOf(definitions);
  const table = tableEntry(toc, stream);
  const key = table === undefined ? undefined : primaryKeys(definitions, toc).get(table.id);
  const positions = key?.map((column) => target.columns.indexOf(column));
  return positions === undefined || positions.includes(-1) ? undefined : fieldsAt(positions);
};

export const comparison: Comparison = { definitions: definitionTexts, rowKey };

import { join } from "node:path";
import { Failure } from "../../domain/failure.ts";
import type { Exportation, ExportOptions, RowsStream } from "../engine.ts";
import { writeFileOf, writeGzip } from "../export-file.ts";
import { chooseEntries, tableEntry } from "./chosen-entries.ts";
import { tocOf } from "./comparison.ts";
import { exportLargeObjects, largeObjectEntries } from "./export-large-objects.ts";
import type { LargeObject } from "./large-objects.ts";
import { quoteLiteral, unquoteQualified } from "./quoting.ts";
import { definitionNames, type RowsTarget, type SequenceState, type TableTarget } from "./targets.ts";
import { readable, sections, type Toc, type TocEntry, writeToc } from "./toc.ts";

/** What COPY's text ends with, in an archive. */
const endOfData = Buffer.from("\\.\n\n\n");

/**
 * A pg_dump archive in directory format: the table of contents of the schema archive, with entries for rows, large objects, states of
 * sequences and content of materialized views added where pg_dump would have them, and a gzip file for the rows of each table.
 */
export const openExportation = async (folder: string, options: ExportOptions, signal: AbortSignal): Promise<Exportation> => {
  const whole = tocOf(options.definitions);
  const chosen = options.part?.by === "name" ? chooseEntries(whole, options.part) : undefined;
  const entries = chosen?.entries ?? whole.entries;
  let lastId = Math.max(0, ...whole.entries.map(({ id }) => id));
  const nextId = (): number => ++lastId;
  const names = new Map(options.streams.map((stream) => [stream.name, nextId()]));
  const withObjects = options.streams.some(({ target }) => "largeObjects" in (target as RowsTarget));
  const objects = withObjects ? parsed<LargeObject>(options, definitionNames.objects) : [];

  return {
    write: async (stream, content) => {
      if ("largeObjects" in (stream.target as RowsTarget)) return await exportLargeObjects(folder, content, signal);
      await writeGzip(join(folder, `${names.get(stream.name)}.dat.gz`), terminated(content), signal);
    },
    finish: async () => {
      const data = options.streams.flatMap((stream) => {
        const id = names.get(stream.name)!;
        return "largeObjects" in (stream.target as RowsTarget) ? [] : [dataEntry(whole, stream, stream.target as TableTarget, id)];
      });
      const sequences = sequenceEntries(entries, parsed<SequenceState>(options, definitionNames.sequences), nextId);
      const views = viewEntries(entries, parsed<string>(options, definitionNames.views), nextId);
      const split = entries.findIndex(({ section }) => section === sections.postData);
      const at = split < 0 ? entries.length : split;
      const toc: Toc = {
        ...whole,
        entries: [
          ...entries.slice(0, at),
          ...(withObjects ? largeObjectEntries(objects, nextId) : []),
          ...data,
          ...sequences,
          ...entries.slice(at),
          ...views,
        ],
      };
      await writeFileOf(join(folder, "toc.dat"), oneBlock(writeToc(toc)), signal);
      return {
        format: "pg_dump archive in directory format",
        load: `pg_restore --jobs=2 --dbname=TARGET_URL ${folder}`,
        notes: chosen?.notes ?? [],
      };
    },
  };
};

async function* oneBlock(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* terminated(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* content;
  yield endOfData;
}

const parsed = <T>({ definitions }: ExportOptions, name: string): T[] => {
  const content = definitions.find((definition) => definition.name === name)?.content;
  return content === undefined ? [] : (JSON.parse(Buffer.from(content).toString("utf8")) as T[]);
};

/** The archive keeps bytes of the database's encoding. */
const inArchive = (text: string, encoding: string | undefined): string => {
  if (encoding === undefined) return Buffer.from(text, "utf8").toString("latin1");
  if (/^[\x20-\x7e]*$/.test(text) || encoding === "LATIN1") return text;
  throw new Failure(
    "EngineUnsupported",
    `${text} cannot be named in an archive in the encoding ${encoding}: restore the snapshot, and use pg_dump`,
  );
};

const blank = {
  tableOid: "0",
  oid: "0",
  hasData: false,
  drop: "",
  copy: undefined,
  tablespace: undefined,
  accessMethod: undefined,
  relationKind: 0,
  file: "",
} as const;

const dataEntry = (toc: Toc, stream: RowsStream, { table, columns, encoding }: TableTarget, id: number): TocEntry => {
  const entry = tableEntry(toc, stream);
  const [schema, name] = unquoteQualified(table).map((part) => inArchive(part, encoding)) as [string, string];
  const list = columns.length === 0 ? "" : ` (${columns.join(", ")})`;
  return {
    ...blank,
    ...{
      id,
      hasData: true,
      oid: entry?.oid ?? "0",
      kind: "TABLE DATA",
      section: sections.data,
      tag: name,
      schema,
      owner: entry?.owner ?? "",
    },
    definition: "",
    copy: inArchive(`COPY ${table}${list} FROM stdin;\n`, encoding),
    needs: entry === undefined ? [] : [entry.id],
    file: `${id}.dat`,
  };
};

const nameIn = ({ schema, tag }: TocEntry): string => JSON.stringify([readable(schema ?? ""), readable(tag)]);

const sequenceEntries = (entries: readonly TocEntry[], states: readonly SequenceState[], nextId: () => number): TocEntry[] => {
  const byName = new Map(entries.filter(({ kind }) => kind === "SEQUENCE").map((entry) => [nameIn(entry), entry]));
  return states.flatMap(({ sequence, last, called }) => {
    const entry = byName.get(JSON.stringify(unquoteQualified(sequence)));
    if (entry === undefined) return [];
    const call = `SELECT pg_catalog.setval(${quoteLiteral(sequence)}, ${BigInt(last)}, ${called === true});\n`;
    return [
      {
        ...entry,
        ...blank,
        id: nextId(),
        kind: "SEQUENCE SET",
        section: sections.data,
        definition: inArchive(call, undefined),
        needs: [entry.id],
      },
    ];
  });
};

/** Each waits for the one before: they are listed in the order of their dependencies. */
const viewEntries = (entries: readonly TocEntry[], views: readonly string[], nextId: () => number): TocEntry[] => {
  const byName = new Map(entries.filter(({ kind }) => kind === "MATERIALIZED VIEW").map((entry) => [nameIn(entry), entry]));
  const made: TocEntry[] = [];
  for (const view of views) {
    const entry = byName.get(JSON.stringify(unquoteQualified(view)));
    if (entry === undefined) continue;
    const definition = inArchive(`REFRESH MATERIALIZED VIEW ${view};\n`, undefined);
    const needs = [entry.id, ...made.slice(-1).map(({ id }) => id)];
    made.push({ ...entry, ...blank, id: nextId(), kind: "MATERIALIZED VIEW DATA", section: sections.postData, definition, needs });
  }
  return made;
};

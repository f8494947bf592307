import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { createRowSplitter } from "../../repository/row-splitter.ts";
import { writeFailure, writeGzip } from "../export-file.ts";
import { grantStatements, type LargeObject } from "./large-objects.ts";
import { quoteLiteral } from "./quoting.ts";
import { sections, type TocEntry } from "./toc.ts";

const list = "blobs.toc";

/** A page of an object: a row of the stream, which COPY has written. */
interface Page {
  readonly object: string;
  readonly content: Buffer;
}

/** Writes a file for each object, and the list of them. Pages of one object follow each other. */
export const exportLargeObjects = async (folder: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> => {
  const pages = readPages(content);
  const names: string[] = [];
  let next = await pages.next();
  while (!next.done) {
    const { object } = next.value;
    const ofObject = async function* (): AsyncGenerator<Uint8Array> {
      for (; !next.done && next.value.object === object; next = await pages.next())
        if (next.value.content.length > 0) yield next.value.content;
    };
    await writeGzip(join(folder, `blob_${object}.dat.gz`), ofObject(), signal);
    names.push(`${object} blob_${object}.dat\n`);
  }
  try {
    await appendFile(join(folder, list), names.join(""), { mode: 0o600 });
  } catch (cause) {
    throw writeFailure(join(folder, list), cause);
  }
};

async function* readPages(content: AsyncIterable<Uint8Array>): AsyncGenerator<Page, void> {
  let pages: Page[] = [];
  const splitter = createRowSplitter("lines", (row) => {
    const [object = "", , bytes = ""] = Buffer.from(row.subarray(0, -1)).toString("latin1").split("\t");
    // COPY doubles the backslash of `\x`.
    pages.push({ object, content: Buffer.from(bytes.replace(/^\\+x/, ""), "hex") });
  });
  for await (const block of content) {
    splitter.push(block);
    yield* pages;
    pages = [];
  }
  splitter.finish();
  yield* pages;
}

const blank = {
  tableOid: "0",
  oid: "0",
  hasData: false,
  copy: undefined,
  schema: undefined,
  tablespace: undefined,
  accessMethod: undefined,
  relationKind: 0,
} as const;

/** As pg_dump before 17 writes them: one entry for each object, which pg_restore of every version reads. */
export const largeObjectEntries = (objects: readonly LargeObject[], nextId: () => number): TocEntry[] => {
  const made = objects.map(({ oid, owner }) => ({
    ...{
      ...blank,
      id: nextId(),
      tableOid: "2613",
      oid,
      kind: "BLOB",
      tag: oid,
      section: sections.preData,
      owner: bytesOf(owner),
      needs: [],
      file: "",
    },
    definition: `SELECT pg_catalog.lo_create('${oid}');\n`,
    drop: `SELECT pg_catalog.lo_unlink('${oid}');\n`,
  }));
  const about = objects.flatMap(({ oid, owner, comment, acl }, index): TocEntry[] => {
    const entry = (kind: string, definition: string): TocEntry => ({
      ...{ ...blank, id: nextId(), kind, tag: `LARGE OBJECT ${oid}`, section: none, owner: bytesOf(owner), drop: "", file: "" },
      definition: bytesOf(definition),
      needs: [made[index]!.id],
    });
    const given = acl === null ? [] : grantStatements(`LARGE OBJECT ${oid}`, owner, acl).map((statement) => `${statement};\n`);
    return [
      ...(comment === null ? [] : [entry("COMMENT", `COMMENT ON LARGE OBJECT ${oid} IS ${quoteLiteral(comment)};\n`)]),
      ...(given.length === 0 ? [] : [entry("ACL", given.join(""))]),
    ];
  });
  const data: TocEntry = {
    ...{ ...blank, id: nextId(), hasData: true, kind: "BLOBS", tag: "BLOBS", section: sections.data, definition: "", drop: "", owner: "" },
    needs: made.map(({ id }) => id),
    file: list,
  };
  return [...made, ...about, data];
};

/** SECTION_NONE: it goes where its object goes. */
const none = 1;

const bytesOf = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

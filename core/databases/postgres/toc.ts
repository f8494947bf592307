import { Failure, isFailure } from "../../domain/failure.ts";

/**
 * The table of contents of a pg_dump archive, as `pg_backup_archiver.c` of PostgreSQL reads and writes it. Text is kept as bytes
 * (latin1), since it is in the encoding of the database, and dump ids as numbers.
 */
export interface Toc {
  readonly version: ArchiveVersion;
  /** From the creation time to pg_dump's version, as they were. */
  readonly created: Uint8Array;
  readonly entries: readonly TocEntry[];
}

/** 14: 1.14, of PostgreSQL 12 to 15; 15: of 16; 16: of 17 and 18. */
type ArchiveVersion = 14 | 15 | 16;

export interface TocEntry {
  readonly id: number;
  /** Whether there is data beside the definition. */
  readonly hasData: boolean;
  readonly tableOid: string;
  readonly oid: string;
  /** The object's name, as `orders` or `f(integer)`. */
  readonly tag: string;
  /** `TABLE`, `FK CONSTRAINT`, `TABLE DATA` … */
  readonly kind: string;
  readonly section: number;
  readonly definition: string | undefined;
  readonly drop: string | undefined;
  readonly copy: string | undefined;
  readonly schema: string | undefined;
  readonly tablespace: string | undefined;
  readonly accessMethod: string | undefined;
  /** As `pg_class.relkind`, since 1.16; 0 otherwise. */
  readonly relationKind: number;
  readonly owner: string | undefined;
  readonly needs: readonly number[];
  /** Of the directory format: the file with the data. */
  readonly file: string | undefined;
}

export const sections = { preData: 2, data: 3, postData: 4 } as const;

const intBytes = 4;
/** `toc.dat` of a directory calls itself a tar archive, whose members the files are. */
const formats = { custom: 1, tar: 3 } as const;
const malformed = (what: string): Failure => new Failure("RestoreFailed", `the snapshot's schema archive ${what}`);

/** Reads the table of contents at the head of an archive in custom format. */
export const readToc = (archive: Uint8Array): Toc => {
  try {
    return parseToc(archive);
  } catch (error) {
    if (error instanceof RangeError) throw malformed("is cut off");
    throw error;
  }
};

/** An archive of a later version is pg_restore's alone, which also says what is wrong with one that is broken. */
export const readKnownToc = (archive: Uint8Array): Toc | undefined => {
  try {
    return readToc(archive);
  } catch (error) {
    if (isFailure(error, "RestoreFailed")) return undefined;
    throw error;
  }
};

const parseToc = (archive: Uint8Array): Toc => {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  if (bytes.length < 12 || bytes.toString("latin1", 0, 5) !== "PGDMP") throw malformed("is no archive of pg_dump");
  const [major, minor, , integers, offsets, format] = bytes.subarray(5, 11) as unknown as number[];
  if (major !== 1 || (minor !== 14 && minor !== 15 && minor !== 16))
    throw malformed(`has the version ${major}.${minor}, which is not known`);
  if (integers !== intBytes || format !== formats.custom) throw malformed("is not in the custom format");
  const version = minor;
  let at = 11;
  const integer = (): number => {
    const sign = bytes[at]!;
    const value = bytes.readUInt32LE(at + 1);
    at += 1 + intBytes;
    return sign === 0 ? value : -value;
  };
  const text = (): string | undefined => {
    const length = integer();
    if (length < 0) return undefined;
    if (at + length > bytes.length) throw malformed("is cut off");
    at += length;
    return bytes.toString("latin1", at - length, at);
  };
  if (version >= 15) at += 1;
  else integer(); // compression
  const from = at;
  for (let field = 0; field < 7; field += 1) integer(); // creation time
  for (let field = 0; field < 3; field += 1) text(); // database, versions of server and pg_dump
  const created = bytes.subarray(from, at);
  const entry = (): TocEntry => {
    const [id, hasData] = [integer(), integer() !== 0];
    const [tableOid = "0", oid = "0", tag = "", kind = ""] = [text(), text(), text(), text()];
    const section = integer();
    const [definition, drop, copy, schema, tablespace, accessMethod] = [text(), text(), text(), text(), text(), text()];
    const relationKind = version >= 16 ? integer() : 0;
    const owner = text();
    text(); // "with oids": nothing since PostgreSQL 12
    const needs: number[] = [];
    for (let need = text(); need !== undefined; need = text()) needs.push(Number(need));
    at += 1 + offsets!; // where the data is
    return {
      ...{ id, hasData, tableOid, oid, tag, kind, section, definition, drop, copy, schema, tablespace, accessMethod },
      ...{ relationKind, owner, needs, file: undefined },
    };
  };
  const count = integer();
  return { version, created, entries: Array.from({ length: count }, entry) };
};

/** The bytes of `toc.dat` of an archive in directory format, its data files compressed by gzip. */
export const writeToc = (toc: Toc): Uint8Array => {
  const pieces: Buffer[] = [];
  const integer = (value: number): void => {
    const piece = Buffer.alloc(1 + intBytes);
    piece[0] = value < 0 ? 1 : 0;
    piece.writeUInt32LE(Math.abs(value), 1);
    pieces.push(piece);
  };
  const text = (value: string | undefined): void => {
    integer(value === undefined ? -1 : value.length);
    if (value !== undefined) pieces.push(Buffer.from(value, "latin1"));
  };
  const offsetBytes = 8;
  pieces.push(Buffer.from("PGDMP", "latin1"), Buffer.from([1, toc.version, 0, intBytes, offsetBytes, formats.tar]));
  if (toc.version >= 15) pieces.push(Buffer.from([1]));
  else integer(-1); // gzip, at its default level
  pieces.push(Buffer.from(toc.created));
  integer(toc.entries.length);
  for (const entry of toc.entries) {
    integer(entry.id);
    integer(entry.hasData ? 1 : 0);
    for (const value of [entry.tableOid, entry.oid, entry.tag, entry.kind]) text(value);
    integer(entry.section);
    for (const value of [entry.definition, entry.drop, entry.copy, entry.schema, entry.tablespace, entry.accessMethod]) text(value);
    if (toc.version >= 16) integer(entry.relationKind);
    text(entry.owner);
    text("false");
    for (const need of entry.needs) text(String(need));
    text(undefined);
    text(entry.file ?? "");
  }
  return Buffer.concat(pieces);
};

/** What defines the security labels. */
export const securityLabels = (toc: Toc | undefined): string[] =>
  (toc?.entries ?? []).filter(({ kind }) => kind === "SECURITY LABEL").map(({ definition = "" }) => readable(definition));

/** Text of an entry as it is meant: the archive keeps the bytes of a database that is nearly always in UTF-8. */
export const readable = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

import { isObject, memberOf, membersOf, objectOf } from "./json-text.ts";

/** What the server adds to every document, and replaces by its own whenever one is written. */
const systemMembers: ReadonlySet<string> = new Set(["_rid", "_self", "_etag", "_attachments", "_ts", "_lsn", "_metadata"]);

/**
 * A document as a row of a `stamped` stream: its text as the server gave it, without the server's own members, a tab,
 * the time at which the server last wrote it (`_ts`, seconds since 1970), and a line feed. Compact JSON has neither tab
 * nor line feed. `document` must be compact.
 */
export function rowOf(document: Buffer): Buffer {
  const members = membersOf(document);
  const ts = members.find(({ name }) => name === "_ts")?.value ?? Buffer.from("");
  return Buffer.concat([objectOf(members.filter(({ name }) => !systemMembers.has(name))), Buffer.from("\t"), ts, Buffer.from("\n")]);
}

/** What tells a document from every other one of its container: its partition key and its id. */
export const nameOf = (document: Buffer, partitionKey: PartitionKey): string =>
  `${partitionKeyOf(document, partitionKey)}${memberOf(document, "id")?.toString("utf8") ?? ""}`;

/** Seconds since 1970. */
export const writtenAt = (document: Buffer): number => Number(memberOf(document, "_ts")?.toString("utf8") ?? Number.NaN);

/** The document in a row, which may or may not end in a line feed. */
export const documentOf = (row: Buffer): Buffer => {
  const tab = row.indexOf(0x09);
  return tab < 0 ? row : row.subarray(0, tab);
};

/** How a container tells its partitions: as the server gave it, as far as it matters here. */
export interface PartitionKey {
  readonly paths: readonly string[];
  /** Of a container from before partition keys, or one made without: documents need not have the path. */
  readonly systemKey?: boolean;
}

/**
 * The value of `x-ms-documentdb-partitionkey` for a document: a JSON array with one value for each path, digits as they
 * are in the document, and nothing but ASCII. A path that leads to nothing, or to an object or array, is `{}`.
 */
export function partitionKeyOf(document: Buffer, { paths, systemKey }: PartitionKey): string {
  const values = paths.map((path) => valueAt(document, namesOf(path)));
  if (systemKey === true && values.every((value) => value === undefined)) return "[]";
  return ascii(`[${values.map((value) => value ?? "{}").join(",")}]`);
}

function valueAt(document: Buffer, names: readonly string[]): string | undefined {
  let at: Buffer | undefined = document;
  for (const name of names) {
    if (at === undefined || !isObject(at)) return undefined;
    at = memberOf(at, name);
  }
  if (at === undefined || isObject(at) || at[0] === 0x5b) return undefined;
  return at.toString("utf8");
}

/** The names of a path as `/a/"b c"/d`. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const match of path.matchAll(/\/(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^/]*))/g)) {
    const quoted = match[1] ?? match[2];
    names.push(quoted === undefined ? (match[3] ?? "").trim() : quoted.replaceAll(/\\(["'\\])/g, "$1"));
  }
  return names.filter((name) => name !== "");
}

const ascii = (text: string): string =>
  text.replaceAll(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

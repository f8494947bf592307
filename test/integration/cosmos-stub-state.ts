import { createHash } from "node:crypto";
import { compact, memberOf, membersOf, objectOf } from "../../core/databases/cosmos/json-text.ts";

/** What the stub of Cosmos DB's REST interface keeps. Documents are texts: not a digit of them changes. */
export interface StubDocument {
  readonly text: Buffer;
  readonly range: number;
  /** The logical sequence number of its last write, in its partition. */
  readonly lsn: number;
  /** That of its creation: feeds are in this order. */
  readonly created: number;
}

export interface StubContainer {
  readonly rid: string;
  text: Buffer;
  readonly documents: Map<string, StubDocument>;
  readonly scripts: Map<string, Map<string, Buffer>>;
  /** Partitions by the first byte of the hashed key: `[from, to)`; split ones are replaced by their halves. */
  ranges: { readonly id: number; readonly from: number; readonly to: number }[];
  lsn: number;
  throughput: object | undefined;
}

export interface StubDatabase {
  readonly rid: string;
  readonly containers: Map<string, StubContainer>;
  throughput: object | undefined;
}

const hex = (value: number): string => (value === 0 ? "" : value === 256 ? "FF" : value.toString(16).toUpperCase().padStart(2, "0"));

export const rangeText = ({ id, from, to }: StubContainer["ranges"][number], of: number): object => ({
  id: String(id),
  minInclusive: hex(from),
  maxExclusive: hex(to),
  throughputFraction: 1 / of,
  status: "online",
});

export const rangeOfKey = (container: StubContainer, partitionKey: string): number => {
  const byte = createHash("sha256").update(partitionKey).digest()[0]!;
  return container.ranges.find(({ from, to }) => byte >= from && byte < to)!.id;
};

export const newContainer = (rid: string, text: Buffer, partitions: number, throughput: object | undefined): StubContainer => ({
  rid,
  text,
  documents: new Map(),
  scripts: new Map(),
  ranges: Array.from({ length: partitions }, (_, id) => ({
    id,
    from: Math.floor((256 * id) / partitions),
    to: Math.floor((256 * (id + 1)) / partitions),
  })),
  lsn: 0,
  throughput,
});

/** Splits a partition in two, as the server does when one is full: its id is gone, and documents lie in the halves. */
export function splitPartition(container: StubContainer, id: number): void {
  const at = container.ranges.findIndex((range) => range.id === id);
  const { from, to } = container.ranges[at]!;
  const next = Math.max(...container.ranges.map((range) => range.id)) + 1;
  const middle = (from + to) >> 1;
  container.ranges.splice(at, 1, { id: next, from, to: middle }, { id: next + 1, from: middle, to });
  for (const [key, document] of container.documents)
    if (document.range === id) container.documents.set(key, { ...document, range: rangeOfKey(container, key.slice(0, key.indexOf("\n"))) });
}

/** Writes a document under its partition key and id; the server's own members are put behind its own. */
export function putDocument(
  container: StubContainer,
  body: Buffer,
  partitionKey: string,
  now: number,
): { created: boolean; document: StubDocument } {
  const own = membersOf(compact(body)).filter(({ name }) => !/^_(rid|self|etag|attachments|ts)$/.test(name));
  const id = memberOf(compact(body), "id")!.toString();
  const key = `${partitionKey}\n${id}`;
  const before = container.documents.get(key);
  container.lsn += 1;
  const system = Object.entries({
    _rid: `${container.rid}${container.lsn}`,
    _self: "dbs/x/",
    _etag: `"${container.lsn}"`,
    _attachments: "attachments/",
    _ts: Math.floor(now / 1_000),
  });
  const members = system.map(([name, value]) => ({ key: Buffer.from(JSON.stringify(name)), value: Buffer.from(JSON.stringify(value)) }));
  const document: StubDocument = {
    text: objectOf([...own, ...members]),
    range: rangeOfKey(container, partitionKey),
    lsn: container.lsn,
    created: before?.created ?? container.lsn,
  };
  // The order of a feed is that of creation; a replaced document keeps its place.
  container.documents.set(key, document);
  return { created: before === undefined, document };
}

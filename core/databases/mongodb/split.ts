import { BSON, type Document } from "mongodb";
import type { Connection } from "./connection.ts";

/**
 * Filters that cover every document exactly once, whatever types its ids are of: comparisons match only within the
 * boundaries' own type, so the first part takes all that is not at or above the first boundary, ids of other types included.
 * Boundaries must be distinct, of one type, and in ascending order.
 */
export function rangeFilters(boundaries: readonly unknown[]): Document[] {
  return [
    { _id: { $not: { $gte: boundaries[0] } } },
    ...boundaries.map((from, index) =>
      index === boundaries.length - 1 ? { _id: { $gte: from } } : { _id: { $gte: from, $lt: boundaries[index + 1] } },
    ),
  ];
}

/**
 * At most `parts` - 1 boundaries that cut the sampled ids into even shares, ascending. Only ids that compare the same
 * on every server and under every collation are used (ObjectId, date, UUID and other binary, and finite integers);
 * samples of more than one such type give none, and the collection stays whole.
 */
export function boundariesOf(sample: readonly unknown[], parts: number): unknown[] {
  const keyed = sample.map((id) => ({ id, key: sortKey(id) }));
  const first = keyed[0]?.key;
  if (first === undefined || keyed.some(({ key }) => key === undefined || key.kind !== first.kind)) return [];
  const sorted = keyed
    .map(({ id, key }) => ({ id, text: key!.text }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .filter(({ text }, index, all) => text !== all[index - 1]?.text);
  const cuts = Math.min(parts, sorted.length) - 1;
  return Array.from({ length: Math.max(cuts, 0) }, (_, cut) => sorted[Math.floor(((cut + 1) * sorted.length) / (cuts + 1))]!.id);
}

/** A kind and a text that sorts as the server sorts ids of that kind; undefined for kinds that are not split. */
function sortKey(id: unknown): { kind: string; text: string } | undefined {
  if (id instanceof BSON.ObjectId) return { kind: "objectId", text: id.toHexString() };
  if (id instanceof Date) return { kind: "date", text: integerText(BigInt(id.getTime())) };
  if (id instanceof BSON.Int32) return { kind: "integer", text: integerText(BigInt(id.value)) };
  if (id instanceof BSON.Long) return { kind: "integer", text: integerText(id.toBigInt()) };
  // Binary sorts by length, subtype, then bytes: with the first two the same, by bytes.
  if (id instanceof BSON.Binary) return { kind: `binary ${id.sub_type} ${id.length()}`, text: Buffer.from(id.buffer).toString("hex") };
  return undefined;
}

const integerText = (value: bigint): string => (value + (1n << 64n)).toString().padStart(21, "0");

/**
 * Ids sampled at random; none where the server cannot sample. Not read under the snapshot: boundaries need not be exact.
 */
export async function sampleIds(connection: Connection, collection: string, size: number): Promise<unknown[]> {
  const pipeline = [{ $sample: { size } }, { $project: { _id: 1 } }];
  try {
    const cursor = connection.db
      .collection(collection)
      .aggregate(pipeline, { promoteValues: false, promoteBuffers: false, bsonRegExp: true });
    return (await cursor.toArray()).map((document) => document._id as unknown);
  } catch {
    return []; // one part then: slower, never wrong
  }
}

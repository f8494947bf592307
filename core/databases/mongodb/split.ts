import { BSON, type Document } from "mongodb";
import type { Connection } from "./connection.ts";
import { classOf, compareIds, type IdClass } from "./id-order.ts";

/**
 * Which ids a part holds; values are canonical Extended JSON. Comparisons match only within the boundary's own class, so `rest` is all
 * that is not at or above the first boundary of any class: ids of other types, NaN, and the low end of each class.
 */
export type IdRange = { readonly rest: readonly unknown[] } | { readonly from: unknown; readonly to: unknown };

/** Ranges that hold every id exactly once, whatever its type. Boundaries of one class must be ascending and distinct. */
export function rangesOf(boundaries: readonly unknown[]): IdRange[] {
  const groups = [...Map.groupBy(boundaries, classOf).values()].map((group) => group.map(toJson));
  return [
    { rest: groups.map(([first]) => first) },
    ...groups.flatMap((group) => group.map((from, index) => ({ from, to: group[index + 1] ?? null }))),
  ];
}

/** The boundaries that `rangesOf` was given. */
export const boundariesIn = (ranges: readonly IdRange[]): unknown[] =>
  ranges.flatMap((range) => ("rest" in range ? [] : [fromJson(range.from)]));

/** What `find` takes for a range. */
export function filterOf(range: IdRange): Document {
  if ("rest" in range) return { $nor: range.rest.map((first) => ({ _id: { $gte: fromJson(first) } })) };
  return { _id: { $gte: fromJson(range.from), ...(range.to === null ? {} : { $lt: fromJson(range.to) }) } };
}

/** The places, in `ranges`, of all ranges that may hold this id: one, unless this side cannot tell how the server orders it. */
export function placesOf(ranges: readonly IdRange[], id: unknown): number[] {
  const idClass = classOf(id);
  const rest = ranges.findIndex((range) => "rest" in range);
  let place = rest;
  const possible = [rest];
  let certain = true;
  ranges.forEach((range, index) => {
    if ("rest" in range || idClass === undefined) return;
    const from = fromJson(range.from);
    if (classOf(from) !== idClass) return;
    possible.push(index);
    const order = compareIds(id, from);
    if (order === undefined) certain = false;
    else if (order >= 0) place = index;
  });
  return certain ? [place] : possible;
}

/**
 * Boundaries that cut the sampled ids, which are in the server's order, into even shares: at most `parts` - 1. Where the order is not
 * what this side knows it must be, none.
 */
export function boundariesOf(sample: readonly unknown[], parts: number): unknown[] {
  const cuts = new Set(Array.from({ length: Math.max(parts - 1, 0) }, (_, cut) => Math.floor(((cut + 1) * sample.length) / parts)));
  const chosen = [...cuts].map((at) => sample[at]).filter((id) => classOf(id) !== undefined);
  return ascending(chosen) ?? [];
}

/**
 * Earlier boundaries, with further ones where a range has come to hold more than three times its share, so that ranges that did not grow stay
 * what they were and can be taken over. Begins anew where there are far too many by now.
 */
export function refinedBoundaries(earlier: readonly unknown[], sample: readonly unknown[], parts: number): unknown[] {
  if (earlier.length === 0 || earlier.length + 1 > 4 * parts) return boundariesOf(sample, parts);
  const ranges = rangesOf(earlier);
  const held = ranges.map((): unknown[] => []);
  for (const id of sample) {
    const places = placesOf(ranges, id);
    if (places.length === 1) held[places[0]!]!.push(id);
  }
  const share = sample.length / parts;
  const added = held.flatMap((ids) => (ids.length > 3 * share ? boundariesOf(ids, Math.round(ids.length / share)) : []));
  const all = [...earlier, ...added].map((id, index) => ({ id, index }));
  // What this side cannot compare was not placed above, so nothing was added to its class.
  all.sort((a, b) => (classOf(a.id) === classOf(b.id) ? (compareIds(a.id, b.id) ?? a.index - b.index) : a.index - b.index));
  const merged = [...Map.groupBy(all, ({ id }) => classOf(id)).values()].flatMap((group) => group.map(({ id }) => id));
  return ascending(merged) ?? [...earlier];
}

/** Without equal neighbors; undefined when they descend. */
function ascending(ids: readonly unknown[]): unknown[] | undefined {
  const last = new Map<IdClass | undefined, unknown>();
  const kept: unknown[] = [];
  for (const id of ids) {
    const before = last.get(classOf(id));
    const order = before === undefined ? 1 : compareIds(id, before);
    if (order !== undefined && order < 0) return undefined;
    if (order === 0 || (order === undefined && same(id, before))) continue;
    last.set(classOf(id), id);
    kept.push(id);
  }
  return kept;
}

const same = (a: unknown, b: unknown): boolean => Buffer.compare(BSON.serialize({ a }), BSON.serialize({ a: b })) === 0;
const exact = { relaxed: false } as const;
const toJson = (id: unknown): unknown => BSON.EJSON.serialize({ id }, exact).id;
const fromJson = (json: unknown): unknown => (BSON.EJSON.deserialize({ id: json } as Document, exact) as { id: unknown }).id;

/**
 * Ids sampled at random, in the server's order; none where the server cannot sample. Not read under the snapshot: boundaries need not be
 * exact. Ids that would come back from the plan as other bytes are left out.
 */
export async function sampleIds(connection: Connection, collection: string, size: number): Promise<unknown[]> {
  const pipeline = [{ $sample: { size } }, { $project: { _id: 1 } }, { $sort: { _id: 1 } }];
  try {
    const cursor = connection.db.collection(collection).aggregate(pipeline, { raw: true });
    return ((await cursor.toArray()) as unknown as Uint8Array[]).flatMap((bytes) => {
      const id = BSON.deserialize(bytes, { promoteValues: false, promoteBuffers: false, bsonRegExp: true })._id as unknown;
      return Buffer.compare(BSON.serialize({ _id: fromJson(toJson(id)) }), bytes) === 0 ? [id] : [];
    });
  } catch {
    return []; // one part then: slower, never wrong
  }
}

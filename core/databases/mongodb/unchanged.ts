import { MongoServerError, Timestamp } from "mongodb";
import type { EarlierContent } from "../engine.ts";
import { changesBetween } from "./change-stream.ts";
import { type Connection, connected } from "./connection.ts";
import { isUnreachable } from "./failures.ts";
import { type CollectionMark, primaryOf } from "./marks.ts";
import type { RowsSelector } from "./plan.ts";
import { majorityTime, partReadConcern, timeOf, timestampOf } from "./snapshot-read.ts";
import { filterOf, placesOf } from "./split.ts";

/**
 * How the server tells that a part's documents are what they were: its change stream since the earlier snapshot names no id of the part,
 * and there are as many documents as there were. The count is taken over the index of ids; it finds a server that has change streams
 * but withholds insertions and deletions. Withheld updates are found by the next full read.
 */

/** A hold's history lasts minutes, so that looking must not take as long as reading would. */
const patienceMs = 90_000;

/** Which parts are unchanged under the token. Where the server cannot tell, or no longer, none are. */
export async function findUnchanged(
  url: string,
  token: string,
  parts: readonly EarlierContent[],
  report: (done: number) => void,
  signal: AbortSignal,
): Promise<boolean[]> {
  return connected(url, signal, "asking what has changed", async (connection) => {
    const toAsk = parts.map((part, index) => ({ ...part, index })).filter(comparable);
    const unchanged = parts.map(() => false);
    let done = parts.length - toAsk.length;
    report(done);
    for (const part of await withoutChanges(connection, token, toAsk, signal)) {
      signal.throwIfAborted();
      unchanged[part.index] = await holdsAsMany(connection, token, part);
      report(++done);
    }
    return unchanged;
  });
}

type Asked = EarlierContent & { readonly index: number };

/** All that the mark stands for is as it was. */
const comparable = ({ stream, mark }: EarlierContent): boolean => {
  const [before, now] = [mark as CollectionMark, stream.mark as CollectionMark | undefined];
  if (now === undefined || before.server !== now.server || before.collection !== now.collection) return false;
  return timestampOf(before.time).lessThanOrEqual(timestampOf(now.time));
};

/** The parts that the change stream says nothing of. Nothing is kept but these: neither changes nor ids. */
async function withoutChanges(connection: Connection, token: string, parts: readonly Asked[], signal: AbortSignal): Promise<Asked[]> {
  const end = await endOf(connection, token, parts);
  const times = parts.map(({ mark }) => timestampOf((mark as CollectionMark).time));
  const [earliest] = times.sort((a, b) => a.compare(b));
  if (end === undefined || earliest === undefined) return [];
  const left = Map.groupBy(parts, ({ stream }) => stream.name);
  const enough = AbortSignal.timeout(patienceMs);
  try {
    if (earliest.lessThan(end))
      for await (const { collection, id, whole } of changesBetween(connection, earliest, end, AbortSignal.any([signal, enough]))) {
        if (collection === undefined) return [];
        const of = left.get(collection);
        if (of === undefined) continue;
        const kept = whole ? [] : of.filter((part) => !mayHold(part, id));
        if (kept.length > 0) left.set(collection, kept);
        else left.delete(collection);
        if (left.size === 0) return [];
      }
  } catch (error) {
    signal.throwIfAborted();
    // No change streams, no permission for them, or a history that no longer reaches back: then everything is read.
    if (enough.aborted || (error instanceof MongoServerError && !isUnreachable(error))) return [];
    throw error;
  }
  // The history was that of the very process that the marks name.
  const server = await primaryOf(connection);
  return [...left.values()].flat().filter(({ mark }) => (mark as CollectionMark).server === server);
}

/**
 * Up to when nothing may have changed: the time that everything is read at. What is read as it is then may have changed since the hold
 * began, so that it is looked at up to now.
 */
async function endOf(connection: Connection, token: string, parts: readonly Asked[]): Promise<Timestamp | undefined> {
  const until = timeOf(token);
  const outside = parts.map(({ part }) => part.selector as RowsSelector).find(({ snapshot }) => !snapshot);
  if (outside === undefined) return until === undefined ? undefined : timestampOf(until);
  const now = await majorityTime(connection, outside.collection);
  return now instanceof Timestamp ? now : undefined;
}

/** The part's own range is among all of its stream's, since where an id belongs depends on the boundaries beside it. */
const mayHold = ({ stream, part }: Asked, id: unknown): boolean => {
  const { range } = part.selector as RowsSelector;
  if (range === null) return true;
  const places = placesOf(
    stream.parts.flatMap(({ selector }) => (selector as RowsSelector).range ?? []),
    id,
  );
  return places.some((place) => stream.parts[place] === part);
};

async function holdsAsMany(connection: Connection, token: string, { part, rows }: Asked): Promise<boolean> {
  const { collection, range, snapshot } = part.selector as RowsSelector;
  const readConcern = partReadConcern(token, snapshot);
  const pipeline = [...(range === null ? [] : [{ $match: filterOf(range) }]), { $count: "rows" }];
  const command = { aggregate: collection, pipeline, cursor: {}, ...(readConcern === undefined ? {} : { readConcern }) };
  const { cursor } = await connection.ask(command);
  return Number(cursor?.firstBatch?.[0]?.rows ?? 0) === rows;
}

import { type Document, Long, Timestamp } from "mongodb";
import type { Connection } from "./connection.ts";

/** One change: of a document, or `undefined` for what concerns the whole collection (drop, rename); no collection for the whole database. */
export interface Change {
  readonly collection: string | undefined;
  readonly id: unknown;
  readonly whole: boolean;
}

interface CursorOfChanges {
  readonly id: unknown;
  readonly firstBatch?: Document[];
  readonly nextBatch?: Document[];
  readonly postBatchResumeToken?: { readonly _data?: unknown };
}

const awaitMs = 100;
const documentChanges = new Set(["insert", "update", "replace", "delete"]);

/**
 * The changes of the database after `after`, up to `until` or somewhat later; only names and ids travel. Ends once the server shows that
 * there are none left up to `until`; throws its error where it has no such stream or the history no longer reaches back.
 */
export async function* changesBetween(
  connection: Connection,
  after: Timestamp,
  until: Timestamp,
  signal: AbortSignal,
): AsyncGenerator<Change, void> {
  const { db, client } = connection;
  const session = client.startSession({ causalConsistency: false });
  const options = { promoteValues: false, promoteBuffers: false, bsonRegExp: true, signal, session } as const;
  const startAtOperationTime = new Timestamp(BigInt.asUintN(64, after.toBigInt()) + 1n);
  const pipeline = [
    { $changeStream: { startAtOperationTime } },
    { $project: { operationType: 1, clusterTime: 1, ns: 1, to: 1, "documentKey._id": 1 } },
  ];
  let open = 0n;
  try {
    let reply = await connection.run({ aggregate: 1, pipeline, cursor: {}, readConcern: { level: "majority" } }, options);
    // Whether this batch was asked for when `until` was history already.
    let reached = false;
    while (true) {
      const { id, firstBatch, nextBatch, postBatchResumeToken } = reply.cursor as CursorOfChanges;
      open = BigInt(String(id));
      const batch = firstBatch ?? nextBatch ?? [];
      let beyond = false;
      for (const event of batch) {
        yield* changesOf(event);
        beyond ||= event.clusterTime instanceof Timestamp && event.clusterTime.greaterThan(until);
      }
      const seen = timeOfToken(postBatchResumeToken, after);
      if (beyond || seen?.greaterThan(until)) return;
      // An empty batch alone may only say that looking took too long. Where the server does not say how far it looked, it is all there is.
      if (reached && batch.length === 0 && (seen === undefined || seen.equals(until))) return;
      // Only an invalidation closes it: the database is gone.
      if (open === 0n) return yield { collection: undefined, id: undefined, whole: true };
      const { operationTime } = reply;
      reached = operationTime instanceof Timestamp && operationTime.greaterThanOrEqual(until);
      reply = await connection.run({ getMore: Long.fromBigInt(open), collection: "$cmd.aggregate", maxTimeMS: awaitMs }, options);
    }
  } finally {
    if (open !== 0n)
      await db.command({ killCursors: "$cmd.aggregate", cursors: [Long.fromBigInt(open)] }, { session }).catch(() => undefined);
    await session.endSession().catch(() => undefined);
  }
}

/**
 * How far the server has looked, whether or not it found anything: MongoDB's resume tokens begin with the time, as 0x82 and 8 bytes
 * (a `KeyString` of a timestamp). Undefined for tokens of others, which may look the same by chance but then tell a time before the start.
 */
function timeOfToken(token: { readonly _data?: unknown } | undefined, start: Timestamp): Timestamp | undefined {
  const [, seconds, increment] = /^82([0-9a-f]{8})([0-9a-f]{8})/i.exec(String(token?._data)) ?? [];
  if (seconds === undefined || increment === undefined) return undefined;
  const time = new Timestamp({ t: Number.parseInt(seconds, 16), i: Number.parseInt(increment, 16) });
  return time.lessThan(start) ? undefined : time;
}

function* changesOf({ operationType, ns, to, documentKey }: Document): Generator<Change> {
  const whole = !documentChanges.has(String(operationType)) || documentKey?._id === undefined;
  yield { collection: ns?.coll, id: documentKey?._id, whole };
  if (to?.coll !== undefined) yield { collection: to.coll, id: undefined, whole: true };
}

import { type Document, Long, Timestamp } from "mongodb";
import type { Connection } from "./connection.ts";

/** One change: of a document, or `undefined` for what concerns the whole collection (drop, rename); no collection for the whole database. */
export interface Change {
  readonly collection: string | undefined;
  readonly id: unknown;
  readonly whole: boolean;
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
    // An empty batch says that the server saw the end of its history. Only one that was asked for when `until` was history already says
    // that nothing up to it is left.
    let reached = false;
    while (true) {
      const { id, firstBatch, nextBatch } = reply.cursor as { id: unknown; firstBatch?: Document[]; nextBatch?: Document[] };
      open = BigInt(String(id));
      const batch = firstBatch ?? nextBatch ?? [];
      let beyond = false;
      for (const event of batch) {
        yield* changesOf(event);
        beyond ||= event.clusterTime instanceof Timestamp && event.clusterTime.greaterThan(until);
      }
      if (beyond || (reached && batch.length === 0)) return;
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

function* changesOf({ operationType, ns, to, documentKey }: Document): Generator<Change> {
  const whole = !documentChanges.has(String(operationType)) || documentKey?._id === undefined;
  yield { collection: ns?.coll, id: documentKey?._id, whole };
  if (to?.coll !== undefined) yield { collection: to.coll, id: undefined, whole: true };
}

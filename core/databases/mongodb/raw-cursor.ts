import { type ClientSession, type Document, Long } from "mongodb";
import type { Connection } from "./connection.ts";
import { type CursorReply, documentBlocks, parseCursorReply } from "./cursor-reply.ts";
import { patiently } from "./throttling.ts";

const blockBytes = 1 << 20;
const replyBytes = 4 << 20;
const maxBatch = 100_000;
const killWithinMs = 2_000;

export interface RawFind {
  readonly collection: string;
  readonly filter?: Document;
  readonly readConcern?: Document;
  /** How large a document is on average, as far as known: sizes the first batch. */
  readonly averageBytes?: number;
}

const batchFor = (averageBytes: number): number => Math.max(1, Math.min(maxBatch, Math.floor(replyBytes / Math.max(averageBytes, 16))));

/**
 * Every document that `find` gives, as the server's very bytes, in blocks that are valid until the next is asked for.
 * Memory: two replies of about 4 MB (one being read while the server fills the next; a server may exceed that for
 * documents of uneven size, to 16 MB) and one block. The cursor is killed on the server however the reading ends.
 */
export async function* findRaw(connection: Connection, find: RawFind, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const command: Document = {
    find: find.collection,
    ...(find.filter === undefined ? {} : { filter: find.filter }),
    batchSize: Math.min(1_000, batchFor(find.averageBytes ?? 4_096)),
    ...(find.readConcern === undefined ? {} : { readConcern: find.readConcern }),
  };
  const { client, hello } = connection;
  const pinned = hello.msg === "isdbgrid" || client.options.loadBalanced || client.readPreference.mode !== "primary";
  if (pinned) yield* throughDriver(connection, command, signal);
  else yield* direct(connection, command, find.collection, signal);
}

/** To one server: the primary, or the only one. A cursor belongs to the session that it was opened in. */
async function* direct(
  connection: Connection,
  command: Document,
  collection: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { client, db } = connection;
  const session: ClientSession | undefined = connection.hello.logicalSessionTimeoutMinutes
    ? client.startSession({ causalConsistency: false })
    : undefined;
  const options = { raw: true, signal, ...(session === undefined ? {} : { session }) };
  const ask = async (request: Document): Promise<Buffer> => asBuffer((await connection.run(request, options)).cursor as Uint8Array);
  const block = Buffer.allocUnsafe(blockBytes);
  let batchSize = command.batchSize as number;
  let open = 0n;
  let next: Promise<Buffer> | undefined;
  try {
    let reply = await ask(command);
    while (true) {
      const batch = parseCursorReply(reply);
      open = batch.id;
      if (open !== 0n) {
        // Not every server bounds a reply by bytes, so a run of small documents must not ask for very many of what may be large ones.
        batchSize = Math.min(batchFor(averageOf(reply, batch)), batchSize * 4);
        next = ask({ getMore: Long.fromBigInt(open), collection, batchSize });
        // It may fail while the consumer is busy with the blocks before it; it is awaited below.
        next.catch(() => undefined);
      }
      yield* documentBlocks(reply, batch, block);
      signal.throwIfAborted();
      if (next === undefined) return;
      reply = await next;
      next = undefined;
    }
  } finally {
    if (next !== undefined) {
      const last = await next.catch(() => undefined);
      if (last !== undefined) open = parseCursorReply(last).id;
    }
    if (open !== 0n) {
      const kill = { killCursors: collection, cursors: [Long.fromBigInt(open)] };
      // A server that is gone took the cursor along; one that is slow forgets it after ten minutes by itself.
      const soon = { signal: AbortSignal.timeout(killWithinMs) };
      await db.command(kill, session === undefined ? soon : { ...soon, session }).catch(() => undefined);
    }
    await session?.endSession().catch(() => undefined);
  }
}

/** Behind routers or a load balancer, and where others than the primary are read, a cursor is pinned to where it was opened, which only the driver's own cursors can do. */
async function* throughDriver(connection: Connection, command: Document, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const cursor = connection.db.runCursorCommand(command, { raw: true, readPreference: connection.client.readPreference });
  const block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= cursor.close().catch(() => undefined));
  const closeOnAbort = (): void => void close();
  signal.addEventListener("abort", closeOnAbort, { once: true });
  try {
    while (await patiently(signal, () => cursor.hasNext())) {
      for (const document of cursor.readBufferedDocuments() as unknown as Uint8Array[]) {
        if (filled + document.length > block.length && filled > 0) {
          yield block.subarray(0, filled);
          filled = 0;
        }
        if (document.length > block.length) yield document;
        else {
          block.set(document, filled);
          filled += document.length;
        }
      }
      if (filled > 0) yield block.subarray(0, filled);
      filled = 0;
      signal.throwIfAborted();
    }
  } finally {
    signal.removeEventListener("abort", closeOnAbort);
    await close();
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The size of a batch's documents on average. */
function averageOf(reply: Buffer, batch: CursorReply): number {
  let at = batch.start;
  let documents = 0;
  while (at < batch.end) {
    at = reply.indexOf(0, at + 1) + 1;
    at += reply.readInt32LE(at);
    documents += 1;
  }
  return (batch.end - batch.start) / Math.max(documents, 1);
}

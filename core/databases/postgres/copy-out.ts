import { Failure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { type CopyError, toFailure } from "./failures.ts";
import type { Session } from "./session.ts";
import { headerBytes, messageTypes, parseError, queryMessage, tapSocket } from "./wire.ts";

const blockBytes = 512 << 10;
/** A piece of so many bytes goes on as it came: gathering is for small ones. */
const largeBytes = 128 << 10;

/**
 * The payload of `COPY … TO STDOUT` in blocks of up to 512 KiB, each valid only until the next is asked for. The server sends one
 * message per row; headers are squeezed out in place, so a row costs one `copyWithin` and a chunk one copy into the block.
 * Backpressure reaches the server: nobody asks, the socket pauses. A consumer that stops early, or the session's signal, abandons
 * the session; otherwise it can be used again afterwards.
 */
export async function* copyOut(
  session: Session,
  sql: string,
  signal: AbortSignal,
  doing: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted();
  const tap = tapSocket(session);
  const parser = createCopyParser();
  let block: Uint8Array | undefined;
  let filled = 0;
  try {
    tap.socket.write(queryMessage(sql));
    while (!parser.ready) {
      const chunk = tap.take();
      if (chunk === undefined) {
        if (tap.closed) break;
        await tap.arrival();
        continue;
      }
      let payload = chunk.subarray(0, parser.squeeze(chunk));
      if (parser.ready && filled === 0) {
        if (parser.error === undefined && payload.length > 0) yield payload; // a small table needs no block
        continue;
      }
      if (filled === 0 && payload.length >= largeBytes) {
        yield payload;
        continue;
      }
      block ??= new Uint8Array(blockBytes);
      while (filled + payload.length >= blockBytes) {
        block.set(payload.subarray(0, blockBytes - filled), filled);
        payload = payload.subarray(blockBytes - filled);
        filled = 0;
        yield block;
      }
      block.set(payload, filled);
      filled += payload.length;
    }
    signal.throwIfAborted();
    if (parser.error !== undefined) throw toFailure(parser.error, session.address, session.purpose, doing);
    if (!parser.ready)
      throw new Failure("DatabaseUnreachable", `${describe(session.address)}: ${doing}: the connection ended in the middle of the data`);
    if (block !== undefined && filled > 0) yield block.subarray(0, filled);
  } finally {
    if (parser.ready) tap.release();
    else session.abandon();
  }
}

interface CopyParser {
  /** Moves the rows' bytes in `chunk` to its beginning, and returns how many they are. */
  squeeze(chunk: Buffer): number;
  /** The server is done with the command, well or not. */
  readonly ready: boolean;
  readonly error: CopyError | undefined;
}

/** Exported for its tests: messages may be cut anywhere. */
export const createCopyParser = (): CopyParser => {
  let rowLeft = 0; // bytes of the current CopyData that are still to come
  const pending = Buffer.alloc(headerBytes);
  let pendingBytes = 0; // of a header that is not whole yet
  let body: Buffer | undefined; // of a message that is not CopyData
  let bodyBytes = 0;
  let bodyType = 0;
  let ready = false;
  let error: CopyError | undefined;

  const begin = (type: number, length: number): void => {
    if (type === messageTypes.copyData) {
      rowLeft = length - 4;
      return;
    }
    body = Buffer.alloc(length - 4);
    bodyBytes = 0;
    bodyType = type;
    finishBody();
  };
  const finishBody = (): void => {
    if (body === undefined || bodyBytes < body.length) return;
    if (bodyType === messageTypes.error) error ??= parseError(body);
    if (bodyType === messageTypes.readyForQuery) ready = true;
    body = undefined;
  };

  const squeeze = (chunk: Buffer): number => {
    const end = chunk.length;
    let from = 0;
    let to = 0;
    while (from < end) {
      if (rowLeft > 0) {
        const size = Math.min(rowLeft, end - from);
        if (from !== to) chunk.copyWithin(to, from, from + size);
        from += size;
        to += size;
        rowLeft -= size;
      } else if (body !== undefined) {
        const size = Math.min(body.length - bodyBytes, end - from);
        chunk.copy(body, bodyBytes, from, from + size);
        from += size;
        bodyBytes += size;
        finishBody();
      } else if (pendingBytes === 0 && end - from >= headerBytes) {
        const length = (chunk[from + 1]! << 24) | (chunk[from + 2]! << 16) | (chunk[from + 3]! << 8) | chunk[from + 4]!;
        begin(chunk[from]!, length);
        from += headerBytes;
      } else {
        pending[pendingBytes] = chunk[from]!;
        pendingBytes += 1;
        from += 1;
        if (pendingBytes < headerBytes) continue;
        pendingBytes = 0;
        begin(pending[0]!, pending.readInt32BE(1));
      }
    }
    return to;
  };
  return {
    squeeze,
    get ready() {
      return ready;
    },
    get error() {
      return error;
    },
  };
};

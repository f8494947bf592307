import type { Socket } from "node:net";
import { CopyError } from "./failures.ts";
import { divert } from "./plain-socket.ts";
import { type Session, socketOf } from "./session.ts";

/**
 * The frontend/backend protocol, as far as COPY needs it: https://www.postgresql.org/docs/18/protocol-message-formats.html.
 * A message is a type byte, an int32 length that counts itself but not the type, and a body.
 */
export const headerBytes = 5;

export const messageTypes = {
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  query: 0x51, // Q
  error: 0x45, // E
  copyInResponse: 0x47, // G
  readyForQuery: 0x5a, // Z
} as const;

export const message = (type: number, body: Uint8Array): Buffer => {
  const bytes = Buffer.allocUnsafe(headerBytes + body.length);
  bytes[0] = type;
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.set(body, headerBytes);
  return bytes;
};

export const queryMessage = (sql: string): Buffer => message(messageTypes.query, Buffer.from(`${sql}\0`, "utf8"));

/** The error that an ErrorResponse's body holds: fields of a type byte and a zero-terminated string. */
export const parseError = (body: Uint8Array): CopyError => {
  const fields = new Map<string, string>();
  for (let start = 0; start < body.length && body[start] !== 0; ) {
    const end = body.indexOf(0, start + 1);
    if (end < 0) break;
    fields.set(String.fromCharCode(body[start]!), Buffer.from(body.subarray(start + 1, end)).toString("utf8"));
    start = end + 1;
  }
  return new CopyError(fields.get("C") ?? "XX000", fields.get("M") ?? "unknown error", fields.get("V") ?? "ERROR");
};

/** How much may wait in memory, in bytes, before the socket is paused and the server feels it. */
const waitingLimit = 1 << 20;

/** The bytes of a session's socket, for as long as `pg` does not get them. */
export interface Tap {
  readonly socket: Socket;
  /** The next chunk, if one is there, valid until the next is taken. The taker may overwrite it. */
  take(): Buffer | undefined;
  /** Resolves when `take` has something, or the socket has closed. */
  arrival(): Promise<void>;
  readonly closed: boolean;
  /** Gives the socket back to `pg`. Only after ReadyForQuery, with nothing left to take. */
  release(): void;
}

/** Takes the socket of an idle session over from `pg`, whose client makes one event of every row. */
export const tapSocket = (session: Session): Tap => {
  const socket = socketOf(session.client);
  const chunks: Buffer[] = [];
  let waiting = 0;
  let closed = false;
  // A destroyed socket says so a turn of the event loop later, for which a loop that never waits would wait for ever.
  const isClosed = (): boolean => closed || socket.destroyed;
  let wake: (() => void) | undefined;
  const alarm = (): void => {
    wake?.();
    wake = undefined;
  };
  const diverted = divert(socket, (bytes) => {
    chunks.push(bytes);
    alarm();
    return chunks.length < 2;
  });
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    waiting += chunk.length;
    if (waiting >= waitingLimit) socket.pause();
    alarm();
  };
  const onClose = (): void => {
    closed = true;
    alarm();
  };
  const others = diverted ? [] : (socket.listeners("data") as ((chunk: Buffer) => void)[]);
  for (const listener of others) socket.removeListener("data", listener);
  if (!diverted) socket.on("data", onData);
  socket.on("close", onClose);
  return {
    socket,
    take: () => {
      const chunk = chunks.shift();
      if (chunk === undefined) return undefined;
      if (!diverted) waiting -= chunk.length;
      if (diverted || (waiting < waitingLimit / 2 && socket.isPaused())) socket.resume();
      return chunk;
    },
    arrival: () => {
      if (chunks.length > 0 || isClosed()) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      return promise;
    },
    get closed() {
      return isClosed();
    },
    release: () => {
      divert(socket, undefined);
      socket.removeListener("data", onData);
      socket.removeListener("close", onClose);
      for (const listener of others) socket.on("data", listener);
      socket.resume();
    },
  };
};

/** Puts messages together that are not rows: answers, notices, errors. They are small, but may be cut anywhere. */
export const createMessageReader = (onMessage: (type: number, body: Uint8Array) => void): ((bytes: Uint8Array) => void) => {
  let pending = Buffer.alloc(0);
  return (bytes) => {
    pending = pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([pending, bytes]);
    let at = 0;
    while (pending.length - at >= headerBytes) {
      const size = 1 + pending.readInt32BE(at + 1);
      if (pending.length - at < size) break;
      onMessage(pending[at]!, pending.subarray(at + headerBytes, at + size));
      at += size;
    }
    pending = pending.subarray(at);
  };
};

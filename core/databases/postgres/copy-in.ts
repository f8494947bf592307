import { Failure } from "../../domain/failure.ts";
import { describe } from "./address.ts";
import { type CopyError, toFailure } from "./failures.ts";
import type { Session } from "./session.ts";
import { createMessageReader, headerBytes, message, messageTypes, parseError, queryMessage, type Tap, tapSocket } from "./wire.ts";

const frameBytes = 256 << 10;

/**
 * Feeds `content` to `COPY … FROM STDIN`: all of it or, when anything fails, nothing. Rows may be cut anywhere between blocks. Each
 * block is copied before the next is asked for, and no more than two frames wait for the socket. Throws a `Failure`, or what
 * `content` throws, or the signal's reason.
 */
export const copyIn = async (
  session: Session,
  sql: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  doing: string,
): Promise<void> => {
  signal.throwIfAborted();
  const tap = tapSocket(session);
  const answer = listen(tap);
  let contentError: { error: unknown } | undefined;
  try {
    tap.socket.write(queryMessage(sql));
    await answer.until(() => answer.started);
    if (answer.started && !answer.ready) {
      const sender = createSender(tap);
      try {
        for await (const block of content) {
          if (answer.error !== undefined || tap.closed) break;
          await sender.send(block);
        }
        await sender.finish();
      } catch (error) {
        contentError = { error };
      }
      // After an error of its own the server has left COPY already, and ignores what of it still comes.
      tap.socket.write(
        contentError === undefined
          ? message(messageTypes.copyDone, Buffer.alloc(0))
          : message(messageTypes.copyFail, Buffer.from("content failed\0")),
      );
      await answer.until(() => false);
    }
    signal.throwIfAborted();
    if (contentError !== undefined) throw contentError.error;
    if (answer.error !== undefined) throw toFailure(answer.error, session.address, session.purpose, doing);
    if (!answer.ready)
      throw new Failure("DatabaseUnreachable", `${describe(session.address)}: ${doing}: the connection ended in the middle of the data`);
  } finally {
    answer.stop();
    if (answer.ready) tap.release();
    else session.abandon();
  }
};

interface Answer {
  readonly started: boolean;
  readonly ready: boolean;
  readonly error: CopyError | undefined;
  /** Resolves when `condition` holds, the command has ended, or the socket has closed. */
  until(condition: () => boolean): Promise<void>;
  stop(): void;
}

/** Reads what the server says while data flows the other way: it may refuse a row at any moment. */
const listen = (tap: Tap): Answer => {
  const state = { started: false, ready: false, error: undefined as CopyError | undefined };
  let stopped = false;
  let wake = Promise.withResolvers<void>();
  const read = createMessageReader((type, body) => {
    if (type === messageTypes.copyInResponse) state.started = true;
    if (type === messageTypes.error) state.error ??= parseError(body);
    if (type === messageTypes.readyForQuery) state.ready = true;
  });
  const pump = async (): Promise<void> => {
    while (!state.ready && !stopped) {
      const chunk = tap.take();
      if (chunk !== undefined) read(chunk);
      else if (tap.closed) break;
      else await tap.arrival();
      wake.resolve();
      wake = Promise.withResolvers();
    }
    wake.resolve();
  };
  const pumping = pump();
  return {
    get started() {
      return state.started;
    },
    get ready() {
      return state.ready;
    },
    get error() {
      return state.error;
    },
    until: async (condition) => {
      while (!condition() && !state.ready && !tap.closed) await Promise.race([wake.promise, pumping]);
    },
    stop: () => {
      stopped = true;
    },
  };
};

interface Sender {
  send(block: Uint8Array): Promise<void>;
  finish(): Promise<void>;
}

/** Two frames in turn: one is filled while the socket still has the other. */
const createSender = (tap: Tap): Sender => {
  const newFrame = () => ({ bytes: Buffer.allocUnsafeSlow(headerBytes + frameBytes), written: Promise.resolve() });
  const frames = [newFrame(), newFrame()] as const;
  let current = 0;
  let filled = 0;
  const flush = async (): Promise<void> => {
    if (filled === 0) return;
    const frame = frames[current % 2]!;
    frame.bytes[0] = messageTypes.copyData;
    frame.bytes.writeInt32BE(4 + filled, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    // An error of the socket is seen by whoever waits for the answer: here it only matters that the buffer is free again.
    tap.socket.write(frame.bytes.subarray(0, headerBytes + filled), () => resolve());
    frame.written = promise;
    current += 1;
    filled = 0;
    await frames[current % 2]!.written;
  };
  return {
    send: async (block) => {
      for (let at = 0; at < block.length; ) {
        const size = Math.min(block.length - at, frameBytes - filled);
        frames[current % 2]!.bytes.set(block.subarray(at, at + size), headerBytes + filled);
        filled += size;
        at += size;
        if (filled === frameBytes) await flush();
      }
    },
    finish: flush,
  };
};

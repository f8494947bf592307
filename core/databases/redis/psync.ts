import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ErrorReply } from "@redis/client";
import { Failure, isFailure } from "../../domain/failure.ts";
import type { Address } from "./address.ts";

/** A server that streams its RDB as to a replica, as it was at one moment. */
export interface Replication {
  /** The RDB's bytes. `HoldLost` when the connection ends before they do. */
  readonly rdb: AsyncIterator<Buffer>;
  close(): void;
}

const connectTimeoutMs = 10_000;
/** A primary sends a newline every few seconds while it prepares. It counts only while somebody waits for what comes. */
const silenceMs = 120_000;
/**
 * While nobody reads, so much is read ahead so often, up to a limit: a server gives up a replica that takes nothing for `repl-timeout`
 * (60 s), and can write on only once a good part of what the sockets hold is gone.
 */
const readAhead = { everyMs: 4_000, bytes: 1 << 20, atMost: 96 << 20 } as const;
const markerBytes = 40;
/** Whose RDB (`newestRdb.valkey`) is understood here. */
const newestValkey = "9.1.0";

/** Asks for a full synchronization. Error replies are thrown as `ErrorReply`. */
export const openReplication = async (address: Address, signal: AbortSignal): Promise<Replication> => {
  const link = await openLink(address, signal);
  try {
    await greet(link, address);
    // Servers from 7.0 on then keep no backlog for this connection, and close it after the RDB.
    await link.ask("REPLCONF", "rdb-only", "1").catch(onlyErrorReply);
    // Valkey writes the RDB that the replica's version can read; Redis does not know the word.
    await link.ask("REPLCONF", "version", newestValkey).catch(onlyErrorReply);
    await link.ask("REPLCONF", "capa", "eof", "capa", "psync2");
    const answer = await link.ask("PSYNC", "?", "-1");
    if (!answer.startsWith("FULLRESYNC"))
      throw new Failure("EngineUnsupported", `the server answered PSYNC with ${JSON.stringify(answer.slice(0, 40))}`);
    const announced = await link.line();
    const size = /^\$(\d+)$/.exec(announced);
    const marker = new RegExp(`^\\$EOF:(.{${markerBytes}})$`).exec(announced);
    if (announced.startsWith("-")) throw new ErrorReply(announced.slice(1));
    if (size === null && marker === null) throw new Failure("EngineUnsupported", "the server announced its RDB in an unknown way");
    const rdb = size === null ? untilMarker(link, Buffer.from(marker![1]!, "latin1")) : exactly(link, Number(size[1]));
    return { rdb, close: link.close };
  } catch (error) {
    link.close();
    throw error;
  }
};

/** Whether the server would give this user its RDB. Nothing is prepared: the offset is no number, which it says once the user's permission is checked. */
export const mayReplicate = async (address: Address, signal: AbortSignal): Promise<boolean> => {
  const link = await openLink(address, signal);
  try {
    await greet(link, address);
    await link.ask("REPLCONF", "capa", "eof", "capa", "psync2");
    return /^FULLRESYNC|^CONTINUE/.test(await link.ask("PSYNC", "?", "none"));
  } catch (error) {
    // Proxies of managed servers close the connection rather than say no.
    if (isFailure(error, "HoldLost")) return false;
    if (!(error instanceof ErrorReply)) throw error;
    return /not an integer/i.test(error.message);
  } finally {
    link.close();
  }
};

interface Link {
  /** Bytes that came and were not taken. */
  rest: Buffer;
  next(): Promise<Buffer>;
  line(): Promise<string>;
  ask(...command: readonly string[]): Promise<string>;
  close(): void;
}

const onlyErrorReply = (error: unknown): void => {
  if (!(error instanceof ErrorReply)) throw error;
};

const greet = async (link: Link, { username, password }: Address): Promise<void> => {
  if (password !== undefined) await link.ask("AUTH", ...(username === undefined ? [] : [username]), password);
  await link.ask("PING");
};

const openLink = async (address: Address, signal: AbortSignal): Promise<Link> => {
  signal.throwIfAborted();
  const { host, port } = address;
  const socket: Socket = address.tls ? connectTls({ host, port, servername: host }) : connectPlain({ host, port });
  const abort = (): void => void socket.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener("abort", abort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const close = (): void => {
    signal.removeEventListener("abort", abort);
    clearInterval(timer);
    socket.destroy();
  };
  socket.on("error", () => undefined); // told to whoever reads
  socket.setTimeout(connectTimeoutMs, () => socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
  try {
    await once(socket, address.tls ? "secureConnect" : "connect");
  } catch (error) {
    close();
    signal.throwIfAborted();
    throw error;
  }
  socket.setTimeout(0);
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const ahead: Promise<IteratorResult<Buffer>>[] = [];
  let aheadBytes = 0;
  let waiting = false;
  const readSome = async (): Promise<void> => {
    for (const until = aheadBytes + readAhead.bytes; !waiting && aheadBytes < Math.min(until, readAhead.atMost); ) {
      const chunk = chunks.next();
      ahead.push(chunk);
      const { value, done } = await chunk;
      if (done === true) return;
      aheadBytes += value.length;
    }
  };
  let busy = false;
  timer = setInterval(() => {
    if (busy) return;
    busy = true;
    // Errors are told to whoever reads.
    void readSome()
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  }, readAhead.everyMs);
  timer.unref();
  const next = async (): Promise<Buffer> => {
    let result: IteratorResult<Buffer>;
    waiting = true;
    socket.setTimeout(silenceMs);
    try {
      const early = ahead.shift();
      result = await (early ?? chunks.next());
      if (early !== undefined && result.done !== true) aheadBytes -= result.value.length;
    } catch (cause) {
      signal.throwIfAborted();
      throw lost(address, cause);
    } finally {
      waiting = false;
      socket.setTimeout(0);
    }
    signal.throwIfAborted();
    if (result.done === true) throw lost(address);
    return result.value;
  };
  const link: Link = {
    rest: Buffer.alloc(0),
    next,
    line: async () => {
      for (;;) {
        // Empty lines say that the server is still there.
        while (link.rest[0] === 0x0a || link.rest[0] === 0x0d) link.rest = link.rest.subarray(1);
        const end = link.rest.indexOf("\n");
        if (end >= 0) {
          const line = link.rest.toString("latin1", 0, end).replace(/\r$/, "");
          link.rest = link.rest.subarray(end + 1);
          return line;
        }
        link.rest = Buffer.concat([link.rest, await next()]);
      }
    },
    ask: async (...command) => {
      const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
      socket.write(`*${command.length}\r\n${parts.join("")}`);
      const reply = await link.line();
      if (reply.startsWith("-")) throw new ErrorReply(reply.slice(1));
      return reply.slice(1);
    },
    close,
  };
  return link;
};

const lost = (address: Address, cause?: unknown): Failure =>
  new Failure("HoldLost", `Redis at ${address.label} closed the replication connection before its RDB was whole.`, { cause });

/** The RDB came from a file, so that its size is known. */
async function* exactly(link: Link, size: number): AsyncGenerator<Buffer, void> {
  for (let left = size; left > 0; ) {
    const chunk = link.rest.length > 0 ? link.rest : await link.next();
    link.rest = chunk.subarray(Math.min(left, chunk.length));
    const taken = chunk.subarray(0, Math.min(left, chunk.length));
    left -= taken.length;
    yield taken;
  }
}

/** The RDB came straight from memory: 40 random bytes announced before end it. */
async function* untilMarker(link: Link, marker: Buffer): AsyncGenerator<Buffer, void> {
  let held = link.rest;
  for (;;) {
    const at = held.indexOf(marker);
    if (at >= 0) {
      if (at > 0) yield held.subarray(0, at);
      return;
    }
    // The marker may be cut in two.
    const safe = held.length - markerBytes + 1;
    if (safe > 0) {
      yield held.subarray(0, safe);
      held = held.subarray(safe);
    }
    held = Buffer.concat([held, await link.next()]);
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, RESP_TYPES } from "@redis/client";
import type { Definition, Plan, Restoration, RestoreOptions, RowsStream } from "../../core/databases/engine.ts";
import { redis } from "../../core/databases/redis/redis.ts";
import type { RowDigest } from "../../core/domain/snapshot.ts";
import { rowDigestOf } from "../../core/repository/row-digest.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";

type Argument = string | Buffer;

/** A server of a test's own, without a password unless it is given one. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Sends one command; bulk strings are bytes. */
  call(...command: readonly Argument[]): Promise<unknown>;
  stop(): Promise<void>;
}

export type RedisProgram = "redis" | "redis6" | "valkey";

/** Wheels of other Redis versions are only pinned for this machine. */
export const otherServers = process.platform === "linux" && process.arch === "x64";

export const startRedis = async (program: RedisProgram = "redis", args: readonly string[] = []): Promise<RedisServer> => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-redis-"));
  const port = await freePort();
  const command = await findProgram(program, progressToStderr);
  const child = spawn(
    command,
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--repl-diskless-sync-delay", "0", ...args],
    {
      stdio: ["ignore", "ignore", "ignore"],
    },
  );
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    RESP: 2,
    disableClientInfo: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    socket: { reconnectStrategy: (tries) => (tries < 200 ? 25 : false) },
  });
  client.on("error", () => {});
  await client.connect();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    child,
    call: (...words) => client.sendCommand([...words]),
    stop: async () => {
      if (client.isOpen) client.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export const signal = new AbortController().signal;
const digestKey = new Uint8Array(32).fill(7);

export interface CapturedRedis {
  readonly plan: Plan;
  readonly consistency: string;
  readonly definitions: readonly Definition[];
  /** By stream. */
  readonly rows: ReadonlyMap<string, { readonly stream: RowsStream; readonly content: Buffer; readonly digest: RowDigest }>;
}

/** Everything that a backup would read. */
export const captureRedis = async (url: string): Promise<CapturedRedis> => {
  const hold = await redis.hold(url, signal);
  const plan = await redis.plan(url, hold.token, { partBytes: 1 << 26 }, signal);
  const definitions: Definition[] = [];
  const rows = new Map<string, { stream: RowsStream; content: Buffer; digest: RowDigest }>();
  for (const stream of plan.streams) {
    const blocks: Buffer[] = [];
    for (const part of stream.parts)
      for await (const block of redis.read(url, hold.token, stream, part, signal)) blocks.push(Buffer.from(block));
    const content = Buffer.concat(blocks);
    const { name, framing, target } = JSON.parse(JSON.stringify(stream)) as RowsStream;
    if (stream.kind === "definition") definitions.push({ name, target, content });
    else rows.set(name, { stream: { name, framing, target }, content, digest: await digestOf(content) });
  }
  await hold.close();
  return { plan, consistency: hold.consistency, definitions, rows };
};

export const digestOf = (content: Buffer): Promise<RowDigest> => rowDigestOf(inBlocks(content), "bson", digestKey);

/** In blocks that fit no record. */
export async function* inBlocks(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 65_521) yield Uint8Array.from(content.subarray(at, at + 65_521));
}

export interface RestoredRedis {
  readonly digest: RowDigest;
  readonly notes: readonly string[];
}

/** Restores, and reads back as a comparison does. */
export const restoreRedis = async (captured: CapturedRedis, url: string, options: Partial<RestoreOptions> = {}): Promise<RestoredRedis> => {
  const restoration: Restoration = await redis.restore(
    url,
    { replace: false, definitions: captured.definitions, parallelism: 2, ...options },
    signal,
  );
  try {
    await restoration.prepare();
    for (const { stream, content } of captured.rows.values()) await restoration.write(stream, inBlocks(content), "0");
    await restoration.finish();
    const { stream } = captured.rows.get("keys")!;
    const digest = await rowDigestOf(restoration.readBack(stream), "bson", digestKey);
    return { digest, notes: restoration.notes };
  } finally {
    await restoration.close();
  }
};

/** Every type, small and large enough for every encoding, odd names, expiries, in the logical database that is selected. */
export const fillUgly = async (server: RedisServer, { fields = true }: { fields?: boolean } = {}): Promise<void> => {
  const { call } = server;
  const later = Date.now() + 3_600_000;
  await call("SET", "string", "value");
  await call("SET", "empty", "");
  await call("SET", "integer", "-12345");
  await call("SET", "large integer", "9007199254740993");
  await call("SET", "compressible", "abc".repeat(5_000));
  await call("SET", "two megabytes, compressible", "0123456789".repeat(200_000));
  await call("SET", "two megabytes, random", randomBytes(2_000_000));
  await call("SET", Buffer.from([0, 255, 254, 10, 13, 34]), Buffer.from([0, 1, 2, 255]));
  await call("SET", "", "the empty key");
  await call("SET", "expiring", "x", "PX", String(3_600_123));
  await call("SETBIT", "bits", "100003", "1");
  await call("PFADD", "log log", ...Array.from({ length: 500 }, (_, n) => `item ${n}`));
  await call("RPUSH", "list", "a", "b", "1", "-7", "", "99999999999999999999");
  await call("RPUSH", "long list", ...Array.from({ length: 3_000 }, (_, n) => `element ${n} ${"x".repeat(n % 50)}`));
  await call("RPUSH", "list with large element", "small", "y".repeat(100_000), "z");
  await call("SADD", "integers", "1", "-2", "300000", "9000000000");
  await call("SADD", "set", "a", "b", "", "1");
  await call("SADD", "large set", ...Array.from({ length: 2_000 }, (_, n) => `member ${n}`));
  await call(
    "ZADD",
    "scores",
    "1",
    "a",
    "-1.5",
    "b",
    "inf",
    "c",
    "-inf",
    "d",
    "0.1",
    "e",
    "1e300",
    "f",
    "-0",
    "g",
    "3.0000000000000004",
    "h",
  );
  await call("ZADD", "large scores", ...Array.from({ length: 1_000 }, (_, n) => [String(n / 3), `m${n}`]).flat());
  await call("GEOADD", "places", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania");
  await call("HSET", "hash", "field", "value", "", "empty field", "number", "42", "empty value", "");
  await call("HSET", "large hash", ...Array.from({ length: 2_000 }, (_, n) => [`field ${n}`, `value ${n}`]).flat());
  if (fields) {
    await call("HSET", "expiring hash", "stays", "1", "goes", "2", "goes later", "3");
    await call("HPEXPIREAT", "expiring hash", String(later), "FIELDS", "1", "goes");
    await call("HPEXPIREAT", "expiring hash", String(later + 77_777), "FIELDS", "1", "goes later");
    await call("HSET", "large expiring hash", ...Array.from({ length: 1_000 }, (_, n) => [`field ${n}`, `value ${n}`]).flat());
    await call("HPEXPIREAT", "large expiring hash", String(later), "FIELDS", "2", "field 3", "field 999");
  }
  await fillStreams(server);
};

const fillStreams = async ({ call }: RedisServer): Promise<void> => {
  for (let n = 1; n <= 250; n++) await call("XADD", "stream", `${1_000 + n}-${n % 3}`, "a", `${n}`, "b", "x".repeat(n));
  await call("XADD", "stream", "2000-0", "other", "fields", "here", "1", "and", "");
  await call("XDEL", "stream", "1005-2", "1100-2");
  await call("XGROUP", "CREATE", "stream", "group", "0");
  await call("XGROUP", "CREATE", "stream", "idle group", "$");
  await call("XREADGROUP", "GROUP", "group", "alice", "COUNT", "20", "STREAMS", "stream", ">");
  await call("XREADGROUP", "GROUP", "group", "bob", "COUNT", "5", "STREAMS", "stream", ">");
  await call("XACK", "stream", "group", "1001-1", "1002-2");
  await call("XCLAIM", "stream", "group", "alice", "0", "1021-1", "RETRYCOUNT", "7");
  await call("XGROUP", "CREATECONSUMER", "stream", "group", "nobody");
  // A pending entry whose entry is gone.
  await call("XDEL", "stream", "1010-1");
  await call("XADD", "emptied", "5-5", "a", "b");
  await call("XTRIM", "emptied", "MAXLEN", "0");
  await call("XADD", "large ids", "18446744073709551615-18446744073709551614", "a", "b");
};

/** The server's own digest of all that it holds, by which two servers can be compared without any code of ours, and what it leaves out of streams. */
export const serverDigest = async (server: RedisServer, databases: readonly number[]): Promise<unknown> => {
  const streams: unknown[] = [];
  for (const database of databases) {
    await server.call("SELECT", String(database));
    for (const key of ["stream", "emptied", "large ids"]) {
      const info = (await server.call("XINFO", "STREAM", key, "FULL", "COUNT", "0")) as unknown[];
      // How its nodes are cut is the server's own affair.
      streams.push(readable(info.filter((_, n) => !["radix-tree-keys", "radix-tree-nodes"].includes(String(info[n - (n % 2)])))));
    }
  }
  return { digest: String(await server.call("DEBUG", "DIGEST")), streams };
};

const readable = (reply: unknown): unknown =>
  Array.isArray(reply) ? reply.map(readable) : Buffer.isBuffer(reply) ? reply.toString("latin1") : reply;

import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { chooseFreePorts } from "../../stack/ports.ts";
import { findProgram } from "../../stack/programs.ts";
import { progressToStderr } from "../../stack/progress.ts";
import { openProgram } from "./program.ts";
import type { OpenServer } from "./soaked-server.ts";

type Call = (...command: readonly string[]) => Promise<unknown>;

const connected = async <T>(url: string, work: (call: Call) => Promise<T>): Promise<T> => {
  const client = createClient({ url, RESP: 2, disableClientInfo: true, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work((...command) => client.sendCommand([...command]));
  } finally {
    client.destroy();
  }
};

const word = (text: string): string => createHash("sha256").update(text).digest("hex");
const inFuture = "4000000000000";
const textKeys = 9_000;

const fill = async (call: Call): Promise<void> => {
  const sent: Promise<unknown>[] = [];
  for (let n = 0; n < textKeys; n += 1) sent.push(call("SET", `text:${n}`, word(`t${n}`).repeat(3)));
  for (let n = 0; n < textKeys; n += 3) sent.push(call("PEXPIREAT", `text:${n}`, inFuture));
  for (let n = 0; n < 1_000; n += 1) {
    sent.push(call("HSET", `hash:${n}`, "name", word(`h${n}`), "n", String(n)));
    sent.push(call("RPUSH", `list:${n % 50}`, word(`l${n}`)));
    sent.push(call("SADD", `set:${n % 30}`, word(`s${n}`)));
    sent.push(call("ZADD", `zset:${n % 20}`, String(n / 7), word(`z${n}`)));
    sent.push(call("XADD", `stream:${n % 10}`, `${n + 1}-1`, "field", word(`x${n}`)));
  }
  await Promise.all(sent);
  await call("XGROUP", "CREATE", "stream:0", "readers", "0");
  await call("XREADGROUP", "GROUP", "readers", "one", "COUNT", "5", "STREAMS", "stream:0", ">");
};

/** How each type is read, and whether the order of what comes is part of it. */
const readers: Readonly<Record<string, { readonly command: (key: string) => readonly string[]; readonly ordered: boolean }>> = {
  string: { command: (key) => ["GET", key], ordered: true },
  hash: { command: (key) => ["HGETALL", key], ordered: false },
  list: { command: (key) => ["LRANGE", key, "0", "-1"], ordered: true },
  set: { command: (key) => ["SMEMBERS", key], ordered: false },
  zset: { command: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"], ordered: true },
  stream: { command: (key) => ["XRANGE", key, "-", "+"], ordered: true },
};

const contentOf = async (call: Call): Promise<string> => {
  const keys = (await call("KEYS", "*")) as string[];
  const texts = await Promise.all(
    keys.map(async (key) => {
      const type = String(await call("TYPE", key));
      const { command, ordered } = readers[type]!;
      const value = await call(...command(key));
      const expiry = String(await call("PEXPIRETIME", key));
      return JSON.stringify([key, type, ordered || !Array.isArray(value) ? value : value.map(String).sort(), expiry]);
    }),
  );
  const pending = JSON.stringify(await call("XPENDING", "stream:0", "readers").catch((error: Error) => error.message));
  return `${keys.length} keys, ${word(texts.sort().join("\n"))}, pending ${pending}`;
};

/** Redis, of which every backup takes one point in time by replication. What it acknowledges is in its append-only file. */
export const openRedis: OpenServer = async (folder, _bin, undoing) => {
  const [port] = await chooseFreePorts(1, new Set());
  const dir = join(folder, "redis");
  await mkdir(dir);
  const base = `redis://127.0.0.1:${port}`;
  const command = await findProgram("redis", progressToStderr);
  const persistence = ["--appendonly", "yes", "--save", ""];
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--repl-diskless-sync-delay", "0", ...persistence];
  // While it loads its file it answers nothing but that.
  const answers = () => connected(base, (call) => call("DBSIZE"));
  const program = await openProgram({ command, args, cwd: folder, answers }, undoing);
  const [source, target] = [`${base}/0`, `${base}/1`];
  const sizeOfTarget = () => connected(target, async (call) => Number(await call("DBSIZE")));
  await connected(source, fill);
  return {
    ...program,
    ...{ engine: "redis", source, target },
    change: (random) =>
      connected(source, async (call) => {
        const [salt, share] = [random.between(1, 1_000_000_000), random.oneOf([2, 20, 400])];
        const sent: Promise<unknown>[] = [];
        for (let n = salt % share; n < textKeys; n += share) sent.push(call("SET", `text:${n}`, word(`${salt}${n}`), "KEEPTTL"));
        for (let n = 0; n < random.between(1, 300); n += 1) sent.push(call("SET", `new:${salt % 40}:${n}`, word(`${salt}${n}`)));
        sent.push(call("DEL", `list:${salt % 50}`, `hash:${salt % 1_000}`), call("SADD", `set:${salt % 30}`, String(salt)));
        sent.push(call("XADD", `stream:${salt % 10}`, "*", "salt", String(salt)));
        await Promise.all(sent);
      }),
    contentOf: (url) => connected(url, contentOf),
    // The target is as the last restore left it, until the next one empties it.
    watchTarget: async () => {
      const before = await sizeOfTarget();
      return async () => (await sizeOfTarget()) !== before;
    },
    scratches: () =>
      connected(base, async (call) => {
        const sections = String(await call("INFO", "keyspace"));
        return [...sections.matchAll(/^db(\d+):/gm)].map(([, database]) => database!).filter((database) => !["0", "1"].includes(database));
      }),
  };
};

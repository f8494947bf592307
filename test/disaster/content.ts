import { createHash } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import { MongoClient } from "mongodb";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { clientOf } from "../integration/cosmos-place.ts";
import { dumpText } from "../integration/postgres-dump-text.ts";
import { serverAt } from "../integration/postgres-support.ts";

/**
 * One hash of all that is in a database, read with the tools and clients of its own maker, nothing of dbgov's: so that the drill need not
 * believe what dbgov says of its own work. The order in which a server gives things is left out, and what it writes by itself.
 */
export const contentOf = async (engine: EngineName, url: string, bin: string): Promise<string> => {
  const lines = await { postgres, mongodb, redis, cosmos }[engine](url, bin);
  const all = createHash("sha256");
  for (const line of lines.sort()) all.update(line).update("\n");
  return all.digest("hex");
};

/** Every line of pg_dump's text. */
const postgres = (url: string, bin: string): Promise<string[]> => dumpText(serverAt(url, bin), url);

/** Every collection with its options and indexes, and every document as BSON. */
const mongodb = async (url: string): Promise<string[]> => {
  const client = new MongoClient(url);
  try {
    const lines: string[] = [];
    for (const { name, options } of await client.db().listCollections<{ name: string; options?: object }>().toArray()) {
      const collection = client.db().collection(name);
      lines.push(JSON.stringify([name, options ?? {}]));
      for (const { ns: _, ...index } of await collection.indexes()) lines.push(JSON.stringify([name, index]));
      for await (const document of collection.find({}, { raw: true }))
        lines.push(`${name} ${Buffer.from(document as unknown as Uint8Array).toString("base64")}`);
    }
    return lines;
  } finally {
    await client.close();
  }
};

/** Every key's value by the command that reads its type, a hash's fields and a set's members in an order of ours, and when it expires. */
const redis = async (url: string): Promise<string[]> => {
  const client = createClient({ url, RESP: 2 }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on("error", () => {});
  await client.connect();
  const call = (...command: (string | Buffer)[]): Promise<unknown> => client.sendCommand(command);
  const lineOf = async (key: Buffer): Promise<string> => {
    const type = String(await call("TYPE", key));
    const read = readers[type];
    if (read === undefined) throw new Error(`the drill cannot compare a ${type}`);
    const [value, expires] = await Promise.all([call(...read.command(key)), call("PEXPIRETIME", key)]);
    const parts = (Array.isArray(value) ? value : [value]).map((part) => Buffer.from(part as Buffer).toString("base64"));
    const groups = Array.from({ length: parts.length / read.together }, (_, at) =>
      parts.slice(at * read.together, (at + 1) * read.together).join("="),
    );
    return [type, key.toString("base64"), String(expires), ...(read.ordered ? groups : groups.sort())].join(" ");
  };
  try {
    const lines = new Set<string>();
    let cursor = "0";
    do {
      const [next, keys] = (await call("SCAN", cursor, "COUNT", "1000")) as [Buffer, Buffer[]];
      // It may give a key twice.
      for (const line of await Promise.all(keys.map(lineOf))) lines.add(line);
      cursor = next.toString();
    } while (cursor !== "0");
    return [...lines];
  } finally {
    client.destroy();
  }
};

interface Reader {
  readonly command: (key: Buffer) => (string | Buffer)[];
  readonly ordered: boolean;
  /** How many values of the answer belong together. */
  readonly together: number;
}

const readers: Readonly<Record<string, Reader>> = {
  string: { command: (key) => ["GET", key], ordered: true, together: 1 },
  list: { command: (key) => ["LRANGE", key, "0", "-1"], ordered: true, together: 1 },
  set: { command: (key) => ["SMEMBERS", key], ordered: false, together: 1 },
  hash: { command: (key) => ["HGETALL", key], ordered: false, together: 2 },
  zset: { command: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"], ordered: true, together: 2 },
};

/** Every container's partition key and indexing policy, and every item but what the service stamps. */
const cosmos = async (url: string): Promise<string[]> => {
  const part = (name: string): string => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(url)?.[1] ?? "";
  const client = clientOf(part("AccountEndpoint"), part("AccountKey"));
  try {
    const database = client.database(part("Database"));
    const lines: string[] = [];
    for (const { id, partitionKey, indexingPolicy } of (await database.containers.readAll().fetchAll()).resources) {
      lines.push(JSON.stringify([id, partitionKey, indexingPolicy]));
      for (const item of (await database.container(id).items.readAll().fetchAll()).resources) {
        const own = Object.entries(item).filter(([name]) => !["_rid", "_self", "_etag", "_attachments", "_ts"].includes(name));
        lines.push(JSON.stringify([id, own.sort(([a], [b]) => (a < b ? -1 : 1))]));
      }
    }
    return lines;
  } finally {
    client.dispose();
  }
};

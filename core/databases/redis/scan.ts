import type { Connection, Reply } from "./connection.ts";
import { expiryBetween } from "./expiry-before-7.ts";
import type { Method } from "./method.ts";
import { scanCount } from "./plan.ts";
import { writeDump } from "./rdb/dump.ts";
import { forever } from "./record.ts";
import { createRecordWriter, type RecordWriter } from "./record-writer.ts";
import { createSeenKeys } from "./seen-keys.ts";
import { isAtLeast, type ServerFacts } from "./server-facts.ts";
import type { StreamDetail } from "./stream-state.ts";
import { readTypedKeys } from "./typed.ts";

export interface ScanOptions {
  readonly database: number;
  /** The number that the records have. */
  readonly as: number;
  readonly method: Exclude<Method, "replication">;
  readonly facts: ServerFacts;
  readonly detail: StreamDetail;
  /** Keys that are not read. */
  readonly except?: string;
}

const blockBytes = 256 << 10;
/** Keys are asked for so that about so many bytes come at once. */
const batchBytes = 1 << 20;
const mostKeys = 256;

/** The records of one logical database, each key as it is when its turn comes. Blocks are valid only until the next is asked for. */
export async function* scanDatabase(connection: Connection, options: ScanOptions): AsyncGenerator<Uint8Array, void> {
  const { database, method, facts, detail, except } = options;
  await connection.select(database);
  const writer = createRecordWriter(detail);
  const seen = createSeenKeys();
  let cursor: Buffer | string = "0";
  let atOnce = 16;
  do {
    const [next, found] = (await connection.call("SCAN", cursor, "COUNT", String(scanCount))) as [Buffer, Buffer[]];
    cursor = next;
    const keys = found.filter((key) => !seen.add(key) && (except === undefined || key.toString("latin1") !== except));
    if (method === "types") {
      yield* readTypedKeys(connection, keys, options.as, facts, writer);
    } else {
      for (let from = 0; from < keys.length; ) {
        const batch = keys.slice(from, from + atOnce);
        from += batch.length;
        const bytes = await readDumps(connection, batch, options, writer);
        atOnce = Math.max(1, Math.min(mostKeys, Math.floor((batchBytes * batch.length) / Math.max(bytes, 1))));
        if (writer.size() >= blockBytes) yield writer.take();
      }
    }
    if (writer.size() >= blockBytes) yield writer.take();
  } while (String(cursor) !== "0");
  if (writer.size() > 0) yield writer.take();
}

/** DUMP and expiry of each key in one transaction; returns the bytes that came. A key that is gone by now is passed over. */
const readDumps = async (
  connection: Connection,
  keys: readonly Buffer[],
  { facts, as }: ScanOptions,
  writer: RecordWriter,
): Promise<number> => {
  const exact = isAtLeast(facts, [7, 0]);
  const perKey = (key: Buffer) =>
    exact
      ? [
          ["DUMP", key],
          ["PEXPIRETIME", key],
        ]
      : [["DUMP", key], ["TIME"], ["PTTL", key], ["TIME"]];
  const replies = await connection.transaction(keys.flatMap(perKey));
  const width = exact ? 2 : 4;
  let bytes = 0;
  for (const [n, key] of keys.entries()) {
    const [dump, ...times] = replies.slice(n * width, (n + 1) * width);
    if (dump instanceof Error) throw dump;
    if (!Buffer.isBuffer(dump)) continue;
    bytes += dump.length;
    const expiry = exact ? expiryOf(times[0]!) : expiryBetween(times);
    if (expiry === undefined) await readDumps(connection, [key], { facts, as } as ScanOptions, writer);
    else writeDump(dump, { database: as, key, expiry }, writer);
  }
  return bytes;
};

const expiryOf = (reply: Reply): bigint => {
  if (reply instanceof Error) throw reply;
  return Number(reply) < 0 ? forever : BigInt(Number(reply));
};

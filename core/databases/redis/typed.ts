import { ErrorReply } from "@redis/client";
import { Failure } from "../../domain/failure.ts";
import type { Connection, Reply } from "./connection.ts";
import { expiryBetween } from "./expiry-before-7.ts";
import { scoreOf } from "./rdb/values.ts";
import { forever, type KeyType, keyTypes } from "./record.ts";
import type { RecordWriter } from "./record-writer.ts";
import { createSeenKeys } from "./seen-keys.ts";
import { isAtLeast, type ServerFacts } from "./server-facts.ts";
import { stateOfInfo } from "./stream-info.ts";

interface TypedKey {
  readonly key: Buffer;
  readonly database: number;
}

/** A collection of more elements than this is read in steps, between which others may change it. */
const mostAtOnce = 10_000;
const step = 1_000;
const blockBytes = 256 << 10;
const attempts = 5;

const sizeCommand = { string: "STRLEN", list: "LLEN", set: "SCARD", zset: "ZCARD", hash: "HLEN" } as const;
type Sized = keyof typeof sizeCommand;

/** Small keys, of so many bytes or elements, are read so many at once: most of the time goes into waiting for replies. */
const small = { string: 16 << 10, list: 100, set: 100, zset: 100, hash: 100 } as const;
const smallAtOnce = 64;

/** The records of keys by the commands of their types; as `readTyped`, in which whatever is not small is read. */
export async function* readTypedKeys(
  connection: Connection,
  keys: readonly Buffer[],
  database: number,
  facts: ServerFacts,
  writer: RecordWriter,
): AsyncGenerator<Uint8Array, void> {
  const together = isAtLeast(facts, [7, 0]) ? keys : [];
  const alone = together.length === 0 ? [...keys] : [];
  for (let from = 0; from < together.length; from += smallAtOnce)
    alone.push(...(await readSmall(connection, together.slice(from, from + smallAtOnce), database, facts, writer)));
  for (const key of alone) yield* readTyped(connection, { key, database }, facts, writer);
}

/** Writes those that are small, and returns the others. */
const readSmall = async (
  connection: Connection,
  keys: readonly Buffer[],
  database: number,
  facts: ServerFacts,
  writer: RecordWriter,
): Promise<Buffer[]> => {
  const types = (await connection.pipeline(keys.map((key) => ["TYPE", key]))).map(String);
  const sized = keys.flatMap((key, n): { key: Buffer; type: Sized }[] =>
    types[n]! in sizeCommand ? [{ key, type: types[n] as Sized }] : [],
  );
  const sizes = await connection.pipeline(sized.map(({ key, type }) => [sizeCommand[type], key]));
  const chosen = sized.filter(({ type }, n) => Number(sizes[n]) <= small[type]);
  const others = keys.filter((key, n) => types[n] !== "none" && !chosen.some((other) => other.key === key));
  if (chosen.length === 0) return others;
  const replies = await connection.transaction(chosen.flatMap(({ key, type }) => [wholeCommand(type, key), ["PEXPIRETIME", key]]));
  const hashes = chosen.flatMap(({ key, type }, n) =>
    type === "hash" && Array.isArray(replies[n * 2]) ? [{ key, content: replies[n * 2] as readonly Buffer[] }] : [],
  );
  const expiries = new Map<Buffer, readonly number[]>();
  const changed = new Set<Buffer>();
  for (const { key, content } of hashes) {
    try {
      expiries.set(key, await expiriesOf(connection, key, everyOther(content), facts));
    } catch (error) {
      if (!isOfOtherType(error)) throw error;
      changed.add(key);
    }
  }
  for (const [n, { key, type }] of chosen.entries()) {
    const [content, expiry] = [replies[n * 2], Number(replies[n * 2 + 1])];
    // Its type changed in between: it is looked at again.
    if (content instanceof Error || changed.has(key)) others.push(key);
    else if (content !== null && content !== undefined) {
      writer.begin({ key, database, type, expiry: expiry < 0 ? forever : BigInt(expiry) });
      if (type === "string") writer.string(content as Buffer);
      else {
        writeElements(type, content as readonly Buffer[], expiries.get(key) ?? [], writer);
        writer.end();
      }
    }
  }
  return others;
};

/** The record of one key by the commands of its type. A key that vanishes is passed over; one that changes its type is read as the new one. */
async function* readTyped(
  connection: Connection,
  { key, database }: TypedKey,
  facts: ServerFacts,
  writer: RecordWriter,
): AsyncGenerator<Uint8Array, void> {
  for (let attempt = 1; ; attempt += 1) {
    const type = String(await connection.call("TYPE", key));
    if (type === "none") return;
    if (!(keyTypes as readonly string[]).includes(type))
      throw new Failure(
        "EngineUnsupported",
        `Redis at ${connection.address.label} holds a key of type ${type}, which belongs to a module: it can be read only where PSYNC or DUMP are allowed.`,
      );
    try {
      yield* readAs(connection, type as Exclude<KeyType, "module">, { key, database }, facts, writer);
      return;
    } catch (error) {
      // Another key of that name took its place.
      if (isOfOtherType(error) && attempt < attempts) continue;
      throw error;
    }
  }
}

async function* readAs(
  connection: Connection,
  type: Exclude<KeyType, "module">,
  { key, database }: TypedKey,
  facts: ServerFacts,
  writer: RecordWriter,
): AsyncGenerator<Uint8Array, void> {
  const withExpiry = expiryReader(connection, key, facts);
  if (type === "string") {
    const read = await withExpiry(["GET", key]);
    if (!Buffer.isBuffer(read.content)) return;
    writer.begin({ key, database, type, expiry: read.expiry });
    writer.string(read.content);
    return;
  }
  if (type === "stream") {
    const read = await withExpiry(["XINFO", "STREAM", key, "FULL", "COUNT", "0"]).catch(unlessGone);
    if (read === undefined) return;
    const { entries, state } = stateOfInfo(read.content);
    writer.begin({ key, database, type, expiry: read.expiry });
    for (const { id, pairs } of entries) writer.entry(id, pairs);
    writer.end(state);
    return;
  }
  const size = Number(await connection.call(sizeCommand[type], key));
  if (size === 0) return;
  if (size <= mostAtOnce) {
    const read = await withExpiry(wholeCommand(type, key));
    const content = read.content as readonly Buffer[];
    const fieldExpiries = type === "hash" ? await expiriesOf(connection, key, everyOther(content), facts) : [];
    writer.begin({ key, database, type, expiry: read.expiry });
    writeElements(type, content, fieldExpiries, writer);
    writer.end();
    return;
  }
  const { expiry } = await withExpiry(["EXISTS", key]);
  writer.begin({ key, database, type, expiry });
  try {
    for await (const content of type === "list" ? listSteps(connection, key) : scanSteps(connection, type, key)) {
      const fieldExpiries = type === "hash" ? await expiriesOf(connection, key, everyOther(content), facts) : [];
      writeElements(type, content, fieldExpiries, writer);
      if (writer.size() >= blockBytes) yield writer.take();
    }
  } catch (error) {
    if (!isOfOtherType(error)) throw error;
    throw new Failure(
      "SourceChanged",
      `A large ${type} of Redis at ${connection.address.label} was replaced by a key of another type while it was read.`,
      { cause: error },
    );
  }
  writer.end();
}

const isOfOtherType = (error: unknown): boolean => error instanceof ErrorReply && error.message.startsWith("WRONGTYPE");

const unlessGone = (error: unknown): undefined => {
  if (error instanceof ErrorReply && /no such key/i.test(error.message)) return undefined;
  throw error;
};

const wholeCommand = (type: Sized, key: Buffer): readonly (string | Buffer)[] =>
  ({
    string: ["GET", key],
    list: ["LRANGE", key, "0", "-1"],
    set: ["SMEMBERS", key],
    zset: ["ZRANGE", key, "0", "-1", "WITHSCORES"],
    hash: ["HGETALL", key],
  })[type];

/** Sends a command together with the question for the key's expiry. */
const expiryReader =
  (connection: Connection, key: Buffer, facts: ServerFacts) =>
  async (command: readonly (string | Buffer)[]): Promise<{ content: Reply; expiry: bigint }> => {
    const exact = isAtLeast(facts, [7, 0]);
    for (;;) {
      const questions = exact ? [["PEXPIRETIME", key]] : [["TIME"], ["PTTL", key], ["TIME"]];
      const [content = null, ...times] = await connection.transaction([command, ...questions]);
      for (const reply of [content, ...times]) if (reply instanceof Error) throw reply;
      if (!exact) {
        const expiry = expiryBetween(times);
        if (expiry !== undefined) return { content, expiry };
        continue;
      }
      return { content, expiry: Number(times[0]) < 0 ? forever : BigInt(Number(times[0])) };
    }
  };

const everyOther = (content: readonly Buffer[]): Buffer[] => content.filter((_, n) => n % 2 === 0);

/** What HPEXPIRETIME says of a field that is there no more, as one that has expired since it was read. */
const gone = -2;

/** When each field of a hash expires; none where no server knows of such. */
const expiriesOf = async (
  connection: Connection,
  key: Buffer,
  fields: readonly Buffer[],
  facts: ServerFacts,
): Promise<readonly number[]> => {
  if (fields.length === 0 || !knowsFieldExpiry(facts)) return [];
  const reply = await connection.call("HPEXPIRETIME", key, "FIELDS", String(fields.length), ...fields);
  return Array.isArray(reply) && reply.length === fields.length ? reply.map(Number) : fields.map(() => gone);
};

export const knowsFieldExpiry = (facts: ServerFacts): boolean =>
  facts.flavor === "valkey" ? Number(facts.version.split(".")[0]) >= 9 : isAtLeast(facts, [7, 4]);

const writeElements = (
  type: "list" | "set" | "zset" | "hash",
  content: readonly Buffer[],
  fieldExpiries: readonly number[],
  writer: RecordWriter,
): void => {
  if (type === "list") for (const element of content) writer.element(element);
  else if (type === "set") for (const member of content) writer.member(member);
  else
    for (let n = 0; n + 1 < content.length; n += 2) {
      const [first, second] = [content[n]!, content[n + 1]!];
      if (type === "zset") writer.scored(first, scoreOf(second.toString("latin1")));
      else if (fieldExpiries[n / 2] !== gone)
        writer.field(first, second, (fieldExpiries[n / 2] ?? -1) < 0 ? forever : BigInt(fieldExpiries[n / 2]!));
    }
};

async function* listSteps(connection: Connection, key: Buffer): AsyncGenerator<readonly Buffer[], void> {
  for (let from = 0; ; from += step) {
    const content = (await connection.call("LRANGE", key, String(from), String(from + step - 1))) as readonly Buffer[];
    if (content.length > 0) yield content;
    if (content.length < step) return;
  }
}

/** SSCAN, ZSCAN or HSCAN: of what comes twice, the first counts. */
async function* scanSteps(connection: Connection, type: "set" | "zset" | "hash", key: Buffer): AsyncGenerator<readonly Buffer[], void> {
  const command = { set: "SSCAN", zset: "ZSCAN", hash: "HSCAN" }[type];
  const width = type === "set" ? 1 : 2;
  const seen = createSeenKeys();
  let cursor = "0";
  do {
    const [next, content] = (await connection.call(command, key, cursor, "COUNT", String(step))) as [Buffer, Buffer[]];
    cursor = String(next);
    const fresh: Buffer[] = [];
    for (let n = 0; n < content.length; n += width) if (!seen.add(content[n]!)) fresh.push(...content.slice(n, n + width));
    if (fresh.length > 0) yield fresh;
  } while (cursor !== "0");
}

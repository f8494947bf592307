import { Failure } from "../../../domain/failure.ts";
import { forever } from "../record.ts";
import type { RecordWriter } from "../record-writer.ts";
import { createCrc64 } from "./crc64.ts";
import { bigLength, byte, bytesOf, type Cursor, i64, length, malformed, pass, passString, string, underflow } from "./cursor.ts";
import { passModuleAux } from "./module.ts";
import { isValueType, keyTypeOf, type Step, valueSteps } from "./values.ts";

/** The newest RDB versions whose types are known: Redis 8, Valkey 9. */
export const newestRdb = { redis: 12, valkey: 80 } as const;

const opcodes = {
  slotInfo: 244,
  function: 245,
  moduleAux: 247,
  idle: 248,
  frequency: 249,
  aux: 250,
  resize: 251,
  expiryMs: 252,
  expirySeconds: 253,
  database: 254,
  end: 255,
} as const;

export interface RdbOptions {
  readonly wants: (database: number) => boolean;
  /** Keys that expired before this time (ms since 1970) are gone for whoever asks, though the RDB may still have them. */
  readonly now: bigint;
}

const blockBytes = 256 << 10;
const mostBuffered = 1.5 * 2 ** 30;

/**
 * Cuts an RDB into records while it comes in. Of it no more is in memory than the largest element of a collection.
 * Blocks are valid only until the next is asked for.
 */
export async function* readRdb(
  chunks: AsyncIterator<Buffer>,
  writer: RecordWriter,
  { wants, now }: RdbOptions,
): AsyncGenerator<Uint8Array, void> {
  const cursor: Cursor = { buffer: Buffer.allocUnsafe(1 << 20), at: 0, end: 0, wanted: 0 };
  const crc = createCrc64();
  let summed = 0;
  let version = 0;
  let database = 0;
  let expiry = forever;
  /** What is read next; undefined at the end. */
  let step: (() => boolean) | undefined = () => {
    version = readMagic(cursor);
    step = between;
    return true;
  };
  /** Writes nothing: a key that is not wanted is read all the same, to know where it ends. */
  const nowhere = passWriter;
  const between = (): boolean => {
    const opcode = byte(cursor);
    switch (opcode) {
      case opcodes.aux:
        passString(cursor);
        passString(cursor);
        return true;
      case opcodes.function:
        passString(cursor);
        return true;
      case opcodes.resize:
        length(cursor);
        length(cursor);
        return true;
      case opcodes.slotInfo:
        for (let n = 0; n < 3; n++) length(cursor);
        return true;
      case opcodes.moduleAux:
        bigLength(cursor);
        passModuleAux(cursor);
        return true;
      case opcodes.idle:
        length(cursor);
        return true;
      case opcodes.frequency:
        byte(cursor);
        return true;
      case opcodes.expiryMs:
        expiry = i64(cursor);
        return true;
      case opcodes.expirySeconds:
        expiry = BigInt(cursor.buffer.readInt32LE(pass(cursor, 4))) * 1000n;
        return true;
      case opcodes.database:
        database = length(cursor);
        return true;
      case opcodes.end:
        step = version < firstWithChecksum ? undefined : checksum;
        return true;
      default:
        readKey(opcode);
        return true;
    }
  };
  const checksum = (): boolean => {
    const from = pass(cursor, checksumBytes);
    crc.add(cursor.buffer.subarray(summed, from));
    const said = cursor.buffer.subarray(from, cursor.at);
    step = undefined;
    // Zeros: the server was told to write none.
    if (said.some((each) => each !== 0) && !crc.end().equals(said))
      throw new Failure("HoldLost", "The RDB that the server sent does not match its own checksum: it was damaged on its way.");
    return true;
  };
  const readKey = (rdbType: number): void => {
    if (!isValueType(rdbType)) keyTypeOf(rdbType);
    const key = string(cursor);
    const wanted = wants(database) && (expiry === forever || expiry >= now);
    const into = wanted ? writer : nowhere;
    into.begin({ database, key, type: keyTypeOf(rdbType), expiry });
    const value: Step = valueSteps(rdbType, cursor, into);
    step = () => {
      if (value()) {
        step = between;
        expiry = forever;
      }
      return true;
    };
  };
  while (step !== undefined) {
    const mark = cursor.at;
    try {
      step();
    } catch (error) {
      if (error !== underflow) throw error;
      cursor.at = mark;
      crc.add(cursor.buffer.subarray(summed, mark));
      await refill(cursor, chunks);
      summed = cursor.at;
    }
    if (writer.size() >= blockBytes) yield writer.take();
  }
  if (writer.size() > 0) yield writer.take();
}

/** Of Redis and of Valkey alike. */
const firstWithChecksum = 5;
const checksumBytes = 8;

const readMagic = (cursor: Cursor): number => {
  const magic = bytesOf(cursor, 9).toString("latin1");
  const redis = /^REDIS(\d{4})$/.exec(magic);
  const valkey = /^VALKEY(\d{3})$/.exec(magic);
  const version = Number(redis?.[1] ?? valkey?.[1]);
  if (redis === null && valkey === null) throw malformed(`it begins with ${JSON.stringify(magic)}`);
  if (version > (redis === null ? newestRdb.valkey : newestRdb.redis))
    throw new Failure("EngineUnsupported", `the server's RDB has version ${version}, which is newer than this dbgov knows`);
  return version;
};

/** At least so many bytes as were missing; a quarter more than there were, lest a large value be read over and over. */
const refill = async (cursor: Cursor, chunks: AsyncIterator<Buffer>): Promise<void> => {
  const before = cursor.end - cursor.at;
  const needed = Math.max(cursor.wanted, before * 1.25);
  do {
    const { value, done } = await chunks.next();
    if (done === true) {
      if (cursor.end - cursor.at > before) return;
      throw malformed("it ends in the middle of a value");
    }
    const chunk = value as Buffer;
    const kept = cursor.end - cursor.at;
    if (cursor.end + chunk.length > cursor.buffer.length) {
      const size = kept + chunk.length;
      if (size > mostBuffered) throw new Failure("EngineUnsupported", `one element of a key is larger than ${mostBuffered} bytes`);
      const target = size * 2 > cursor.buffer.length ? Buffer.allocUnsafe(size * 2) : cursor.buffer;
      cursor.buffer.copy(target, 0, cursor.at, cursor.end);
      cursor.buffer = target;
      cursor.at = 0;
      cursor.end = kept;
    }
    chunk.copy(cursor.buffer, cursor.end);
    cursor.end += chunk.length;
  } while (cursor.end - cursor.at < needed);
};

const nothing = (): void => {};
const passWriter: RecordWriter = {
  begin: nothing,
  string: nothing,
  openString: nothing,
  more: nothing,
  element: nothing,
  member: nothing,
  scored: nothing,
  field: nothing,
  entry: nothing,
  module: nothing,
  end: nothing,
  size: () => 0,
  take: () => new Uint8Array(0),
};

import { Failure } from "../../../domain/failure.ts";
import type { KeyHead } from "../record.ts";
import type { RecordWriter } from "../record-writer.ts";
import { byte, cursorOver, malformed, underflow } from "./cursor.ts";
import { keyTypeOf, valueSteps } from "./values.ts";

/** A DUMP ends with the version of its RDB, and a checksum. */
const footerBytes = 10;

export const dumpVersion = (payload: Buffer): number => payload.readUInt16LE(payload.length - footerBytes);

/** Writes the record of a key from what `DUMP` gave. */
export const writeDump = (payload: Buffer, head: Omit<KeyHead, "type">, writer: RecordWriter): void => {
  const cursor = cursorOver(payload.subarray(0, payload.length - footerBytes));
  try {
    const rdbType = byte(cursor);
    writer.begin({ ...head, type: keyTypeOf(rdbType) });
    const step = valueSteps(rdbType, cursor, writer);
    while (!step());
  } catch (error) {
    if (error !== underflow) throw error;
    throw malformed("a DUMP is cut off");
  }
  if (cursor.at !== cursor.end) throw new Failure("EngineUnsupported", "the server's DUMP of a key holds more than this dbgov understands");
};

import { createByteBuffer, putBytes, putI64, putString } from "./byte-buffer.ts";
import { headBytes } from "./record.ts";
import { type KeyRecord, readBody } from "./record-reader.ts";

export interface HashField {
  readonly field: Buffer;
  readonly value: Buffer;
  readonly expiry: bigint;
}

/** Of a hash in one record. */
export const hashFields = ({ body }: KeyRecord): HashField[] => {
  const reader = readBody(body);
  const fields: HashField[] = [];
  while (reader.left() > 0) fields.push({ field: reader.string(), value: reader.string(), expiry: reader.i64() });
  return fields;
};

/** The record with these fields too. */
export const withFields = (record: KeyRecord, more: readonly HashField[]): Buffer => {
  const fields = [...hashFields(record), ...more].sort((a, b) => Buffer.compare(a.field, b.field));
  const out = createByteBuffer(record.bytes.length * 2);
  putBytes(out, record.bytes.subarray(0, headBytes + record.key.length));
  for (const { field, value, expiry } of fields) {
    putString(out, field);
    putString(out, value);
    putI64(out, expiry);
  }
  out.bytes.writeInt32LE(out.length, 0);
  return out.bytes.subarray(0, out.length);
};

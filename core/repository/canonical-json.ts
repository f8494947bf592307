import serialize from "canonicalize";
import { Failure } from "../domain/failure.ts";

/** RFC 8785 (JCS) bytes of `value`. What is hashed or signed is always this. */
export const canonicalBytes = (value: unknown): Buffer => {
  const text = serialize(value);
  if (text === undefined) throw new TypeError("not representable as JSON");
  return Buffer.from(text, "utf8");
};

/** Parses bytes that must be canonical JSON of an object; `what` names them in the `ObjectCorrupt` failure. */
export const parseCanonical = (bytes: Uint8Array, what: string): Record<string, unknown> => {
  const altered = (cause?: unknown) => new Failure("ObjectCorrupt", `${what} is not the canonical JSON that was written`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch (error) {
    throw altered(error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw altered();
  if (!canonicalBytes(value).equals(bytes)) throw altered();
  return value as Record<string, unknown>;
};

/** Strict standard base64 with padding; undefined when it is anything else, or not of `length` bytes. */
export const decodeBase64 = (text: unknown, length?: number): Buffer | undefined => {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text || (length !== undefined && bytes.length !== length)) return undefined;
  return bytes;
};

export const encodeBase64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

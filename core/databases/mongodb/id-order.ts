import { BSON } from "mongodb";

/**
 * How the server orders ids. A comparison in a filter matches only ids of the boundary's own class; within a class the order is total,
 * except that a NaN compares with nothing. Classes that are not here (booleans, null, the deprecated types) are never cut.
 */
export type IdClass = "number" | "string" | "object" | "binary" | "objectId" | "date" | "timestamp";

/** The class of an id as the driver gives it with `promoteValues: false`; undefined for those that are not cut. */
export function classOf(id: unknown): IdClass | undefined {
  if (typeof id === "string") return "string";
  if (id instanceof BSON.ObjectId) return "objectId";
  if (id instanceof BSON.Timestamp) return "timestamp";
  if (id instanceof BSON.Int32 || id instanceof BSON.Long) return "number";
  if (id instanceof BSON.Double) return Number.isFinite(id.value) ? "number" : undefined;
  if (id instanceof BSON.Decimal128) return /\d/.test(id.toString()) ? "number" : undefined;
  if (id instanceof BSON.Binary) return "binary";
  if (id instanceof Date) return Number.isNaN(id.getTime()) ? undefined : "date";
  return typeof id === "object" && id !== null && Object.getPrototypeOf(id) === Object.prototype ? "object" : undefined;
}

/** Whether a collation can change its place. */
export const isTextual = (id: unknown): boolean => ["string", "object"].includes(classOf(id) ?? "");

/** As `Array.prototype.sort` wants it, for two ids of one class; undefined where this side cannot tell what the server thinks. */
export function compareIds(a: unknown, b: unknown): number | undefined {
  if (typeof a === "string" && typeof b === "string")
    return isWhole(a) && isWhole(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : undefined;
  if (a instanceof BSON.ObjectId && b instanceof BSON.ObjectId) return Buffer.compare(a.id, b.id);
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof BSON.Timestamp && b instanceof BSON.Timestamp) return order(unsigned(a), unsigned(b));
  if (a instanceof BSON.Binary && b instanceof BSON.Binary) return compareBinary(a, b);
  const [left, right] = [numberOf(a), numberOf(b)];
  return left === undefined || right === undefined ? undefined : order(left, right);
}

/** A string that was not UTF-8 comes with replacement characters, and was another one on the server. */
const isWhole = (text: string): boolean => !text.includes("\ufffd");

/** By length, subtype, then bytes. What the server counts as the length of subtype 2 is not what the driver gives. */
const compareBinary = (a: BSON.Binary, b: BSON.Binary): number | undefined => {
  if (a.sub_type === 2 || b.sub_type === 2) return undefined;
  return a.length() - b.length() || a.sub_type - b.sub_type || Buffer.compare(bytesOf(a), bytesOf(b));
};

const bytesOf = (binary: BSON.Binary): Uint8Array => binary.buffer.subarray(0, binary.length());
const unsigned = (stamp: BSON.Timestamp): bigint => BigInt.asUintN(64, stamp.toBigInt());

/** JavaScript compares a bigint with a number exactly. */
const numberOf = (id: unknown): bigint | number | undefined => {
  if (id instanceof BSON.Int32) return BigInt(id.value);
  if (id instanceof BSON.Long) return id.toBigInt();
  return id instanceof BSON.Double && !Number.isNaN(id.value) ? id.value : undefined;
};

const order = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);

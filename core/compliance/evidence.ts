import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** SHA-256, as hex, of the value as canonical JSON (RFC 8785). */
export const hashJson = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return createHash("sha256").update(text, "utf8").digest("hex");
};

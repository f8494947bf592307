import type { Reply } from "./connection.ts";
import { forever } from "./record.ts";

/** Servers before 7.0 tell only what is left: exact when the clock's millisecond did not change around it; undefined when it did. */
export const expiryBetween = ([before, left, after]: readonly Reply[]): bigint | undefined => {
  // It expired after it was read, and before it was asked for what is left.
  if (Number(left) === -2) return milliseconds(before!);
  if (Number(left) < 0) return forever;
  const [from, to] = [milliseconds(before!), milliseconds(after!)];
  return from === to ? from + BigInt(Number(left)) : undefined;
};

const milliseconds = (time: Reply): bigint => {
  const [seconds, micros] = time as readonly Buffer[];
  return BigInt(String(seconds)) * 1000n + BigInt(String(micros)) / 1000n;
};

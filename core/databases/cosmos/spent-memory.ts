import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

const key = "dbgov: request units spent";
const budgets = 64;

/**
 * Memory that all threads of this process share: for each budget the time at which all that was spent of it is earned, in
 * microseconds since 1970. A thread gets it when it starts, so the main thread loads this module before it starts any.
 */
const made = (): SharedArrayBuffer => {
  const memory = new SharedArrayBuffer(budgets * BigInt64Array.BYTES_PER_ELEMENT);
  if (isMainThread) setEnvironmentData(key, memory);
  return memory;
};

export const earnedAt = new BigInt64Array((getEnvironmentData(key) as unknown as SharedArrayBuffer | undefined) ?? made());

/** The budget's place. Two whose names meet in one are one budget: too little is spent then, never too much. */
export const placeOf = (name: string): number => {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0;
  return (hash >>> 0) % budgets;
};

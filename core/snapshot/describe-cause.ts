import { redact } from "../config/redact.ts";

/** Errors of the program itself, of which the message alone says too little. */
const mistakes = new Set(["TypeError", "ReferenceError", "RangeError"]);

/** The innermost place in this repository that the error came through: ` at core/snapshot/thread.ts:42`. */
const placeOf = ({ stack = "" }: Error): string => {
  const place = /\/((?:core|activities|workflows|workers|client)\/[\w./-]+\.ts:\d+)/.exec(stack)?.[1];
  return place === undefined ? "" : ` at ${place}`;
};

/** The chain of causes behind a failure as one text, for logs and the Temporal UI, with every known secret taken out. */
export const describeCause = (cause: unknown): string => {
  const parts: string[] = [];
  for (let at = cause, depth = 0; at !== undefined && at !== null && depth < 6; depth += 1) {
    if (at instanceof Error) {
      const code = "code" in at && (typeof at.code === "string" || typeof at.code === "number") ? ` (${at.code})` : "";
      parts.push(`${at.name}${code}: ${at.message}${mistakes.has(at.name) ? placeOf(at) : ""}`);
      at = at.cause;
    } else {
      parts.push(String(at));
      break;
    }
  }
  return redact(parts.join(" ← "));
};

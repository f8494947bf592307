import { redact } from "../config/redact.ts";

/** The chain of causes behind a failure as one text, for logs and the Temporal UI, with every known secret taken out. */
export const describeCause = (cause: unknown): string => {
  const parts: string[] = [];
  for (let at = cause, depth = 0; at !== undefined && at !== null && depth < 6; depth += 1) {
    if (at instanceof Error) {
      const code = "code" in at && (typeof at.code === "string" || typeof at.code === "number") ? ` (${at.code})` : "";
      parts.push(`${at.name}${code}: ${at.message}`);
      at = at.cause;
    } else {
      parts.push(String(at));
      break;
    }
  }
  return redact(parts.join(" ← "));
};

import { DefaultLogger, type Logger } from "@temporalio/worker";
import { redact } from "../core/config/redact.ts";

/** One JSON object a line on standard error, with every known secret taken out. */
export const createRedactingLogger = (): Logger =>
  new DefaultLogger("INFO", ({ level: at, message, meta, timestampNanos }) => {
    const line = { time: new Date(Number(timestampNanos / 1_000_000n)).toISOString(), level: at, message, ...meta };
    process.stderr.write(`${redact(JSON.stringify(line, plainErrors))}\n`);
  });

/** Errors become their name and message: JSON would leave them out. */
const plainErrors = (_key: string, value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message } : typeof value === "bigint" ? value.toString() : value;

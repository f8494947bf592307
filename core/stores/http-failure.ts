import { Failure } from "../domain/failure.ts";

/**
 * What an HTTP status of a store means, where the service gives no finer code. Undefined for a success.
 * 408, 425, 429 and 5xx pass by themselves, everything else in 4xx needs somebody.
 */
export const failureOfStatus = (what: string, status: number, detail: string, cause: unknown): Failure => {
  const answer = `${what}: the server answered ${status}${detail === "" ? "" : ` (${detail})`}`;
  const options = { cause: withoutSecrets(cause) };
  if (status === 404 || status === 410) return new Failure("ObjectMissing", answer, options);
  if (status === 507 || status === 402) return new Failure("StoreFull", answer, options);
  if (status >= 500 || status === 408 || status === 425 || status === 429) return new Failure("StoreUnreachable", answer, options);
  return new Failure("StoreRejected", answer, options);
};

/** A failure of the connection itself: nothing answered, or not in HTTP. */
export const failureOfConnection = (what: string, error: unknown): Failure =>
  new Failure("StoreUnreachable", `${what}: ${connectionCode(error)}`, { cause: withoutSecrets(error) });

/** `ECONNREFUSED` and its like, wherever the library has put it. */
const connectionCode = (error: unknown): string => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string" && code !== "REQUEST_SEND_ERROR" && code !== "PARSE_ERROR") return code;
    if (at instanceof AggregateError && at.errors[0] !== undefined) return connectionCode(at.errors[0]);
  }
  return "the connection failed";
};

/**
 * Errors of HTTP libraries hold the request: its URL with a SAS, its authorization header. As a cause only the name,
 * the code, the status and the stack's frames remain.
 */
export const withoutSecrets = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(typeof error);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const plain = new Error([error.name, code, statusCode].filter((part) => part !== undefined).join(" "));
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  plain.stack = [`Error: ${plain.message}`, ...frames].join("\n");
  return plain;
};

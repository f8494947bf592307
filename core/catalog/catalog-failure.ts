import { Failure, type FailureType } from "../domain/failure.ts";

const unreachableCodes = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "ENOENT", "EACCES"],
  // Shutting down, crashed, starting up, too many connections.
  ...["57P01", "57P02", "57P03", "53300"],
]);

/** Errors of `pg` itself, which carry no code. */
const unreachableWords =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|query read timeout|not queryable/i;

const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
};

const isUnreachable = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code !== undefined) return unreachableCodes.has(code) || code.startsWith("08");
  // Every address of a host name was tried in vain.
  if (error instanceof AggregateError) return error.errors.some(isUnreachable);
  return error instanceof Error && unreachableWords.test(error.message);
};

/** Deadlocks and serialization failures: the same transaction may succeed at once. */
export const isTransient = (error: unknown): boolean => ["40001", "40P01"].includes(codeOf(error) ?? "");

const byCode: Readonly<Record<string, readonly [FailureType, string]>> = {
  "28P01": ["AuthenticationRejected", "the catalog rejected its user or password"],
  "28000": ["AuthenticationRejected", "the catalog rejected its user"],
  "3D000": ["DatabaseMissing", "the catalog's database does not exist"],
  "42501": ["PermissionMissing", "the catalog's user lacks a permission on the schema dbgov"],
  "53100": ["StoreFull", "the catalog's disk is full"],
  "42P01": ["Unexpected", "the catalog lacks a table: it was never migrated"],
  "3F000": ["Unexpected", "the catalog lacks its schema: it was never migrated"],
};

/**
 * The failure that an error of `pg` is. The server's own words stay in `cause`, since they may quote values;
 * its code is named.
 */
export const catalogFailure = (error: unknown, during: string): Failure => {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  if (isUnreachable(error)) {
    return new Failure("CatalogUnreachable", `the catalog cannot be reached (${code ?? "connection lost"}) while ${during}`, {
      cause: error,
    });
  }
  const [type, words] = byCode[code ?? ""] ?? [
    "Unexpected",
    `the catalog failed (${code ?? (error as Error | undefined)?.name ?? "unknown"})`,
  ];
  return new Failure(type, `${words} while ${during}`, { cause: error });
};

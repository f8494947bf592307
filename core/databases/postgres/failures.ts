import { Failure, type FailureType, isFailure } from "../../domain/failure.ts";
import { type Address, describe, withoutPassword } from "./address.ts";
import { saysFull } from "./connection-room.ts";

/** What a server says in an ErrorResponse; `pg` throws errors of this shape, and so does our own COPY. */
export interface ServerError {
  readonly code: string;
  readonly message: string;
}

export class CopyError extends Error implements ServerError {
  override readonly name = "CopyError";
  readonly code: string;
  readonly severity: string;
  constructor(code: string, message: string, severity: string) {
    super(message);
    this.code = code;
    this.severity = severity;
  }
}

/** What was being done: the same SQLSTATE means different things while reading and while restoring. */
export type Purpose = "read" | "restore";

/** SQLSTATEs, https://www.postgresql.org/docs/18/errcodes-appendix.html, and what they mean for whoever has to act. */
const byState: Readonly<Record<string, FailureType>> = {
  "28P01": "AuthenticationRejected",
  "28000": "AuthenticationRejected",
  "3D000": "DatabaseMissing",
  "42501": "PermissionMissing",
  "57P01": "DatabaseUnreachable", // admin_shutdown: also pg_terminate_backend
  "57P02": "DatabaseUnreachable",
  "57P03": "DatabaseUnreachable", // cannot_connect_now
  "57P05": "DatabaseUnreachable", // idle_session_timeout
  "25P03": "DatabaseUnreachable", // idle_in_transaction_session_timeout
  "53300": "DatabaseUnreachable", // too_many_connections
};

const whileReading: Readonly<Record<string, FailureType>> = {
  "42P01": "SourceChanged",
  "42703": "SourceChanged",
  "3F000": "SourceChanged",
  "55P03": "SourceChanged", // lock_not_available
  "40001": "DatabaseUnreachable", // a standby's conflict with recovery: the same read again may succeed
  "53200": "EngineUnsupported",
  "54000": "EngineUnsupported", // program_limit_exceeded
  "22021": "EngineUnsupported", // character_not_in_repertoire
};

const hints: Readonly<Record<string, string>> = {
  "53200": "; raise max_locks_per_transaction on the server",
  "54000": "; a row is larger than the server can send, which is 1 GB as text: pg_dump cannot read it either",
  "22021": "; in a database of encoding SQL_ASCII names must be valid UTF-8: rename what is not",
  "55P03": "; another session holds or waits for an exclusive lock on it",
};

const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error && "code" in error && typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) && "severity" in error;

const socketCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "EACCES",
]);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

const unreachable = (error: unknown, where: string): Failure | undefined => {
  const code = codeOf(error);
  if (code !== undefined && socketCodes.has(code))
    return new Failure("DatabaseUnreachable", `${where} cannot be reached: ${code}`, { cause: error });
  const message = error instanceof Error ? error.message : "";
  if (/^(timeout expired|timeout exceeded)/.test(message))
    return new Failure("DatabaseUnreachable", `${where} did not answer in time`, { cause: error });
  if (/^(Connection terminated|Client has encountered a connection error|Client was closed)/.test(message))
    return new Failure("DatabaseUnreachable", `${where} closed the connection`, { cause: error });
  if (/SSL|TLS|certificate|self[- ]signed|altname/i.test(`${code} ${message}`))
    return new Failure("DatabaseUnreachable", `${where} cannot be reached over TLS: ${message}`, { cause: error });
  if (/SASL|password must be a string|SCRAM/i.test(message))
    return new Failure("AuthenticationRejected", `${where} asks for a password that the URL does not give, or a wrong one was given`, {
      cause: error,
    });
  return undefined;
};

/** A value whose text would take more than a gigabyte is an internal error to the server. */
const tooLarge = ({ code, message }: ServerError): boolean => code === "XX000" && message.startsWith("invalid memory alloc request size");

/** The `Failure` that an error of `pg`, of a socket or of the server is. One sentence, with the server's own words, without the password. */
export const toFailure = (error: unknown, address: Address, purpose: Purpose, doing?: string): Failure => {
  if (isFailure(error)) return error;
  const where = describe(address);
  if (!isServerError(error)) {
    return (
      unreachable(error, where) ??
      new Failure("Unexpected", `${doing ?? "work"} on ${where}: ${error instanceof Error ? error.name : typeof error}`, { cause: error })
    );
  }
  const type =
    byState[error.code] ??
    (saysFull(error.message) ? "DatabaseUnreachable" : undefined) ??
    (purpose === "read" ? whileReading[tooLarge(error) ? "54000" : error.code] : undefined) ??
    (purpose === "restore" ? "RestoreFailed" : "Unexpected");
  const said = withoutPassword(address, error.message);
  const hint = purpose === "read" ? (hints[tooLarge(error) ? "54000" : error.code] ?? "") : "";
  return new Failure(type, `${where}: ${doing === undefined ? "" : `${doing}: `}${said} (${error.code})${hint}`, { cause: error });
};

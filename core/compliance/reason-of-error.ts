/**
 * Words for what went wrong while a check read. Messages of drivers and servers are never repeated: they can hold
 * addresses, users and values. Codes are enough, and are kept in the evidence.
 */
export interface ReadFailure {
  readonly kind: "permission" | "unreachable" | "credentials" | "unsupported" | "other";
  readonly code: string;
  readonly words: string;
}

const codeOf = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return "unknown";
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string" || typeof code === "number") return String(code);
  return typeof name === "string" ? name : "unknown";
};

/** Codes from appendix A of PostgreSQL's manual, MongoDB's error_codes.yml, and Node's system errors. */
const known: Readonly<Record<string, Omit<ReadFailure, "code">>> = {
  "42501": { kind: "permission", words: "the role may not read this" },
  "13": { kind: "permission", words: "the user may not run this command" },
  "8000": { kind: "permission", words: "the service does not allow this command" },
  "28P01": { kind: "credentials", words: "the server rejected the user or the password" },
  "28000": { kind: "credentials", words: "the server rejected the user" },
  "18": { kind: "credentials", words: "the server rejected the user or the password" },
  "3D000": { kind: "unreachable", words: "the database does not exist" },
  "53300": { kind: "unreachable", words: "the server has no connection left" },
  "57014": { kind: "other", words: "the statement took too long and was cancelled" },
  "57P01": { kind: "unreachable", words: "the server closed the connection" },
  "57P03": { kind: "unreachable", words: "the server is starting up or shutting down" },
  "42P01": { kind: "unsupported", words: "this server does not have what the check reads" },
  "42703": { kind: "unsupported", words: "this server does not have what the check reads" },
  "42704": { kind: "unsupported", words: "this server does not have what the check reads" },
  "42883": { kind: "unsupported", words: "this server does not have what the check reads" },
  "59": { kind: "unsupported", words: "the server does not know the command" },
  "115": { kind: "unsupported", words: "the server does not support the command" },
  "238": { kind: "unsupported", words: "the server has not implemented the command" },
  ECONNREFUSED: { kind: "unreachable", words: "the server refused the connection" },
  ECONNRESET: { kind: "unreachable", words: "the connection was cut" },
  ENOTFOUND: { kind: "unreachable", words: "the server's name could not be resolved" },
  EAI_AGAIN: { kind: "unreachable", words: "the server's name could not be resolved" },
  ETIMEDOUT: { kind: "unreachable", words: "the server did not answer in time" },
  EHOSTUNREACH: { kind: "unreachable", words: "there is no route to the server" },
  ENETUNREACH: { kind: "unreachable", words: "there is no route to the server" },
  ENOENT: { kind: "unreachable", words: "the server's socket or a file that the connection needs does not exist" },
  MongoServerSelectionError: { kind: "unreachable", words: "the server could not be reached" },
  MongoNetworkError: { kind: "unreachable", words: "the connection failed" },
  MongoNetworkTimeoutError: { kind: "unreachable", words: "the server did not answer in time" },
  MongoParseError: { kind: "other", words: "the connection URL is malformed" },
  ERR_INVALID_URL: { kind: "other", words: "the connection URL is malformed" },
};

export const describeReadFailure = (error: unknown): ReadFailure => {
  const code = codeOf(error);
  const found = known[code];
  if (found !== undefined) return { code, ...found };
  // Node reports a host with several addresses as one error around one for each.
  if (error instanceof AggregateError && error.errors.length > 0) return describeReadFailure(error.errors[0]);
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/.test(code)) {
    return { kind: "unreachable", code, words: "the TLS connection could not be established" };
  }
  return { kind: "other", code, words: "the server's answer could not be used" };
};

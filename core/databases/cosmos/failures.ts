import { Failure, type FailureType } from "../../domain/failure.ts";
import type { Address } from "./address.ts";

/** A reply with a status of 400 or more. */
export class CosmosError extends Error {
  override readonly name = "CosmosError";
  readonly status: number;
  /** `x-ms-substatus`; 0 when there is none. */
  readonly substatus: number;
  /** What the server said, cut where its own diagnostics begin. */
  readonly words: string;
  constructor(status: number, substatus: number, body: Buffer) {
    const words = serverWords(body);
    super(`status ${status}${substatus === 0 ? "" : `/${substatus}`}${words === "" ? "" : `: ${words}`}`);
    this.status = status;
    this.substatus = substatus;
    this.words = words;
  }
}

/** The account has refused requests for want of request units for longer than anybody waits. */
export class ThrottledTooLong extends Error {
  override readonly name = "ThrottledTooLong";
}

/** The server is dividing the partition that was being read; what is read anew finds its halves. */
export const isSplit = (error: unknown): boolean =>
  error instanceof CosmosError && error.status === 410 && [1000, 1002, 1007, 1008].includes(error.substatus);

export const isMissing = (error: unknown): boolean => error instanceof CosmosError && error.status === 404;

/** Of the account as a whole: a resource that this server does not know at all, as emulators have no throughput settings. */
export const isNotOffered = (error: unknown): boolean => error instanceof CosmosError && [400, 404, 405, 501].includes(error.status);

/** A path that this server does not know, as emulators have no procedures. 404 says that only of what must be there, and 400 only in words. */
export const isUnknownRoute = (error: unknown): boolean =>
  error instanceof CosmosError &&
  ([405, 501].includes(error.status) || (error.status === 400 && /no route|not (implemented|supported)|unsupported/i.test(error.words)));

function serverWords(body: Buffer): string {
  let text = "";
  try {
    text = String((JSON.parse(body.toString("utf8")) as { message?: unknown }).message ?? "");
  } catch {
    // An HTML page of something between us and the server says nothing to anybody.
  }
  // The service puts its own errors into `Message: {"Errors":["…"]}`; what follows are its diagnostics.
  const inner = /"Errors":\["((?:[^"\\]|\\.)*)/.exec(text)?.[1] ?? text;
  return inner
    .split(/ActivityId|Request URI|\r|\n|\{|, RequestStats/)[0]!
    .trim()
    .replace(/[.,;:]+$/, "")
    .slice(0, 200);
}

/** The failure that an error of server or network means. `during` is a clause like `reading container "a"`; `otherwise` is for replies of no class of their own. */
export function cosmosFailure(error: unknown, address: Address, during: string, otherwise: FailureType = "Unexpected"): Failure {
  if (error instanceof Failure) return error;
  const fail = (type: FailureType, why: string): Failure =>
    new Failure(type, address.scrub(`Cosmos DB at ${address.label}, ${during}: ${why}.`), { cause: error });
  if (error instanceof ThrottledTooLong) return fail("DatabaseUnreachable", error.message);
  if (error instanceof CosmosError) return ofStatus(error, fail, otherwise);
  if (isSystemError(error)) return fail("DatabaseUnreachable", `the account does not answer (${codeOf(error)})`);
  if (error instanceof SyntaxError) return fail("DatabaseUnreachable", "the reply is no JSON, so something else answers at that address");
  return fail(otherwise, error instanceof Error ? error.name : typeof error);
}

function ofStatus(error: CosmosError, fail: (type: FailureType, why: string) => Failure, otherwise: FailureType): Failure {
  const { status, substatus, words } = error;
  const said = `status ${status}${substatus === 0 ? "" : `/${substatus}`}${words === "" ? "" : `, ${words}`}`;
  switch (status) {
    case 401:
      // The service's own sentence repeats what was signed; it helps nobody.
      return fail("AuthenticationRejected", "the account rejected the key");
    case 403:
      if (/firewall|public internet|virtual network|vnet|\bIP\b/i.test(words))
        return fail("DatabaseUnreachable", "the account's firewall does not let this machine in");
      if (/not valid at the current time|token.*(time|expired)/i.test(words))
        return fail("AuthenticationRejected", "the account finds the request too old or too new: set this machine's clock");
      if (substatus === 1008) return fail("DatabaseUnreachable", "the account is being moved or deleted");
      if (substatus === 3) return fail("DatabaseUnreachable", "the region is not the one that takes writes now");
      return fail("PermissionMissing", `the key does not allow it, as a read-only key does not allow writing (${said})`);
    case 408:
    case 410:
    case 449:
    case 503:
      return fail("DatabaseUnreachable", `the account is not able to answer now (${said})`);
    default:
      return status >= 500 ? fail("DatabaseUnreachable", `the account failed by itself (${said})`) : fail(otherwise, said);
  }
}

const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && (error.name === "TimeoutError" || codeOf(error) !== undefined || error.message === "fetch failed");

/** `fetch` hides the reason in its cause. */
const codeOf = (error: Error): string | undefined => {
  if (error.name === "TimeoutError") return "no reply within its time";
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return error.message === "fetch failed" ? "connection failed" : undefined;
};

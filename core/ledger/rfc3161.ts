import { randomBytes } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import { readAnswer } from "../stores/bounded-answer.ts";
import type { Certificate } from "./verify/certificates.ts";
import { childrenOf, readDer, readElements, tags } from "./verify/der.ts";
import { toHex } from "./verify/hash.ts";
import { openTimestamp, type Timestamp } from "./verify/timestamp.ts";

/** A time-stamping authority that answers RFC 3161 requests over HTTP. */
export interface Authority {
  readonly name: string;
  readonly url: string;
  readonly roots: readonly Certificate[];
  /** Milliseconds that an answer may take. @default 30000 */
  readonly timeoutMs?: number;
}

const largestAnswer = 131_072;

/**
 * A token for `hash` (SHA-256), which is verified with its chain before anybody gets it. Throws `AuthorityUnreachable` when no proper answer
 * comes, and `AuthorityRejected` when the authority refuses, or its token does not hold.
 */
export const requestTimestamp = async (authority: Authority, hash: Uint8Array): Promise<{ token: Uint8Array; timestamp: Timestamp }> => {
  const nonce = randomBytes(8);
  // A positive integer in its shortest form.
  nonce[0] = (nonce[0]! & 0x7f) | 0x40;
  const where = `time-stamping authority ${authority.name} at ${new URL(authority.url).host}`;
  const answer = await post(authority, where, requestOf(hash, nonce));
  const token = tokenIn(answer, where);
  const timestamp = openTimestamp(token, hash, authority.roots);
  if ("reason" in timestamp) throw new Failure("AuthorityRejected", `${where}: its token ${timestamp.reason}`);
  if (timestamp.nonce !== toHex(nonce)) throw new Failure("AuthorityRejected", `${where}: its token answers another request`);
  return { token, timestamp };
};

const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([Uint8Array.of(tag, content.length), content]));
};

const sha256Algorithm = Buffer.from("300d06096086480165030402010500", "hex");

/** TimeStampReq, RFC 3161 section 2.4.1, which asks for the certificates; short enough for lengths of one byte. */
const requestOf = (hash: Uint8Array, nonce: Uint8Array): Uint8Array =>
  der(
    tags.sequence,
    der(tags.integer, Uint8Array.of(1)),
    der(tags.sequence, sha256Algorithm, der(tags.octets, hash)),
    der(tags.integer, nonce),
    der(tags.boolean, Uint8Array.of(0xff)),
  );

const post = async ({ url, timeoutMs = 30_000 }: Authority, where: string, body: Uint8Array): Promise<Uint8Array> => {
  let response: Response;
  let bytes: Uint8Array;
  try {
    const headers = { "content-type": "application/timestamp-query", accept: "application/timestamp-reply" };
    response = await fetch(url, { method: "POST", headers, body: body as Uint8Array<ArrayBuffer>, signal: AbortSignal.timeout(timeoutMs) });
    bytes = await readAnswer(response, largestAnswer);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure("AuthorityRejected", `${where}: ${error.message}`, { cause: error });
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const reason = timedOut ? `no answer within ${timeoutMs} ms` : "no connection";
    throw new Failure("AuthorityUnreachable", `${where}: ${reason}`, { cause: error });
  }
  if (!response.ok) throw new Failure("AuthorityUnreachable", `${where}: it answers HTTP ${response.status}`);
  return bytes;
};

/** TimeStampResp, section 2.4.2. */
const tokenIn = (answer: Uint8Array, where: string): Uint8Array => {
  let status: string;
  let token: Uint8Array | undefined;
  try {
    const [info, found] = childrenOf(readDer(answer), tags.sequence, "answer");
    const [code] = childrenOf(info, tags.sequence, "status");
    status = toHex(code?.content ?? new Uint8Array());
    token = found?.bytes;
    readElements(token ?? new Uint8Array());
  } catch (cause) {
    throw new Failure("AuthorityUnreachable", `${where}: its answer is no RFC 3161 reply`, { cause });
  }
  // 0 is granted, 1 granted with modifications.
  if ((status !== "00" && status !== "01") || token === undefined) {
    throw new Failure("AuthorityRejected", `${where}: it refuses (status ${Number.parseInt(status, 16)})`);
  }
  return token;
};

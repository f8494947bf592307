import { Failure } from "../../domain/failure.ts";
import { readAnswer } from "../../stores/bounded-answer.ts";

/** Which chain, and by which nodes. `rpc` may hold a secret: no message has more of it than the host. */
export interface ChainPlace {
  readonly rpc: string;
  /** More nodes of the chain, of other providers. */
  readonly otherRpcs?: readonly string[];
  /** How many of all nodes must give an answer before it is believed. @default more than half of them */
  readonly quorum?: number;
  readonly chainId: number;
  /** Milliseconds that one request may take. @default 15000 */
  readonly timeoutMs?: number;
}

/** Calls a JSON-RPC method. Throws `ChainUnreachable` when the node does not answer properly in time, `RpcRefusal` when it says no. */
export type Ask = <T>(method: string, params: readonly unknown[]) => Promise<T>;

/** What the node said no with. It does not cross the module's boundary: `withChain` makes it a `Failure`. */
export class RpcRefusal extends Error {
  override readonly name = "RpcRefusal";
  /** What a contract reverted with, `0x…`. */
  readonly data: string | undefined;
  constructor(message: string, data: string | undefined) {
    super(message);
    this.data = data;
  }
}

/** Runs `work` against the node `rpc` after checking that it is one of the right chain. Throws `ChainUnreachable` and `ChainRejected`. */
export const withChain = async <T>(place: ChainPlace, work: (ask: Ask, where: string) => Promise<T>): Promise<T> => {
  const where = whereOf({ rpc: place.rpc, chainId: place.chainId });
  const ask: Ask = (method, params) => request(place, where, method, params) as Promise<never>;
  try {
    const found = Number(await ask<string>("eth_chainId", []));
    if (found !== place.chainId) throw new Failure("ChainRejected", `${where}: this is a node of chain ${found}`);
    return await work(ask, where);
  } catch (error) {
    if (error instanceof RpcRefusal) throw new Failure("ChainRejected", `${where}: ${error.message}`, { cause: error });
    throw error;
  }
};

/** Each node by itself. */
export const nodesOf = ({ rpc, otherRpcs = [], chainId, timeoutMs }: ChainPlace): ChainPlace[] =>
  [rpc, ...otherRpcs].map((one) => ({ rpc: one, chainId, ...(timeoutMs === undefined ? {} : { timeoutMs }) }));

/** How messages name the place. */
export const whereOf = ({ chainId, rpc, otherRpcs = [] }: ChainPlace): string =>
  otherRpcs.length > 0 ? `chain ${chainId}` : `chain ${chainId} at ${hostOf(rpc)}`;

export const hostOf = (rpc: string): string => (URL.canParse(rpc) ? new URL(rpc).host : "an address that is not a URL");

/** Codes with which providers say that there were too many requests (EIP-1474 and habit). */
const busyCodes = new Set([-32005, -32016, 429]);

const request = async (place: ChainPlace, where: string, method: string, params: readonly unknown[]): Promise<unknown> => {
  const answer = await post(place, where, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  if (!answer.ok) throw refusalOfHttp(where, answer.status);
  const body = parseAnswer(answer.text);
  if (body === undefined) throw new Failure("ChainUnreachable", `${where}: the answer to ${method} is not JSON-RPC`);
  if (body.error === undefined || body.error === null) return body.result;
  const said = String(body.error.message ?? "no reason given").slice(0, 200);
  if (busyCodes.has(Number(body.error.code))) throw new Failure("ChainUnreachable", `${where}: the node is too busy (${said})`);
  throw new RpcRefusal(`${method} is refused: ${said}`, revertDataOf(body.error.data));
};

/** Room for all receipts of a full block, which evidence is made of. */
const largestAnswer = 64 * 1024 * 1024;

const post = async (place: ChainPlace, where: string, body: string): Promise<{ ok: boolean; status: number; text: string }> => {
  const { rpc, timeoutMs = 15_000 } = place;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(rpc, { method: "POST", headers: { "content-type": "application/json" }, body, signal });
    return { ok: response.ok, status: response.status, text: new TextDecoder().decode(await readAnswer(response, largestAnswer)) };
  } catch (error) {
    if (error instanceof RangeError) throw new Failure("ChainUnreachable", `${where}: ${error.message}`, { cause: error });
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const reason = timedOut ? `no answer within ${timeoutMs} ms` : codeOf(error);
    throw new Failure("ChainUnreachable", `${where}: the node cannot be reached (${reason})`, { cause: error });
  }
};

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === "string" ? cause.code : "no connection";
};

const refusalOfHttp = (where: string, status: number): Failure =>
  status === 401 || status === 403
    ? new Failure("ChainRejected", `${where}: the node answers HTTP ${status}; its key or its permission is wrong`)
    : new Failure("ChainUnreachable", `${where}: the node answers HTTP ${status}`);

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown } | null;
}

const parseAnswer = (text: string): Answer | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && ("result" in value || "error" in value) ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
};

/** Nodes put the revert data into `data` itself, or one level deeper. */
const revertDataOf = (data: unknown): string | undefined => {
  const found = typeof data === "object" && data !== null ? (data as { data?: unknown }).data : data;
  return typeof found === "string" && found.startsWith("0x") ? found : undefined;
};

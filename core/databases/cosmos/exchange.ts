import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "./address.ts";
import { CosmosError, ThrottledTooLong } from "./failures.ts";
import { type Budget, chargeOf, spend } from "./request-units.ts";
import { authorization } from "./signature.ts";

/** One request of Cosmos DB's REST interface. */
export interface Request {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Alternating kinds and ids, as `["dbs", "shop", "colls", "orders", "docs"]`; ids as they are, not encoded. */
  readonly resource: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Whether doing it twice is the same as doing it once, so that it is repeated after a reply got lost. */
  readonly repeatable?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Request units, those of refused attempts included. */
  readonly charge: number;
}

/** The version of the interface that knows hierarchical partition keys. */
const restVersion = "2020-07-15";
const replyWithinMs = 60_000;
/** The account throttles for so long, and no request gets through: then somebody should know. */
const throttledAtMostMs = 4 * 60_000;
const retryAfterMs = { otherwise: 1_000, most: 60_000 } as const;
const pausesMs = [300, 1_000, 3_000] as const;

/**
 * Sends a request within the budget, again if it was throttled (for as long as the server says, up to 4 minutes in all) or,
 * if it is repeatable, if the account or the connection failed for a moment (3 times). Throws `CosmosError` for a status of 400 or more.
 */
export async function exchange(
  address: Address,
  budget: Budget,
  request: Request,
  signal: AbortSignal,
  waiting: (why: string) => void = () => undefined,
): Promise<Reply> {
  signal.throwIfAborted();
  return await spend(budget, signal, () => attempts(address, request, signal, waiting));
}

interface Attempts {
  readonly charge: number;
  readonly outcome: () => Reply;
}

async function attempts(address: Address, request: Request, signal: AbortSignal, waiting: (why: string) => void): Promise<Attempts> {
  let charge = 0;
  let throttledMs = 0;
  let failed = 0;
  const repeatable = request.method === "GET" || request.repeatable === true;
  for (;;) {
    let reply: Reply;
    try {
      reply = await send(address, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      const pause = pausesMs[failed++];
      if (!repeatable || pause === undefined) throw error;
      await delay(pause, undefined, { signal });
      continue;
    }
    charge += reply.charge;
    if (reply.status < 400) {
      const total = { ...reply, charge };
      return { charge, outcome: () => total };
    }
    const pause = reply.status === 429 ? throttlePause(reply) : repeatable && isPassing(reply) ? pausesMs[failed++] : undefined;
    if (reply.status === 429) {
      throttledMs += pause ?? 0;
      waiting("throttled by the account");
    }
    if (pause === undefined || throttledMs > throttledAtMostMs) {
      const error = reply.status === 429 ? throttledTooLong() : new CosmosError(reply.status, substatusOf(reply), reply.body);
      return { charge, outcome: () => raise(error) };
    }
    await delay(pause, undefined, { signal });
  }
}

const raise = (error: Error): never => {
  throw error;
};

const throttledTooLong = (): Error =>
  new ThrottledTooLong(
    `the account has throttled a request for ${throttledAtMostMs / 60_000} minutes; its request units are used up by others, or RequestUnitShare is too large`,
  );

const throttlePause = ({ headers }: Reply): number => {
  const said = Number(headers.get("x-ms-retry-after-ms") ?? Number.NaN);
  return said >= 0 ? Math.min(Math.max(said, 1), retryAfterMs.most) : retryAfterMs.otherwise;
};

const substatusOf = ({ headers }: Reply): number => Number(headers.get("x-ms-substatus") ?? 0) || 0;

/** Whether the same request may well succeed in a moment. A partition that is being split is another matter. */
function isPassing(reply: Reply): boolean {
  const { status } = reply;
  // This replica has not seen the session's last write yet, or the container is still being made.
  if (status === 404) return [1002, 1013].includes(substatusOf(reply));
  return [408, 449, 500, 502, 503, 504].includes(status) || (status === 410 && substatusOf(reply) === 0);
}

async function send(address: Address, request: Request, signal: AbortSignal): Promise<Reply> {
  const { method, resource, body } = request;
  const date = new Date().toUTCString();
  // A feed has one name more than it has ids: it is signed for by its parent.
  const isFeed = resource.length % 2 === 1;
  const resourceType = resource.at(isFeed ? -1 : -2) ?? "";
  const resourceLink = (isFeed ? resource.slice(0, -1) : resource).join("/");
  const response = await fetch(`${address.origin}/${resource.map(encodeURIComponent).join("/")}`, {
    method,
    headers: {
      accept: "application/json",
      "user-agent": "dbgov",
      "x-ms-version": restVersion,
      "x-ms-date": date,
      authorization: authorization({ method, resourceType, resourceLink, date, key: address.key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...request.headers,
    },
    ...(body === undefined ? {} : { body }),
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(replyWithinMs)]),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status, headers } = response;
  const size = Math.max(bytes.length, body?.length ?? 0);
  const charge =
    status === 429 && headers.get("x-ms-request-charge") === null
      ? 0
      : chargeOf(headers.get("x-ms-request-charge"), size, body !== undefined);
  return { status, headers, body: bytes, charge };
}

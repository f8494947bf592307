import { createHash } from "node:crypto";
import { CID } from "ipfs-http-client";
import { Failure } from "../domain/failure.ts";
import { readAnswer } from "./bounded-answer.ts";
import { failureOfConnection, failureOfStatus } from "./http-failure.ts";
import { withinLimit } from "./time-limit.ts";

/** Another keeper of the objects, by the IPFS Pinning Service API 1.0 (https://ipfs.github.io/pinning-services-api-spec/). */
export interface PinningService {
  /**
   * Asks the service to keep `cid` under `name`, unless it does or is about to, and lets go of what it kept under that name before.
   * `origins` are addresses of who has the bytes. Returns the addresses of the nodes that will fetch them.
   */
  keep(name: string, cid: string, origins: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** How far it is: `promised` while it fetches; `none` when it knows nothing, or has given up. */
  state(name: string, cid: string, signal: AbortSignal): Promise<"kept" | "promised" | "none">;
  /** Lets go of everything under `name`. */
  release(name: string, signal: AbortSignal): Promise<void>;
}

interface PinStatus {
  readonly requestid: string;
  readonly status: "queued" | "pinning" | "pinned" | "failed";
  readonly pin: { readonly cid: string };
  readonly delegates?: readonly string[];
}

/** The most that the specification lets one page have. One name has a few. */
const pageSize = 1_000;
const largestAnswer = 4 << 20;
const longestName = 255;

/** Whoever asks for no status is shown only what is pinned. */
const everyStatus = "queued,pinning,pinned,failed";

/** Throws `ConfigurationInvalid` for an endpoint that cannot be one. Does no I/O. */
export const openPinningService = (store: string, config: { endpoint: string; token: string }, silenceMs: number): PinningService => {
  const endpoint = URL.parse(config.endpoint);
  if (endpoint === null || !/^https?:$/.test(endpoint.protocol) || endpoint.username !== "" || endpoint.password !== "") {
    throw new Failure(
      "ConfigurationInvalid",
      `store "${store}": the pinning service's endpoint must be an http or https URL without a password`,
    );
  }
  const base = `${endpoint.origin}${endpoint.pathname.replace(/\/$/, "")}`;
  const where = `store "${store}", pinning service (${base})`;

  const ask = <T>(doing: string, method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<T> => {
    const what = `${where}: ${doing}`;
    return withinLimit({ what, signal, ms: silenceMs }, async (stop) => {
      const headers = { authorization: `Bearer ${config.token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      let status: number;
      let text: string;
      try {
        const answer = await fetch(`${base}${path}`, { method, headers, signal: stop, redirect: "error", ...sent });
        status = answer.status;
        text = new TextDecoder().decode(await readAnswer(answer, largestAnswer));
      } catch (error) {
        throw stop.aborted ? error : failureOfConnection(what, error);
      }
      if (status < 200 || status > 299) throw failureOf(what, method, status, reasonIn(text));
      if (text === "") return undefined as T;
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new Failure("StoreRejected", `${what}: the answer is no JSON; this is not a pinning service`, { cause });
      }
    });
  };

  const pinsOf = async (name: string, signal: AbortSignal): Promise<readonly PinStatus[]> => {
    const query = new URLSearchParams({ name: nameOf(name), match: "exact", status: everyStatus, limit: String(pageSize) });
    const { results } = await ask<{ results?: PinStatus[] }>(`look-up of ${name}`, "GET", `/pins?${query}`, undefined, signal);
    if (!Array.isArray(results)) throw new Failure("StoreRejected", `${where}: look-up of ${name}: the answer has no list of pins`);
    return results;
  };

  const remove = async (name: string, { requestid }: PinStatus, signal: AbortSignal): Promise<void> => {
    try {
      await ask(`release of ${name}`, "DELETE", `/pins/${encodeURIComponent(requestid)}`, undefined, signal);
    } catch (error) {
      if (!(error instanceof Failure && error.type === "ObjectMissing")) throw error;
    }
  };

  return {
    keep: async (name, cid, origins, signal) => {
      const known = await pinsOf(name, signal);
      const good = known.find((pin) => isOf(cid)(pin) && pin.status !== "failed");
      const body = { cid, name: nameOf(name), origins: origins.slice(0, 20) };
      const { delegates = [] } = good ?? (await ask<PinStatus>(`request to keep ${name}`, "POST", "/pins", body, signal));
      for (const pin of known) if (pin !== good) await remove(name, pin, signal);
      return delegates;
    },
    state: async (name, cid, signal) => {
      const states = (await pinsOf(name, signal)).filter(isOf(cid)).map(({ status }) => status);
      if (states.includes("pinned")) return "kept";
      return states.includes("queued") || states.includes("pinning") ? "promised" : "none";
    },
    release: async (name, signal) => {
      for (const pin of await pinsOf(name, signal)) await remove(name, pin, signal);
    },
  };
};

/** A service may write the same CID in another base. */
const isOf = (cid: string) => {
  const wanted = CID.parse(cid);
  return ({ pin }: PinStatus): boolean => CID.parse(pin.cid).equals(wanted);
};

const nameOf = (path: string): string => (path.length <= longestName ? path : `sha256-${createHash("sha256").update(path).digest("hex")}`);

/** The service's own word for what went wrong: `INSUFFICIENT_FUNDS`. Its sentences may hold anything, and are left out. */
const reasonIn = (text: string): string => {
  try {
    const { error } = JSON.parse(text) as { error?: { reason?: unknown } };
    return typeof error?.reason === "string" && /^[A-Z0-9_]{1,64}$/.test(error.reason) ? error.reason : "";
  } catch {
    return "";
  }
};

const failureOf = (what: string, method: string, status: number, reason: string): Failure => {
  if (status === 409 || reason === "INSUFFICIENT_FUNDS") {
    return new Failure("StoreFull", `${what}: the service has no room or no payment left (${reason || status})`);
  }
  if (status === 404 && method !== "DELETE")
    return new Failure("StoreRejected", `${what}: the server answered 404; this is not a pinning service`);
  return failureOfStatus(what, status, reason, undefined);
};

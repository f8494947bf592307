import Arweave from "arweave";
import { Failure } from "../domain/failure.ts";
import { failureOfConnection, failureOfStatus } from "./http-failure.ts";
import { withinLimit } from "./time-limit.ts";

/** A gateway, and how to name it in a sentence. */
export interface Gateway {
  readonly where: string;
  readonly url: URL;
}

/** The parts of the library that are used, bound to one call's signal: it has none of its own. */
export type GatewayCall = Pick<Arweave, "api" | "createTransaction" | "transactions">;

/** Throws `ConfigurationInvalid` for an address that cannot be one. Does no I/O. */
export const openGateway = (store: string, address: string): Gateway => {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new Failure("ConfigurationInvalid", `store "${store}": gateway must be an http or https URL without a password`);
  }
  return { where: `store "${store}" (${url.origin})`, url };
};

/** One conversation with the gateway within `ms` of silence. Every answer counts as progress. */
export const askGateway = <T>(
  gateway: Gateway,
  doing: string,
  ms: number,
  signal: AbortSignal,
  work: (arweave: GatewayCall, signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const what = `${gateway.where}: ${doing}`;
  return withinLimit({ what, signal, ms }, async (stop, progressed) => {
    const { protocol, hostname, port } = gateway.url;
    const arweave = Arweave.init({ protocol: protocol.slice(0, -1), host: hostname, ...(port === "" ? {} : { port }) });
    const request = arweave.api.request.bind(arweave.api);
    arweave.api.request = async (endpoint, init) => {
      const answer = await request(endpoint, { ...init, signal: stop });
      progressed();
      // The library reads on from bad answers to bad guesses: stop here instead.
      if (answer.status >= 500 || answer.status === 429 || answer.status === 401 || answer.status === 403) {
        throw failureOfStatus(what, answer.status, "", undefined);
      }
      return answer as never;
    };
    try {
      return await work(arweave, stop);
    } catch (error) {
      if (stop.aborted || error instanceof Failure) throw error;
      throw failureOfConnection(what, error);
    }
  });
};

/** What goes wrong by itself comes first, then what shows a lie. */
const weight = ["StoreUnreachable", "StoreRejected", "ObjectCorrupt", "ObjectMissing"] as const;

/** The answer of the first gateway that gives a good one. When none does, the failure says what each of them did. */
export const askEach = async <T>(gateways: readonly Gateway[], ask: (gateway: Gateway) => Promise<T>, signal: AbortSignal): Promise<T> => {
  const failures: Failure[] = [];
  for (const gateway of gateways) {
    try {
      return await ask(gateway);
    } catch (error) {
      if (!(error instanceof Failure) || signal.aborted) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  const type = weight.find((one) => failures.some((failure) => failure.type === one)) ?? "StoreUnreachable";
  throw new Failure(type, failures.map(({ message }) => message).join("; "), { cause: failures[0] });
};

/** `missing`: the network does not know the transaction, or has dropped it. */
export type TransactionState = "missing" | "pending" | "confirmed";

export const transactionState = async (arweave: GatewayCall, id: string): Promise<TransactionState> => {
  const confirmations = await confirmationsOf(arweave, id);
  return confirmations === undefined ? "missing" : confirmations < 0 ? "pending" : "confirmed";
};

/** How many blocks are on top of the one that holds the transaction; -1 while none holds it, undefined when the gateway does not know it. */
export const confirmationsOf = async (arweave: GatewayCall, id: string): Promise<number | undefined> => {
  const { status, confirmed } = await arweave.transactions.getStatus(id);
  if (status === 202) return -1;
  if (status !== 200) return undefined;
  const { block_height: height, number_of_confirmations: count } = (confirmed ?? {}) as {
    block_height?: unknown;
    number_of_confirmations?: unknown;
  };
  return height === undefined ? -1 : Number(count ?? 0);
};

/** The data of a transaction; undefined while the gateway does not serve it. */
export const transactionData = async (arweave: GatewayCall, id: string): Promise<Uint8Array | undefined> => {
  const answer = await arweave.api.get<ArrayBuffer>(id, { responseType: "arraybuffer" });
  return answer.status === 200 ? new Uint8Array(answer.data) : undefined;
};

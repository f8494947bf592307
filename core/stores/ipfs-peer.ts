import { create, type KuboRPCClient } from "ipfs-http-client";
import { Failure } from "../domain/failure.ts";
import { failureOfConnection, failureOfStatus, withoutSecrets } from "./http-failure.ts";
import { withinLimit } from "./time-limit.ts";

/** One Kubo node, through its RPC API. */
export interface IpfsPeer {
  readonly name: string;
  /** For texts: the API's address, which holds no secret. */
  readonly where: string;
  readonly client: KuboRPCClient;
  /** A call as it is, for what the client does not know. The answer is one of success. */
  readonly post: (call: string, args: Readonly<Record<string, string | readonly string[]>>, signal: AbortSignal) => Promise<Response>;
}

export interface PeerConfig {
  readonly name: string;
  readonly api: string;
  readonly token?: string | undefined;
}

/** Throws `ConfigurationInvalid` for an address that cannot be one. Does no I/O. */
export const openPeer = (store: string, config: PeerConfig): IpfsPeer => {
  const url = URL.parse(config.api);
  const where = `store "${store}", peer "${config.name}"`;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Failure("ConfigurationInvalid", `${where}: api must be an http or https URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new Failure("ConfigurationInvalid", `${where}: api must not hold a password; use token`);
  }
  const headers = config.token === undefined ? {} : { authorization: `Bearer ${config.token}` };
  return {
    name: config.name,
    where: `${where} (${url.origin})`,
    client: create({ url: url.origin, headers }),
    post: async (call, args, signal) => {
      const query = new URLSearchParams(
        Object.entries(args).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])),
      );
      const response = await fetch(`${url.origin}/api/v0/${call}?${query}`, { method: "POST", headers, signal });
      if (response.ok) return response;
      throw Object.assign(new Error(messageOf(await response.text())), { response: { status: response.status } });
    },
  };
};

/** Kubo's reason, which it wraps in JSON; anything else as it is. */
const messageOf = (body: string): string => {
  try {
    return String((JSON.parse(body) as { Message?: unknown }).Message ?? "");
  } catch {
    return body;
  }
};

/** The values of an answer that has one JSON value in each line, as they come. */
export async function* linesOf<Line>(answer: Response): AsyncGenerator<Line> {
  let rest = "";
  for await (const text of (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Line;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as Line;
}

/** One call to `peer` within `ms` of silence; its errors become failures that name the peer. */
export const askPeer = <T>(
  peer: IpfsPeer,
  doing: string,
  ms: number,
  signal: AbortSignal,
  work: (client: KuboRPCClient, signal: AbortSignal, progressed: () => void) => Promise<T>,
): Promise<T> => {
  const what = `${peer.where}: ${doing}`;
  return withinLimit({ what, signal, ms }, async (stop, progressed) => {
    try {
      return await work(peer.client, stop, progressed);
    } catch (error) {
      throw stop.aborted ? error : failureOfKubo(what, error);
    }
  });
};

/** Kubo answers 500 to everything that went wrong, with its reason as text. */
export const kuboSays = (error: unknown, reason: RegExp): boolean => error instanceof Error && reason.test(error.message);

/** There is no such name. */
export const noSuchName = /file does not exist|no link named/;

const failureOfKubo = (what: string, error: unknown): Failure => {
  if (error instanceof Failure) return error;
  const status = (error as { response?: { status?: number } }).response?.status;
  if (status === undefined) return failureOfConnection(what, error);
  // Kubo's words name CIDs and its own paths, nothing of ours; another server's page is cut short.
  const words = (error instanceof Error ? error.message : "").replaceAll(/\s+/g, " ").slice(0, 160);
  const options = { cause: withoutSecrets(error) };
  if (kuboSays(error, /no space left on device|disk quota exceeded|storage limit/i)) {
    return new Failure("StoreFull", `${what}: the peer's disk is full`, options);
  }
  if (status === 404 || status === 405) {
    return new Failure("StoreRejected", `${what}: the server answered ${status}; this is not a Kubo RPC API`, options);
  }
  return failureOfStatus(what, status, words, error);
};

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { CID, create, multiaddr } from "ipfs-http-client";
import { type BadServer, listen, wholeOf } from "./store-servers.ts";

export interface StubPin {
  readonly requestid: string;
  readonly created: string;
  status: "queued" | "pinning" | "pinned" | "failed";
  readonly pin: { readonly cid: string; readonly name?: string; readonly origins?: readonly string[] };
  readonly delegates: readonly string[];
}

/**
 * A stub of a pinning service, written from the IPFS Pinning Service API specification 1.0.0. What it stands for is real: it has a kubo
 * node fetch and pin what it is asked to keep, while `fetching`. It shows without a `status` only what is pinned, and at most ten pins without a `limit`, as
 * the specification says.
 */
export interface PinningStub extends BadServer {
  readonly pins: StubPin[];
  /** Ends when nothing is left to fetch. */
  readonly idle: () => Promise<unknown>;
  /** False: what is asked for stays queued. */
  fetching: boolean;
  /** An answer to give to everything: a status, and the specification's `reason`. */
  refusal: { readonly status: number; readonly reason: string } | undefined;
}

const statuses = ["queued", "pinning", "pinned", "failed"];

export const pinningStub = async (node: string, token: string): Promise<PinningStub> => {
  const client = create({ url: node });
  const { addresses } = await client.id();
  const delegates = addresses.map(String);
  const running = new Set<Promise<void>>();

  const fetchIt = async (entry: StubPin): Promise<void> => {
    entry.status = "pinning";
    try {
      for (const origin of entry.pin.origins ?? []) await client.swarm.connect(multiaddr(origin)).catch(() => {});
      await client.pin.add(CID.parse(entry.pin.cid));
      entry.status = "pinned";
    } catch {
      entry.status = "failed";
    }
  };

  const answer = (incoming: IncomingMessage, body: string): { status: number; body?: object } => {
    const failing = (status: number, reason: string) => ({ status, body: { error: { reason, details: `details of ${token}` } } });
    if (stub.refusal !== undefined) return failing(stub.refusal.status, stub.refusal.reason);
    if (incoming.headers.authorization !== `Bearer ${token}`) return failing(401, "UNAUTHORIZED");
    const url = new URL(incoming.url ?? "", "http://stub");
    const [, , pins, requestid] = url.pathname.split("/");
    if (pins !== "pins") return failing(404, "NOT_FOUND");
    const ask = (name: string): string | null => url.searchParams.get(name);
    const entry = stub.pins.find((one) => one.requestid === requestid);
    if (incoming.method === "GET" && requestid === undefined) {
      const wanted = (ask("status") ?? "pinned").split(",");
      if (wanted.some((status) => !statuses.includes(status))) return failing(400, "BAD_REQUEST");
      const found = stub.pins.filter(({ pin, status }) => wanted.includes(status) && (ask("name") === null || pin.name === ask("name")));
      return { status: 200, body: { count: found.length, results: found.slice(0, Number(ask("limit") ?? 10)) } };
    }
    if (incoming.method === "POST" && requestid === undefined) {
      const pin = JSON.parse(body) as StubPin["pin"];
      if ((pin.name?.length ?? 0) > 255 || (pin.origins?.length ?? 0) > 20) return failing(400, "BAD_REQUEST");
      const made: StubPin = { requestid: randomUUID(), created: new Date().toISOString(), status: "queued", pin, delegates };
      stub.pins.push(made);
      if (stub.fetching) {
        const work = fetchIt(made).finally(() => running.delete(work));
        running.add(work);
      }
      return { status: 202, body: made };
    }
    if (entry === undefined) return failing(404, "NOT_FOUND");
    if (incoming.method !== "DELETE") return { status: 200, body: entry };
    stub.pins.splice(stub.pins.indexOf(entry), 1);
    return { status: 202 };
  };

  const server = await listen(
    createServer(async (incoming, response) => {
      const { status, body } = answer(incoming, (await wholeOf(incoming)).toString());
      response.writeHead(status, { "content-type": "application/json" }).end(body === undefined ? "" : JSON.stringify(body));
    }),
  );
  const stub: PinningStub = {
    ...server,
    url: `${server.url}/psa`,
    pins: [],
    idle: () => Promise.all(running),
    fetching: true,
    refusal: undefined,
  };
  return stub;
};

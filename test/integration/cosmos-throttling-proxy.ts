import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the proxy does with one request instead of passing it on. */
export type Injected =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: object }
  /** The connection is closed: before the server gets the request, or when its reply is half sent. */
  | { readonly disconnect: "before" | "amid" }
  /** It is passed on, and the reply says that it cost this. */
  | { readonly charge: string | null };

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Counts from 1. */
  readonly number: number;
  /** Milliseconds since the proxy was opened. */
  readonly at: number;
}

/**
 * A proxy in front of the emulator, which never throttles, charges 1 for everything and never breaks off: it injects what the
 * account of a real Cosmos DB does, as its REST reference has it (429 with `x-ms-retry-after-ms`, 503, charges), and counts.
 */
export interface ThrottlingProxy {
  readonly endpoint: string;
  readonly seen: readonly Seen[];
  /** Decides about each request from here on. */
  inject(decide: (seen: Seen) => Injected | undefined): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openThrottlingProxy(upstream: string): Promise<ThrottlingProxy> {
  let decide: (seen: Seen) => Injected | undefined = () => undefined;
  const seen: Seen[] = [];
  const opened = performance.now();
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    const one: Seen = { method, path: decodeURIComponent(url), headers, number: seen.length + 1, at: performance.now() - opened };
    seen.push(one);
    const injected = decide(one);
    if (injected !== undefined && "status" in injected) {
      request.resume();
      response.writeHead(injected.status, { "content-type": "application/json", ...injected.headers });
      response.end(JSON.stringify(injected.body ?? { code: "Injected", message: "by the proxy" }));
    } else if (injected !== undefined && "disconnect" in injected && injected.disconnect === "before") {
      request.socket.destroy();
    } else pass(upstream, request, response, injected as Exclude<typeof injected, { status: number }>);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    seen,
    inject: (next) => {
      decide = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(upstream: string, request: IncomingMessage, response: ServerResponse, injected: Injected | undefined): void {
  const { hostname, port } = new URL(upstream);
  const onward = httpRequest({ hostname, port, method: request.method, path: request.url, headers: request.headers }, (reply) => {
    const chunks: Buffer[] = [];
    reply.on("data", (chunk: Buffer) => chunks.push(chunk));
    reply.on("end", () => {
      const body = Buffer.concat(chunks);
      const headers: Record<string, string | string[] | undefined> = { ...reply.headers, "content-length": String(body.length) };
      if (injected !== undefined && "charge" in injected) {
        delete headers["x-ms-request-charge"];
        if (injected.charge !== null) headers["x-ms-request-charge"] = injected.charge;
      }
      if (reply.statusCode === 304 || reply.statusCode === 204) delete headers["content-length"];
      response.writeHead(reply.statusCode ?? 500, headers);
      if (injected !== undefined && "disconnect" in injected) response.write(body.subarray(0, body.length >> 1), () => response.destroy());
      else response.end(body);
    });
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

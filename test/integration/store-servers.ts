import { createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A server that behaves badly in one known way, for as long as a test runs. */
export interface BadServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves on loopback until it is disposed of. */
export const listen = async (server: Server): Promise<BadServer> => {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Accepts connections and never answers. */
export const hangingServer = (): Promise<BadServer> => listen(createServer((socket) => socket.resume()));

/** Answers everything with `status`. */
export const answeringServer = (status: number): Promise<BadServer> =>
  listen(
    createHttpServer((incoming, answer) => {
      incoming.resume().on("end", () => answer.writeHead(status, { "content-type": "text/plain" }).end("no"));
    }),
  );

/** An address at which nothing listens. */
export const closedAddress = async (): Promise<string> => {
  const server = await hangingServer();
  await server[Symbol.asyncDispose]();
  return server.url;
};

export interface Meddling {
  /** The request's body on its way to the server. */
  readonly sent?: (incoming: IncomingMessage, body: Buffer) => Buffer;
  /** The answer's body on its way back. */
  readonly received?: (incoming: IncomingMessage, body: Buffer) => Buffer;
  /** A status to answer with instead of asking the server. */
  readonly refuse?: (incoming: IncomingMessage) => number | undefined | Promise<number | undefined>;
}

export const wholeOf = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block);
  return Buffer.concat(blocks);
};

/** Stands before the real server at `target` and meddles with what passes. */
export const meddlingProxy = (target: string, meddling: Meddling): Promise<BadServer> => {
  const { hostname, port } = new URL(target);
  const pass = async (
    incoming: IncomingMessage,
    signal: AbortSignal,
  ): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> => {
    const sent = await wholeOf(incoming);
    const refused = await meddling.refuse?.(incoming);
    if (refused !== undefined) return { status: refused, headers: {}, body: Buffer.from("refused") };
    const body = meddling.sent?.(incoming, sent) ?? sent;
    const { method, headers, url: path } = incoming;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ hostname, port, method, path, headers, signal }, resolve).on("error", reject).end(body);
    });
    const received = await wholeOf(answer);
    const changed = meddling.received?.(incoming, received) ?? received;
    // What was cut off shall look so; what is another answer has another length.
    const { "content-length": length, ...others } = answer.headers;
    const told = changed === received || length === undefined ? answer.headers : { ...others, "content-length": String(changed.length) };
    return { status: answer.statusCode ?? 502, headers: told, body: changed };
  };
  return listen(
    createHttpServer((incoming, answer) => {
      // A caller that gives up is given up at the server too.
      const gone = new AbortController();
      answer.on("close", () => gone.abort());
      pass(incoming, gone.signal).then(
        ({ status, headers, body }) => answer.writeHead(status, headers).end(incoming.method === "HEAD" ? undefined : body),
        () => answer.destroy(),
      );
    }),
  );
};

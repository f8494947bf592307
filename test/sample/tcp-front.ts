import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP front of a server: what a test uses to take the server away, to make it hang, or to stop the flow of bytes in the
 * middle of something, without disturbing those who share the server.
 */
export interface TcpFront {
  readonly port: number;
  /** Bytes that the server has sent through the front. */
  readonly received: () => number;
  /** Cuts every connection and refuses new ones. */
  down(): Promise<void>;
  /** Accepts connections again, on the same port. */
  up(): Promise<void>;
  /** From now on, answers every request itself with this, and hangs up; undefined: the server answers again. */
  answer(text: string | undefined): void;
  /** From now on, a connection that has carried so many bytes from the server stands still; resolves when the first does. */
  freezeAfter(bytes: number): Promise<void>;
  /** Lets everything flow again. */
  thaw(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  carried: number;
}

export const openTcpFront = async (target: { host: string; port: number }): Promise<TcpFront> => {
  const pairs = new Set<Pair>();
  const clients = new Set<Socket>();
  let ownAnswer: string | undefined;
  let received = 0;
  let limit = Number.POSITIVE_INFINITY;
  let onFrozen: () => void = () => {};
  let listener: Server | undefined;

  const refuse = (client: Socket, text: string): void => {
    clients.add(client);
    client.on("error", () => client.destroy()).on("close", () => clients.delete(client));
    client.once("data", () => client.end(text));
  };
  const accept = (client: Socket): void => {
    if (ownAnswer !== undefined) {
      refuse(client, ownAnswer);
      return;
    }
    const server = connect(target);
    const pair: Pair = { client, server, carried: 0 };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("error", end).on("close", end);
    server.on("error", end).on("close", end);
    client.pipe(server);
    server.on("data", (block: Buffer) => {
      received += block.length;
      pair.carried += block.length;
      if (!client.write(block)) server.pause();
      if (pair.carried <= limit) return;
      server.pause();
      onFrozen();
    });
    client.on("drain", () => {
      if (pair.carried <= limit) server.resume();
    });
  };

  const listen = async (port: number): Promise<number> => {
    listener = createServer(accept);
    await new Promise<void>((resolve, reject) => {
      listener?.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return (listener.address() as { port: number }).port;
  };

  const port = await listen(0);
  const cut = (): void => {
    for (const client of clients) client.destroy();
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  const down = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => (listener === undefined ? resolve() : listener.close(() => resolve())));
    listener = undefined;
    cut();
    await closed;
  };
  return {
    port,
    received: () => received,
    down,
    up: async () => void (await listen(port)),
    answer: (text) => {
      ownAnswer = text;
      cut();
    },
    freezeAfter: (bytes) =>
      new Promise((resolve) => {
        limit = bytes;
        onFrozen = resolve;
      }),
    thaw: () => {
      limit = Number.POSITIVE_INFINITY;
      for (const { server } of pairs) server.resume();
    },
    close: down,
  };
};

/** The same URL with the front's address. Works for connection strings, too. */
export const throughFront = (address: string, original: string, front: TcpFront): string =>
  address.replaceAll(original, `127.0.0.1:${front.port}`);

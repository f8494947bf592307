import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";

/**
 * A peer that speaks just enough of MongoDB's wire protocol to say what a test wants it to say: for what no server that
 * can be had here does (replica sets, snapshot reads, refusals). It stores nothing and proves nothing about real servers.
 */
export interface ScriptedPeer {
  readonly url: string;
  readonly commands: Document[];
  /** The most connections that were open at a time. */
  mostConnections(): number;
  close(): Promise<void>;
}

export type Script = (command: Document, name: string) => Document | undefined;

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;

type Kind = "replica set" | "router" | "standalone";

/** Replies with what the script gives for a command, and with `{ ok: 1 }` where it gives nothing. */
export const scriptedPeer = (script: Script, kind: Kind = "replica set"): Promise<ScriptedPeer> =>
  listen(script, (port) => hello(port, kind));

/** A primary and a secondary of one replica set, with the same script. */
export async function scriptedPair(
  script: Script,
): Promise<{ url: string; primary: ScriptedPeer; secondary: ScriptedPeer; close(): Promise<void> }> {
  const ports: number[] = [];
  const member =
    (index: number) =>
    (port: number): Document => {
      const hosts = ports.map((each) => `127.0.0.1:${each}`);
      const primary = index === 0;
      return {
        ...hello(port, "replica set"),
        hosts,
        primary: hosts[0]!,
        isWritablePrimary: primary,
        ismaster: primary,
        secondary: !primary,
      };
    };
  const [primary, secondary] = [await listen(script, member(0)), await listen(script, member(1))];
  for (const { url } of [primary, secondary]) ports.push(Number(new URL(url).port));
  const url = `mongodb://127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/shop?replicaSet=rs0`;
  return { url, primary, secondary, close: async () => void (await Promise.all([primary.close(), secondary.close()])) };
}

async function listen(script: Script, greeting: (port: number) => Document): Promise<ScriptedPeer> {
  const commands: Document[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    let pending = Buffer.alloc(0);
    socket.on("data", (data) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0));
        pending = pending.subarray(message.length);
        const reply = answer(message);
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  const answer = (message: Buffer): Buffer | undefined => {
    const query = message.readInt32LE(12) === opQuery;
    const body = query ? message.indexOf(0, 20) + 1 + 8 : 21;
    const command = BSON.deserialize(message.subarray(body, body + message.readInt32LE(body)), { promoteValues: false });
    const name = Object.keys(command)[0]!;
    const handshake = /^(hello|ismaster)$/i.test(name);
    // The driver's watch asks to be told when the server changes, which it never does.
    if (handshake && command.maxAwaitTimeMS !== undefined) return undefined;
    if (!handshake) commands.push(command);
    const reply = BSON.serialize(handshake ? greeting(port()) : { ok: 1, ...script(command, name) });
    return query
      ? framed(message, opReply, [Buffer.alloc(16), Buffer.from([1, 0, 0, 0]), reply])
      : framed(message, opMsg, [Buffer.alloc(5), reply]);
  };
  const port = (): number => (server.address() as AddressInfo).port;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mongodb://127.0.0.1:${port()}/shop`,
    commands,
    mostConnections: () => most,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function framed(request: Buffer, opCode: number, parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);

  const head = Buffer.alloc(16);
  head.writeInt32LE(16 + body.length, 0);
  head.writeInt32LE(request.readInt32LE(4), 8);
  head.writeInt32LE(opCode, 12);
  return Buffer.concat([head, body]);
}

const hello = (port: number, kind: Kind): Document => ({
  ok: 1,
  isWritablePrimary: true,
  ismaster: true,
  helloOk: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  topologyVersion: { processId: new BSON.ObjectId("56e1fc72e0c917e9c4714161"), counter: BSON.Long.ZERO },
  ...(kind === "replica set"
    ? { setName: "rs0", hosts: [`127.0.0.1:${port}`], me: `127.0.0.1:${port}`, primary: `127.0.0.1:${port}`, secondary: false }
    : {}),
  ...(kind === "router" ? { msg: "isdbgrid" } : {}),
});

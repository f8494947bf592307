import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { selfSignedCertificate } from "./self-signed-certificate.ts";

/** TLS in front of a real server that has none here, as poolers and load balancers are in production. */
export interface TlsFront {
  readonly port: number;
  /** Path of the certificate that clients must trust. */
  readonly authority: string;
  close(): Promise<void>;
}

/** PostgreSQL's SSLRequest: 8 bytes, code 80877103, answered with "S" before the handshake (protocol 3.0, section 54.2.10). */
const answerSslRequest = async (socket: Socket): Promise<boolean> => {
  const [request] = (await once(socket, "data")) as [Buffer];
  const asked = request.length === 8 && request.readUInt32BE(4) === 80_877_103;
  // Nothing may be read before the TLS layer takes over.
  socket.pause();
  if (asked) socket.write("S");
  else socket.destroy();
  return asked;
};

/** `clients`: the certificate of the only client that is let in. */
export const startTlsFront = async (
  protocol: "postgres" | "mongodb" | "grpc",
  upstream: { readonly hostname: string; readonly port: string },
  clients?: string,
): Promise<TlsFront> => {
  const { key, certificate } = selfSignedCertificate();
  const folder = await mkdtemp(join(tmpdir(), "dbgov-front-"));
  const authority = join(folder, "authority.pem");
  await writeFile(authority, certificate);
  const sockets = new Set<Socket>();
  // Never listens: it takes over connections that have said what their protocol says before the handshake.
  const tls = createTlsServer({
    ...{ key, cert: certificate },
    ...(protocol === "grpc" ? { ALPNProtocols: ["h2"] } : {}),
    ...(clients === undefined ? {} : { requestCert: true, ca: clients }),
  });
  tls.on("secureConnection", (plain) => {
    const server = connect(Number(upstream.port), upstream.hostname);
    sockets.add(server);
    for (const [from, to] of [
      [plain, server],
      [server, plain],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  const serve = async (socket: Socket): Promise<void> => {
    if (protocol === "postgres" && !(await answerSslRequest(socket))) return;
    tls.emit("connection", socket);
  };
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    serve(socket).catch(() => socket.destroy());
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    authority,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
};

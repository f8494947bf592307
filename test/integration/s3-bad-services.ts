import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";

interface ScriptedS3 extends AsyncDisposable {
  readonly url: string;
  readonly asked: () => number;
}

/** A scripted peer: refuses everything with S3's own words for `code`, as the real services do and SeaweedFS cannot be made to. */
export const refusingS3 = (status: number, code: string): Promise<ScriptedS3> =>
  scriptedS3(
    status,
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message><RequestId>1</RequestId></Error>`,
  );

/** A scripted peer: answers everything with `status` and `body`, whatever it was asked for. */
export const scriptedS3 = async (status: number, body: string | Uint8Array): Promise<ScriptedS3> => {
  let asked = 0;
  const server = createServer((incoming, answer) => {
    asked += 1;
    incoming.resume().on("end", () => {
      answer.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(incoming.method === "HEAD" ? undefined : body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

interface Front {
  /** How much of what is sent comes through in every tenth of a second; all at once without it. */
  readonly sentPerTick?: number;
  /** After so many bytes of an answer the connection is closed, or nothing more comes; on the first connection only. */
  readonly answer?: { readonly bytes: number; readonly then: "close" | "silence" };
}

/** Stands before the server at `target` and passes bytes on, with what a bad line does to them. */
export const badLine = async (target: string, { sentPerTick, answer }: Front): Promise<AsyncDisposable & { readonly url: string }> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let left = answer?.bytes ?? Number.POSITIVE_INFINITY;
  const front = createTcpServer({ highWaterMark: 8 << 20 }, (from) => {
    const to = connect(Number(port), hostname);
    for (const socket of [from, to]) sockets.add(socket.on("error", () => {}));
    to.on("data", (block) => {
      from.write(block.subarray(0, left));
      if (block.length <= left) return;
      left = 0;
      if (answer?.then === "close") from.end();
    });
    // The connection after a bad one is good.
    from.on("close", () => {
      if (left === 0) left = Number.POSITIVE_INFINITY;
      to.destroy();
    });
    if (sentPerTick === undefined) {
      from.pipe(to);
      return;
    }
    const timer = setInterval(() => {
      const block = from.read(Math.min(sentPerTick, from.readableLength)) as Buffer | null;
      if (block !== null) to.write(block);
    }, 100);
    from.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    },
  };
};

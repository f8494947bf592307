import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type BadServer, listen, wholeOf } from "./store-servers.ts";

/** What happens to one request on its way to a real server, or to the answer on its way back. */
export const networkFaults = {
  none: "passes",
  latency: "passes a little later",
  reset: "the connection is cut before the server hears of it",
  "half request": "the server gets half of the body, then both connections are cut",
  "lost answer": "the server has done it, and the connection is cut before it says so",
  "half answer": "the connection is cut in the middle of the answer's body",
  "slow answer": "the answer's body comes in drops",
  429: "too many requests, try again after a second",
  500: "the server fails before it does anything",
  "late 500": "the server has done it, and says that it failed",
} as const;

export type NetworkFault = keyof typeof networkFaults;

/** Stands before the real server at `target`; `choose` says what becomes of each request. */
export const faultyProxy = (target: string, choose: () => NetworkFault): Promise<BadServer> => {
  const { hostname, port } = new URL(target);
  const ask = (incoming: IncomingMessage, body: Buffer, length = body.length): Promise<{ status: number; headers: object; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const { method, url: path } = incoming;
      const headers = { ...incoming.headers };
      const asked = request({ hostname, port, method, path, headers }, (answer) => {
        wholeOf(answer).then((all) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: all }), reject);
      }).on("error", reject);
      if (length === body.length) asked.end(body);
      else asked.write(body.subarray(0, length), () => asked.destroy());
    });

  const serve = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const fault = choose();
    const cut = (): void => void incoming.socket.destroy();
    if (fault === "reset") return cut();
    const sent = await wholeOf(incoming);
    if (fault === 429) return void answer.writeHead(429, { "retry-after": "1" }).end();
    if (fault === 500) return void answer.writeHead(500).end("internal error");
    if (fault === "half request") {
      await ask(incoming, sent, Math.max(0, Math.floor(sent.length / 2) - 1)).catch(() => undefined);
      return cut();
    }
    if (fault === "latency") await delay(50);
    const { status, headers, body } = await ask(incoming, sent);
    if (fault === "lost answer") return cut();
    if (fault === "late 500") return void answer.writeHead(500).end("internal error");
    answer.writeHead(status, { ...headers });
    if (incoming.method === "HEAD") return void answer.end();
    if (fault === "half answer" && body.length > 1) {
      answer.write(body.subarray(0, Math.floor(body.length / 2)), cut);
      return;
    }
    if (fault === "slow answer")
      for (let drop = 0; drop < 4; drop += 1) {
        const [from, to] = [drop, drop + 1].map((part) => Math.floor((body.length * part) / 4));
        answer.write(body.subarray(from, to));
        await delay(25);
      }
    answer.end(fault === "slow answer" ? undefined : body);
  };
  return listen(createServer((incoming, answer) => void serve(incoming, answer).catch(() => incoming.socket.destroy())));
};

import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { anvilProgram } from "../stack/components/anvil.ts";
import { callChain, until } from "./ledger-chain.ts";

export interface PrivateChain {
  readonly rpc: string;
  readonly chainId: number;
  mine(blocks?: number): Promise<void>;
  /** Replaces the newest `depth` blocks by empty ones, as a fork that wins does. */
  reorganize(depth: number): Promise<void>;
  stop(): void;
}

/** A chain whose blocks come when the test says so; `finalized` is twice `slots` behind the newest. */
export const startPrivateChain = async (slots: number): Promise<PrivateChain> => {
  const port = await freePort();
  const chainId = 31_338;
  const child = spawn(
    anvilProgram(),
    ["--host", "127.0.0.1", "--port", String(port), "--chain-id", String(chainId), "--no-mining", "--slots-in-an-epoch", String(slots)],
    { stdio: "ignore" },
  );
  const rpc = `http://127.0.0.1:${port}`;
  await until(
    () => callChain<string>(rpc, "eth_chainId").catch(() => undefined),
    (answer) => answer !== undefined,
  );
  return {
    rpc,
    chainId,
    mine: async (blocks = 1) => {
      await callChain(rpc, "anvil_mine", `0x${blocks.toString(16)}`);
    },
    reorganize: async (depth) => {
      await callChain(rpc, "anvil_reorg", depth, []);
    },
    stop: () => void child.kill("SIGKILL"),
  };
};

/** What a node that is not to be trusted does with each call: it gets the true answer, or a way to ask something else. */
export type Twist = (method: string, params: readonly unknown[], ask: (params: readonly unknown[]) => Promise<unknown>) => Promise<unknown>;

/** A node of another provider, in front of the same chain. Its ways can be changed while it runs; `calls` are the methods that it was asked. */
export interface TwistedNode {
  readonly rpc: string;
  readonly calls: string[];
  twist: Twist;
  stop(): Promise<void>;
}

export const honest: Twist = (_method, params, ask) => ask(params);

/** Never answers. */
export const silent: Twist = () => new Promise(() => {});

/** Sees the chain as it was at block `height`. */
export const behind =
  (height: number): Twist =>
  async (method, params, ask) => {
    const at = `0x${height.toString(16)}`;
    if (method === "eth_getTransactionReceipt" || method === "eth_getTransactionByHash") {
      const found = (await ask(params)) as { blockNumber?: string } | null;
      return found?.blockNumber != null && Number(found.blockNumber) <= height ? found : null;
    }
    const old = params.map((param) => (param === "latest" || param === "finalized" ? at : param));
    return await ask(old);
  };

export const startTwistedNode = async (rpc: string): Promise<TwistedNode> => {
  const node = { rpc: "", calls: [] as string[], twist: honest } as { rpc: string; calls: string[]; twist: Twist };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, params, id } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string; params: unknown[]; id: number };
      node.calls.push(method);
      node
        .twist(method, params, (other) => callChain(rpc, method, ...other))
        .then(
          (result) => response.end(JSON.stringify({ jsonrpc: "2.0", id, result })),
          (error: Error) => response.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message: error.message } })),
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  node.rpc = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(node, {
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};

/** A port that nobody listens on now. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a provider does; `provider-api.ts` puts it behind HTTP as Curio's PDP service does. */
export interface ProviderWork {
  /** Takes a piece into keeping; refuses one whose commitment is another. */
  readonly park: (cid: string, bytes: Buffer) => void;
  readonly has: (cid: string) => boolean;
  readonly create: (cids: readonly string[], extraData: string) => Promise<string>;
  readonly add: (dataSet: bigint, cids: readonly string[], extraData: string) => Promise<string>;
  readonly remove: (dataSet: bigint, piece: bigint, extraData: string) => Promise<string>;
  readonly createdBy: (hash: string) => bigint;
  /** What a transaction has added: nothing where it failed; undefined while it is in no block. */
  readonly addedBy: (hash: string) => readonly bigint[] | undefined;
  readonly bytesOf: (cid: string) => Buffer;
}

/** How a simulated provider fails; all of it can be changed while it runs. */
export interface Failings {
  /** Answers downloads with these bytes. */
  lies?: Buffer;
  /** Has dropped what it was given. */
  loses?: boolean;
  /** Cannot fetch from other providers. */
  cannotPull?: boolean;
  /** Damages what it is sent, and says so when it is told the commitment. */
  damages?: boolean;
  /** Says that pieces are in the data set which it never added. */
  pretends?: boolean;
  /** Answers when its transactions are sent, as Curio does, and not when they are in a block. */
  answersEarly?: boolean;
  /** Answers 503 to everything. */
  down?: boolean;
  /** Sends the whole piece for a range. */
  ignoresRanges?: boolean;
}

export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface PiecesBody {
  readonly extraData: string;
  readonly pieces: readonly { readonly pieceCid: string; readonly sourceUrl: string }[];
}

type Say = (status: number, body?: unknown, headers?: Record<string, string>) => void;
type Route = readonly [
  string,
  RegExp,
  (at: readonly string[], incoming: IncomingMessage, say: Say, answer: ServerResponse) => Promise<void>,
];

const bodyOf = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block);
  return Buffer.concat(blocks);
};
const json = async <T>(incoming: IncomingMessage): Promise<T> => JSON.parse((await bodyOf(incoming)).toString());

const routesOf = (work: ProviderWork, failings: Failings): readonly Route[] => {
  const uploads = new Map<string, Buffer>();
  const cidsOf = ({ pieces }: PiecesBody): string[] => pieces.map(({ pieceCid }) => pieceCid);
  return [
    ["GET", /^\/pdp\/ping$/, async (_at, _incoming, say) => say(200, {})],
    [
      "POST",
      /^\/pdp\/piece\/uploads$/,
      async (_at, _incoming, say) => say(201, undefined, { location: `/pdp/piece/uploads/${randomUUID()}` }),
    ],
    [
      "PUT",
      /^\/pdp\/piece\/uploads\/([\w-]+)$/,
      async ([id], incoming, say) => {
        const bytes = await bodyOf(incoming);
        if (failings.damages) bytes[0]! ^= 1;
        uploads.set(id!, bytes);
        say(204);
      },
    ],
    [
      "POST",
      /^\/pdp\/piece\/uploads\/([\w-]+)$/,
      async ([id], incoming, say) => {
        work.park((await json<{ pieceCid: string }>(incoming)).pieceCid, uploads.get(id!)!);
        uploads.delete(id!);
        say(200, {});
      },
    ],
    [
      "GET",
      /^\/pdp\/piece\?pieceCid=(\w+)$/,
      async ([pieceCid], _incoming, say) => (work.has(pieceCid!) ? say(200, { pieceCid }) : say(404, { error: "not found" })),
    ],
    [
      "POST",
      /^\/pdp\/piece\/pull$/,
      async (_at, incoming, say) => {
        const { pieces } = await json<PiecesBody>(incoming);
        const status = failings.cannotPull ? "failed" : "complete";
        if (!failings.cannotPull) {
          for (const { pieceCid, sourceUrl } of pieces) work.park(pieceCid, Buffer.from(await (await fetch(sourceUrl)).arrayBuffer()));
        }
        say(200, { status, pieces: pieces.map(({ pieceCid }) => ({ pieceCid, status })) });
      },
    ],
    [
      "POST",
      /^\/pdp\/data-sets\/create-and-add$/,
      async (_at, incoming, say) => {
        const body = await json<PiecesBody>(incoming);
        say(201, undefined, { location: `/pdp/data-sets/created/${await work.create(cidsOf(body), body.extraData)}` });
      },
    ],
    [
      "GET",
      /^\/pdp\/data-sets\/created\/(0x\w+)$/,
      async ([hash], _incoming, say) => {
        const done = { dataSetCreated: true, service: "simulated", txStatus: "confirmed", ok: true };
        say(200, { createMessageHash: hash, ...done, dataSetId: Number(work.createdBy(hash!)) });
      },
    ],
    [
      "POST",
      /^\/pdp\/data-sets\/(\d+)\/pieces$/,
      async ([id], incoming, say) => {
        const body = await json<PiecesBody>(incoming);
        const hash = await work.add(BigInt(id!), cidsOf(body), body.extraData);
        say(201, undefined, { location: `/pdp/data-sets/${id}/pieces/added/${hash}` });
      },
    ],
    [
      "GET",
      /^\/pdp\/data-sets\/(\d+)\/pieces\/added\/(0x\w+)$/,
      async ([id, txHash], _incoming, say) => {
        const confirmedPieceIds = work.addedBy(txHash!)?.map(Number);
        if (confirmedPieceIds === undefined || confirmedPieceIds.length === 0) {
          const txStatus = confirmedPieceIds === undefined ? "pending" : "rejected";
          say(200, { txHash, dataSetId: Number(id), pieceCount: 1, txStatus, addMessageOk: null, piecesAdded: false });
          return;
        }
        const done = { txStatus: "confirmed", addMessageOk: true, piecesAdded: true };
        say(200, { txHash, dataSetId: Number(id), pieceCount: confirmedPieceIds.length, ...done, confirmedPieceIds });
      },
    ],
    [
      "DELETE",
      /^\/pdp\/data-sets\/(\d+)\/pieces\/(\d+)$/,
      async ([id, piece], incoming, say) => {
        const { extraData } = await json<PiecesBody>(incoming);
        say(200, { txHash: await work.remove(BigInt(id!), BigInt(piece!), extraData) });
      },
    ],
    [
      "GET",
      /^\/piece\/(\w+)$/,
      async ([cid], incoming, _say, answer) => {
        const bytes = work.bytesOf(cid!);
        const range = failings.ignoresRanges ? null : /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? "");
        if (range === null) answer.writeHead(200, { "content-length": bytes.length }).end(bytes);
        else answer.writeHead(206).end(bytes.subarray(Number(range[1]), Number(range[2]) + 1));
      },
    ],
  ];
};

/** Serves the API until it is stopped; `requests` gets method and path of each request. */
export const serveProvider = async (
  work: ProviderWork,
  failings: Failings,
  requests: string[],
): Promise<{ url: string; server: Server }> => {
  const routes = routesOf(work, failings);
  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (failings.down) throw new Refusal(503, "maintenance");
    const say: Say = (status, body, headers = {}) =>
      void answer.writeHead(status, { "content-type": "application/json", ...headers }).end(body === undefined ? "" : JSON.stringify(body));
    const route = routes.find(([method, path]) => method === incoming.method && path.test(incoming.url!));
    if (route === undefined) throw new Refusal(404, `no such call: ${incoming.method} ${incoming.url}`);
    await route[2](route[1].exec(incoming.url!)!.slice(1), incoming, say, answer);
  };
  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch((error: Error) => {
      incoming.resume();
      if (!answer.headersSent) answer.writeHead(error instanceof Refusal ? error.status : 500, { "content-type": "text/plain" });
      answer.end(error.message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

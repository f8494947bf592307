import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { Failure } from "../core/domain/failure.ts";
import { considerHead, formatSeen, originOf, parseSeen, type SeenHead, type Witness, type WitnessAnswer } from "../core/ledger/cosign.ts";
import { formatWitnessKey } from "../core/ledger/verify/cosignature.ts";
import type { NoteKey } from "../core/ledger/verify/note.ts";
import { writeDurably } from "../core/stores/durable-file.ts";

export interface WitnessOptions {
  readonly witness: Witness;
  /** The keys of the logs that it knows. A log whose key is being replaced has two. */
  readonly logs: readonly NoteKey[];
  /** Holds the last head of each log, in a file of its own. Without it the witness would sign anything again. */
  readonly state: string;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Told of each answer: status, log, and what it was about. */
  onAnswer?(line: string): void;
}

const largestRequest = 32_768;

/** Serves https://c2sp.org/tlog-witness until it is closed. Throws `UsageInvalid` when its state cannot be read, or the address is taken. */
export const serveWitness = async (options: WitnessOptions): Promise<{ port: number; close(): Promise<void> }> => {
  for (const log of options.logs) await readSeen(options.state, log.name);
  const turns = new Map<string, Promise<unknown>>();
  /** Comparing with the last head and replacing it is one step: requests for a log take turns. */
  const inTurn = <T>(log: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(log) ?? Promise.resolve()).then(work, work);
    turns.set(
      log,
      turn.catch(() => {}),
    );
    return turn;
  };
  const answer = async (body: string): Promise<WitnessAnswer> => {
    const origin = originOf(body);
    if (origin === undefined) return { status: 400, body: "the request is not one of add-checkpoint\n" };
    const keys = options.logs.filter(({ name }) => name === origin);
    if (keys.length === 0) return { status: 404, body: "the log is not known here\n" };
    return await inTurn(origin, async () => {
      let found: WitnessAnswer | undefined;
      for (const key of keys) {
        found = await cosign(options, key, body);
        if (found.status !== 403) break;
      }
      return found!;
    });
  };
  const server = createServer((request, response) => {
    handle(request, response, options, answer).catch((error: unknown) => {
      options.onAnswer?.(`500 ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await listen(server, options);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
};

const cosign = async ({ witness, state, onAnswer }: WitnessOptions, log: NoteKey, body: string): Promise<WitnessAnswer> => {
  const seen = await readSeen(state, log.name);
  const answer = considerHead(body, log, seen, witness, Math.floor(Date.now() / 1000));
  if (answer.status === 200) {
    const bytes = new TextEncoder().encode(formatSeen(answer.seen));
    await writeDurably(fileOf(state, log.name), bytes, join(state, ".unfinished"), AbortSignal.timeout(30_000), () => {});
  }
  const about = answer.status === 200 ? `size ${answer.seen.size}` : answer.body.trim();
  onAnswer?.(`${answer.status} ${log.name} ${about}`);
  return answer;
};

const fileOf = (state: string, origin: string): string => join(state, `${createHash("sha256").update(origin).digest("hex")}.head`);

/** Never the beginning again because of a file that cannot be read: that would sign a fork. */
const readSeen = async (state: string, origin: string): Promise<SeenHead | undefined> => {
  const path = fileOf(state, origin);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Failure("UsageInvalid", `the witness's state ${path} cannot be read`, { cause });
  }
  const seen = parseSeen(text);
  if (seen === undefined)
    throw new Failure("UsageInvalid", `the witness's state ${path} is damaged: it must say which head of ${origin} was cosigned last`);
  return seen;
};

const handle = async (
  request: IncomingMessage,
  response: ServerResponse,
  { witness }: WitnessOptions,
  answer: (body: string) => Promise<WitnessAnswer>,
): Promise<void> => {
  const plain = { "content-type": "text/plain; charset=utf-8" };
  if (request.method === "GET" && request.url === "/") {
    response.writeHead(200, plain).end(`${formatWitnessKey(witness.key)}\n`);
    return;
  }
  if (request.url !== "/add-checkpoint" || request.method !== "POST") {
    response.writeHead(request.url === "/add-checkpoint" ? 405 : 404, plain).end();
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestRequest) {
      response.writeHead(413, { ...plain, connection: "close" }).end();
      return;
    }
    chunks.push(chunk);
  }
  const found = await answer(Buffer.concat(chunks).toString("utf8"));
  const type = "type" in found && found.type !== undefined ? { "content-type": found.type } : plain;
  response.writeHead(found.status, type).end(found.body);
};

const listen = (server: Server, { host, port }: WitnessOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new Failure("UsageInvalid", `the witness cannot listen on ${host}:${port} (${cause.code ?? "unknown error"})`, { cause })),
    );
    server.listen(port, host, () => resolve());
  });

import { randomBytes } from "node:crypto";
import { type ContainerRequest, CosmosClient, type Database } from "@azure/cosmos";
import { cosmos } from "../../core/databases/cosmos/cosmos.ts";
import type { RestoreOptions, StreamPlan } from "../../core/databases/engine.ts";
import type { RowDigest } from "../../core/domain/snapshot.ts";
import { rowDigestOf } from "../../core/repository/row-digest.ts";
import { useStack } from "../stack/use-stack.ts";

export const never = new AbortController().signal;

/** The client of Microsoft, at an address without TLS and without a list of regions. */
export const clientOf = (endpoint: string, key: string): CosmosClient =>
  new CosmosClient({ endpoint, key, connectionPolicy: { enableEndpointDiscovery: false } });

export const connectionString = (endpoint: string, key: string, database: string, share = 1): string =>
  `AccountEndpoint=${endpoint};AccountKey=${key};Database=${database};RequestUnitShare=${share}`;

/** A database of a test's own on the emulator, dropped at its end. */
export interface Place {
  readonly url: string;
  readonly endpoint: string;
  readonly key: string;
  readonly database: Database;
  readonly client: CosmosClient;
  container(definition: ContainerRequest, documents?: readonly object[]): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function ownDatabase(name = `t${randomBytes(6).toString("hex")}`): Promise<Place> {
  const { cosmos: at } = await useStack("cosmos");
  return await databaseAt(at.endpoint, at.key, name);
}

/** The same on another server. */
export async function databaseAt(endpoint: string, key: string, name: string): Promise<Place> {
  const client = clientOf(endpoint, key);
  const { database } = await client.databases.createIfNotExists({ id: name });
  return {
    url: connectionString(endpoint, key, name),
    endpoint,
    key,
    database,
    client,
    container: async (definition, documents = []) => {
      const { container } = await database.containers.create(definition);
      for (const document of documents) await container.items.create(document);
    },
    [Symbol.asyncDispose]: async () => {
      await database.delete();
      client.dispose();
    },
  };
}

/** A stream of a snapshot, with all its bytes. */
export interface Captured extends Pick<StreamPlan, "name" | "kind" | "framing" | "target"> {
  readonly content: Buffer;
}

/** Every stream of the database, read as a capture does, and what the plan noted. */
export async function capture(
  url: string,
  waiting?: (why: string) => void,
): Promise<{ readonly streams: readonly Captured[]; readonly notes: readonly string[] }> {
  const hold = await cosmos.hold(url, never);
  try {
    const plan = await cosmos.plan(url, hold.token, { partBytes: 64 << 20 }, never);
    const streams: Captured[] = [];
    for (const stream of plan.streams) {
      const blocks: Buffer[] = [];
      for (const part of stream.parts)
        for await (const block of cosmos.read(url, hold.token, stream, part, never, waiting)) blocks.push(Buffer.from(block));
      streams.push({ ...stream, content: Buffer.concat(blocks) });
    }
    return { streams, notes: plan.notes };
  } finally {
    await hold.close();
  }
}

/** The stream's bytes in pieces that end anywhere. */
export async function* pieces(content: Buffer, size = 701): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

export const definitionsOf = (streams: readonly Captured[]) => streams.filter(({ kind }) => kind === "definition");
export const rowsOf = (streams: readonly Captured[]) => streams.filter(({ kind }) => kind === "rows");

const digestKey = randomBytes(32);
export const digestOf = (content: Buffer): Promise<RowDigest> => rowDigestOf(pieces(content), "stamped", digestKey);

/** The documents without stamps, in an order that does not depend on the server's. */
export const sortedDocuments = (content: Buffer): string[] =>
  content
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, line.indexOf("\t")))
    .sort();

/** Restores everything into the database at `url`; what is then read back, by stream name, and what was noted. */
export async function restoreAll(
  url: string,
  streams: readonly Captured[],
  options: Partial<RestoreOptions> = {},
): Promise<{ readonly back: ReadonlyMap<string, Buffer>; readonly notes: readonly string[] }> {
  const restoration = await cosmos.restore(url, { replace: false, definitions: definitionsOf(streams), parallelism: 2, ...options }, never);
  try {
    await restoration.prepare();
    const { part } = options;
    const chosen = rowsOf(streams).filter(({ name }) => part === undefined || !("only" in part) || part.only.includes(name));
    await Promise.all(chosen.map((stream) => restoration.write(stream, pieces(stream.content))));
    await restoration.finish();
    const back = new Map<string, Buffer>();
    for (const stream of chosen) {
      const blocks: Buffer[] = [];
      for await (const block of restoration.readBack(stream)) blocks.push(Buffer.from(block));
      back.set(stream.name, Buffer.concat(blocks));
    }
    return { back, notes: restoration.notes };
  } finally {
    await restoration.close();
  }
}

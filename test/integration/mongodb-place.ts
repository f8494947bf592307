import { randomBytes } from "node:crypto";
import { type Db, MongoClient } from "mongodb";
import { mongodb } from "../../core/databases/mongodb/mongodb.ts";
import type { Framing } from "../../core/domain/snapshot.ts";
import { useStack } from "../stack/use-stack.ts";

/** A database of a test's own, dropped at its end. */
export interface Place {
  readonly url: string;
  readonly db: Db;
  readonly name: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function ownDatabase(server: "mongodb" | "secantus" = "mongodb"): Promise<Place> {
  const stack = await useStack("mongodb", "secantus");
  const name = `t${randomBytes(6).toString("hex")}`;
  const url = new URL(stack[server].url);
  url.pathname = `/${name}`;
  const client = new MongoClient(url.href, { ignoreUndefined: false });
  const db = client.db();
  return {
    url: url.href,
    db,
    name,
    [Symbol.asyncDispose]: async () => {
      await db.dropDatabase();
      await client.close();
    },
  };
}

export const never = new AbortController().signal;

/** A stream's name and what a restore needs of it, with all its bytes. */
export interface Captured {
  readonly name: string;
  readonly kind: "definition" | "rows";
  readonly framing: Framing;
  readonly target: unknown;
  readonly content: Buffer;
}

/** Every stream of the database, read as a capture does. */
export async function capture(url: string, partBytes = 64 << 20): Promise<Captured[]> {
  const hold = await mongodb.hold(url, never);
  try {
    const plan = await mongodb.plan(url, hold.token, { partBytes }, never);
    const streams: Captured[] = [];
    for (const stream of plan.streams) {
      const blocks: Buffer[] = [];
      for (const part of stream.parts)
        for await (const block of mongodb.read(url, hold.token, stream, part, never)) blocks.push(Buffer.from(block));
      streams.push({
        name: stream.name,
        kind: stream.kind,
        framing: stream.framing,
        target: stream.target,
        content: Buffer.concat(blocks),
      });
    }
    return streams;
  } finally {
    await hold.close();
  }
}

/** The stream's bytes in pieces that end anywhere. */
export async function* pieces(content: Buffer, size = 70_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

export const definitionsOf = (streams: readonly Captured[]) => streams.filter(({ kind }) => kind === "definition");
export const rowsOf = (streams: readonly Captured[]) => streams.filter(({ kind }) => kind === "rows");

/** The documents as hex, in an order that does not depend on the server's. */
export function sortedDocuments(content: Buffer): string[] {
  const documents: string[] = [];
  for (let at = 0; at < content.length; at += content.readInt32LE(at))
    documents.push(content.toString("hex", at, at + content.readInt32LE(at)));
  return documents.sort();
}

/** Restores everything into the database at `url` and gives what is then read back, by stream name. */
export async function restoreAll(url: string, streams: readonly Captured[], replace = false): Promise<Map<string, Buffer>> {
  const restoration = await mongodb.restore(url, { replace, definitions: definitionsOf(streams), parallelism: 2 }, never);
  try {
    await restoration.prepare();
    await Promise.all(rowsOf(streams).map((stream) => restoration.write(stream, pieces(stream.content))));
    await restoration.finish();
    const back = new Map<string, Buffer>();
    for (const stream of rowsOf(streams)) {
      const blocks: Buffer[] = [];
      for await (const block of restoration.readBack(stream)) blocks.push(Buffer.from(block));
      back.set(stream.name, Buffer.concat(blocks));
    }
    return back;
  } finally {
    await restoration.close();
  }
}

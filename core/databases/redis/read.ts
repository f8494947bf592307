import { Failure } from "../../domain/failure.ts";
import type { PartPlan, StreamPlan } from "../engine.ts";
import { parseAddress } from "./address.ts";
import { connect, connected } from "./connection.ts";
import { readDefinitions } from "./definitions.ts";
import { redisFailure } from "./failures.ts";
import type { PartSelector } from "./plan.ts";
import { openReplication } from "./psync.ts";
import { readRdb } from "./rdb/file.ts";
import { createRecordWriter } from "./record-writer.ts";
import { scanDatabase } from "./scan.ts";
import { scratchDatabases } from "./scratch-mark.ts";
import { readFacts } from "./server-facts.ts";

/** The bytes of one part: records of keys, or the definitions. */
export async function* readPart(url: string, stream: StreamPlan, part: PartPlan, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  if (stream.kind === "definition") {
    yield await connected(url, signal, "reading functions and users", readDefinitions);
    return;
  }
  const selector = part.selector as PartSelector;
  try {
    const blocks = selector.method === "replication" ? readByReplication(url, selector, signal) : readByScan(url, selector, signal);
    for await (const block of blocks) {
      yield block;
      signal.throwIfAborted();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw redisFailure(error, parseAddress(url), "reading keys");
  }
}

async function* readByReplication(url: string, { databases, detail }: PartSelector, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const { now, scratch } = await beside(url, databases, signal);
  const replication = await openReplication(parseAddress(url), signal);
  try {
    // A drill may have begun in between; one that had ended by now began before.
    const left = new Set([...scratch, ...(await beside(url, databases, signal)).scratch]);
    const wants = (database: number): boolean => databases?.includes(database) ?? !left.has(database);
    yield* readRdb(replication.rdb, createRecordWriter(detail, now), { wants, now });
  } finally {
    replication.close();
  }
}

/** What an RDB does not say: the server's time, and which logical databases are drills'. */
const beside = (
  url: string,
  databases: readonly number[] | null,
  signal: AbortSignal,
): Promise<{ now: bigint; scratch: readonly number[] }> =>
  connected(url, signal, "reading keys", async (connection) => {
    const [seconds, micros] = (await connection.call("TIME")) as readonly Buffer[];
    const scratch = databases === null ? await scratchDatabases(connection, await readFacts(connection)) : [];
    return { now: BigInt(String(seconds)) * 1000n + BigInt(String(micros)) / 1000n, scratch };
  });

async function* readByScan(url: string, selector: PartSelector, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let left = selector.commands ?? Number.POSITIVE_INFINITY;
  const spend = (count: number): void => {
    left -= count;
    if (left >= 0) return;
    throw new Failure(
      "CostCapExceeded",
      `Redis at ${parseAddress(url).label} takes more commands to read than the commandBudget in its URL allows: keys were added since it was planned.`,
    );
  };
  const connection = await connect(url, signal, spend);
  try {
    const facts = await readFacts(connection);
    for (const database of selector.databases ?? [])
      yield* scanDatabase(connection, {
        database,
        as: database,
        method: selector.method === "dump" ? "dump" : "types",
        facts,
        detail: selector.detail,
      });
  } finally {
    connection.close();
  }
}

import { setTimeout as delay } from "node:timers/promises";
import { Timestamp } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { Consistency } from "../../domain/snapshot.ts";
import type { Hold } from "../engine.ts";
import { orAborted } from "../or-aborted.ts";
import { type CatalogEntry, listCatalog, roleOf } from "./catalog.ts";
import { type Connection, connect } from "./connection.ts";
import { mongoFailure } from "./failures.ts";
import {
  clockTokenOf,
  majorityTime,
  noSnapshot,
  provenSnapshotTime,
  readConcernOf,
  readsAt,
  tokenOf,
  trialCollection,
} from "./snapshot-read.ts";

// The server keeps history for 5 minutes unless told otherwise; a loss must be known well before a part fails for it.
const watchEveryMs = 15_000;

/**
 * A snapshot in MongoDB is a cluster time: nothing is kept open, and any connection reads at it for as long as the
 * server keeps the history (`minSnapshotHistoryWindowInSeconds`). Where the server cannot prove that it reads at a
 * time, each collection is read as it is then, and the consistency says so.
 */
export async function openHold(url: string, signal: AbortSignal): Promise<Hold> {
  const connection = await connect(url, signal);
  try {
    const catalog = await orAborted(listCatalog(connection), signal);
    const trial = trialCollection(catalog);
    const candidate = connection.hello.setName !== undefined || connection.hello.msg === "isdbgrid";
    const time = candidate && trial !== undefined ? await orAborted(provenSnapshotTime(connection, trial.name), signal) : undefined;
    if (time === undefined || trial === undefined) return await holdNothing(connection, candidate ? trial : undefined);
    const whole = await orAborted(readsAllAt(connection, catalog, tokenOf(time)), signal);
    return holdTime(connection, trial.name, time, whole ? "transactional" : "per-collection");
  } catch (error) {
    connection.release();
    signal.throwIfAborted();
    throw mongoFailure(error, connection.address, "opening a snapshot");
  }
}

/** Without a snapshot there is nothing to lose. The server's time, where it has one, is from before anything is read. */
async function holdNothing(connection: Connection, trial: CatalogEntry | undefined): Promise<Hold> {
  const operationTime = trial === undefined ? undefined : await majorityTime(connection, trial.name);
  connection.release();
  const token = operationTime instanceof Timestamp ? clockTokenOf(operationTime) : noSnapshot;
  return { token, consistency: "per-collection", lost: new Promise<never>(() => undefined), close: async () => undefined };
}

/** Whether everything that will be captured can be read at the token's time: then the snapshot is of one moment, and not otherwise. */
async function readsAllAt(connection: Connection, catalog: readonly CatalogEntry[], token: string): Promise<boolean> {
  for (const entry of catalog)
    if (["rows", "buckets"].includes(roleOf(entry, catalog)) && !(await readsAt(connection, entry, token))) return false;
  return true;
}

function holdTime(connection: Connection, trial: string, time: Timestamp, consistency: Consistency): Hold {
  const token = tokenOf(time);
  const closed = new AbortController();
  const lost = watch(connection, trial, token, closed.signal);
  // Whoever does not look at `lost` shall not be brought down by it.
  lost.catch(() => undefined);
  return {
    token,
    consistency,
    lost,
    close: async () => {
      closed.abort();
      connection.release();
    },
  };
}

/** Reads at the hold's time again and again; rejects once the server no longer can. Never resolves. */
async function watch(connection: Connection, trial: string, token: string, closed: AbortSignal): Promise<never> {
  const read = { find: trial, projection: { _id: 1 }, limit: 1, singleBatch: true, readConcern: readConcernOf(token)! };
  while (true) {
    await delay(watchEveryMs, undefined, { signal: closed, ref: false }).catch(() => undefined);
    if (closed.aborted) return new Promise<never>(() => undefined);
    try {
      await connection.ask(read);
    } catch (error) {
      if (closed.aborted) return new Promise<never>(() => undefined);
      const { message } = mongoFailure(error, connection.address, "keeping the snapshot");
      throw new Failure("HoldLost", message, { cause: error });
    }
  }
}

import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions } from "../engine.ts";
import { type Connection, connect } from "./connection.ts";
import { parseDefinitions } from "./definitions.ts";
import { createExpiringKeys } from "./expiring.ts";
import { redisFailure } from "./failures.ts";
import { fitTarget } from "./fit.ts";
import { chooseForReading } from "./method.ts";
import type { KeysTarget } from "./plan.ts";
import { recordsIn } from "./record-reader.ts";
import { restoreDefinitions } from "./restore-definitions.ts";
import { scanDatabase } from "./scan.ts";
import { scratchMark, scratchMarks } from "./scratch-mark.ts";
import { type Keyspace, keyspaceOf, readFacts } from "./server-facts.ts";
import { writeKeys } from "./write.ts";

/** Opens a restore into the server, or the one logical database, that `url` names. What does not fit is refused here; nothing is written before `prepare`. */
export async function openRestoration(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration> {
  const [definition] = options.definitions;
  if (definition === undefined) throw new Failure("FormatUnsupported", "The snapshot of a Redis database lacks its definitions.");
  const source = definition.target as KeysTarget;
  const contents = parseDefinitions(definition.content);
  const connection = await connect(url, signal);
  const { address } = connection;
  const guarded = async <T>(during: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw redisFailure(error, address, during, "RestoreFailed");
    }
  };
  const { facts, fit, aheadMs } = await guarded("looking at the target", async () => {
    const found = await readFacts(connection);
    return { facts: found, fit: await fitTarget(connection, found, source), aheadMs: await clockOf(connection) };
  }).catch((error: unknown) => {
    connection.close();
    throw error;
  });
  const now = (): bigint => BigInt(Date.now()) + aheadMs;
  const notes: string[] = [...fit.notes];
  const expiring = createExpiringKeys();
  /** What this target's scratch mark says; undefined when it is none. */
  let mark: string | undefined;
  let failedBefore = false;
  let expired = 0;

  /** Of the source's only logical database, when the target is one. */
  let only = source.database ?? source.databases[0];
  const databaseOf = (from: number): number => {
    if (address.database === undefined) return from;
    only ??= from;
    if (from === only) return address.database;
    throw new Failure("RestoreFailed", `The snapshot holds more than one logical database; the target ${address.label} is one.`);
  };
  const enter = async (at: Connection): Promise<void> => {
    if (mark !== undefined) await at.call("SET", scratchMark, mark);
  };

  const beside = options.part !== undefined;
  /** The logical databases that stand in the way. Refuses them unless they may go. */
  const occupied = async (): Promise<readonly Keyspace[]> => {
    if (options.progress?.resume === true)
      throw new Failure("UsageInvalid", "A restore into Redis cannot go on where one ended: pass --replace instead.");
    const marks = await scratchMarks(connection, facts);
    mark = marks.get(address.database ?? 0);
    if (beside) return [];
    const found = (await keyspaceOf(connection, facts)).filter(
      ({ database, keys }) => (address.database ?? database) === database && !(marks.has(database) && keys === 1),
    );
    if (found.length > 0 && !options.replace)
      throw new Failure(
        "TargetNotEmpty",
        `Redis at ${address.label} is not empty: ${found.map(({ database, keys }) => `database ${database} holds ${keys} keys`).join(", ")}.`,
      );
    return found;
  };

  return {
    notes,
    written: new Set(),
    preview: () =>
      guarded("looking at the target", async () => ({
        creates:
          address.database === undefined && !beside ? [{ kind: "library of functions", count: (contents.functions ?? []).length }] : [],
        drops: (await occupied()).map(({ database, keys }) => `logical database ${database} (${keys} keys)`),
        notes,
      })),
    prepare: () =>
      guarded("preparing the target", async () => {
        for (const { database } of await occupied()) {
          await connection.select(database);
          await connection.call("FLUSHDB");
        }
      }),
    write: (_, content) =>
      guarded("writing keys", async () => {
        const own = await connect(url, signal);
        try {
          expired += await writeKeys(own, content, {
            target: fit.abilities,
            databaseOf,
            afresh: failedBefore || (beside && options.replace),
            beside,
            expiring,
            now,
            enter,
          });
        } catch (error) {
          failedBefore = true;
          throw error;
        } finally {
          own.close();
        }
      }),
    finish: () =>
      guarded("restoring functions and users", async () => {
        if (expired > 0) notes.push(`${expired} keys had expired since the snapshot, and were left out.`);
        const whole = address.database === undefined && mark === undefined;
        if (!beside) notes.push(...(await restoreDefinitions(connection, contents, { whole, replace: options.replace })));
      }),
    async *readBack() {
      const reading = await connect(url, signal);
      try {
        const current = await readFacts(reading);
        const method = await chooseForReading(reading, current);
        const databases =
          address.database === undefined ? (await keyspaceOf(reading, current)).map(({ database }) => database) : [address.database];
        for (const database of databases) {
          const as = address.database === undefined ? database : (only ?? database);
          const scan = { database, as, method, facts: current, detail: source.detail, except: scratchMark };
          for await (const block of scanDatabase(reading, scan))
            yield Buffer.concat([...recordsIn(block)].map((record) => expiring.completed(record, now())));
        }
        // A key that expired is gone from the server for good: its record stands for it.
        yield* expiring.missing(now());
        if (expiring.overflowed())
          notes.push("More keys expire soon than could be kept in memory for the comparison: those that did are told as missing.");
      } catch (error) {
        signal.throwIfAborted();
        throw redisFailure(error, address, "reading the restored keys back");
      } finally {
        reading.close();
      }
    },
    close: async () => connection.close(),
  };
}

/** By how much the server's clock is ahead of ours, in ms. */
const clockOf = async (connection: Connection): Promise<bigint> => {
  const [seconds, micros] = (await connection.call("TIME")) as readonly Buffer[];
  return BigInt(String(seconds)) * 1000n + BigInt(String(micros)) / 1000n - BigInt(Date.now());
};

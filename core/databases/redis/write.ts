import { ErrorReply } from "@redis/client";
import { Failure } from "../../domain/failure.ts";
import type { Argument, Connection, Reply } from "./connection.ts";
import type { ExpiringKeys } from "./expiring.ts";
import { createKeyCommands, type TargetAbilities } from "./key-commands.ts";
import { forever } from "./record.ts";
import { type KeyRecord, readRecords } from "./record-reader.ts";

export interface WriteOptions {
  readonly target: TargetAbilities;
  /** The logical database of the target for one of the source. */
  readonly databaseOf: (source: number) => number;
  /** What is there under a key's name goes: it is of an attempt before, or to be replaced. */
  readonly afresh: boolean;
  /** Other keys are there too: one of a name that is written is refused, unless `afresh`. */
  readonly beside: boolean;
  readonly expiring: ExpiringKeys;
  /** The server's time, ms since 1970. */
  readonly now: () => bigint;
  /** Called once before the first key of a logical database. */
  readonly enter: (connection: Connection, database: number) => Promise<void>;
}

const batchBytes = 1 << 20;
const batchCommands = 2_000;

/** Writes keys. Returns how many were left out because they had expired. */
export const writeKeys = async (
  connection: Connection,
  content: AsyncIterable<Uint8Array>,
  { target, databaseOf, afresh, beside, expiring, now, enter }: WriteOptions,
): Promise<number> => {
  const commandsOf = createKeyCommands(target);
  let database: number | undefined;
  /** The key whose pieces are under way. */
  let last: Buffer | undefined;
  let expired = 0;
  let batch: (readonly Argument[])[] = [];
  let bytes = 0;
  /** Keys that begin in the batch. */
  let begun: Buffer[] = [];
  let underWay: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    const commands = batch;
    const keys = begun;
    batch = [];
    begun = [];
    bytes = 0;
    await underWay;
    if (beside && !afresh) requireAbsent(await connection.pipeline(keys.map((key) => ["EXISTS", key])));
    underWay = connection.pipeline(commands).then((replies) => requireDone(commands, replies));
    underWay.catch(() => undefined); // awaited with the next batch
  };
  try {
    for await (const record of readRecords(content)) {
      const wanted = databaseOf(record.database);
      if (wanted !== database) {
        await send();
        await underWay;
        await connection.select(wanted);
        await enter(connection, wanted);
        database = wanted;
      }
      expiring.note(record, now());
      const continued = (record.part?.offset ?? 0) > 0;
      if (isExpired(record, now())) {
        if (!continued) expired += 1;
        if (record.form === "whole") continue;
      }
      const first = !continued && (record.form === "whole" || last === undefined || !last.equals(record.key));
      // What is closed has ended: another logical database may go on with a key of the same name.
      if (record.form !== "whole") last = record.form === "piece" ? Buffer.from(record.key) : undefined;
      if (first && beside) begun.push(Buffer.from(record.key));
      if (first && afresh) batch.push(["DEL", Buffer.from(record.key)]);
      for (const command of commandsOf(record)) {
        // The record is a view.
        batch.push(command.map((part) => (typeof part === "string" ? part : Buffer.from(part))));
        bytes += command.reduce((sum, part) => sum + part.length, 0);
      }
      if (bytes >= batchBytes || batch.length >= batchCommands) await send();
    }
    await send();
  } finally {
    await underWay.catch(() => undefined);
  }
  await underWay;
  return expired;
};

const isExpired = ({ expiry, form }: KeyRecord, now: bigint): boolean => form !== "piece" && expiry !== forever && expiry <= now;

const requireAbsent = (replies: readonly Reply[]): void => {
  const present = replies.filter((reply) => Number(reply) > 0).length;
  if (present > 0)
    throw new Failure("TargetNotEmpty", `the target holds ${present} of the chosen keys already, as far as it was looked at`);
};

const requireDone = (commands: readonly (readonly Argument[])[], replies: readonly Reply[]): void => {
  const at = replies.findIndex((reply) => reply instanceof Error);
  if (at < 0) return;
  const error = replies[at] as Error;
  const name = String(commands[at]![0]);
  if (/^OOM|^READONLY|^NOPERM|^LOADING|^BUSY|^MISCONF|^NOAUTH/.test(error.message) || !(error instanceof ErrorReply)) throw error;
  throw new Failure("RestoreFailed", `the target refused ${name}: ${error.message.split(/['"\n]/)[0]!.trim()}`, { cause: error });
};

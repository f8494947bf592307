import { Failure } from "../../domain/failure.ts";
import type { Argument } from "./connection.ts";
import { moduleType, restorePayload } from "./rdb/payload.ts";
import { createStreamNodes, type StreamNodes } from "./rdb/stream-payload.ts";
import { forever } from "./record.ts";
import { type KeyRecord, readBody } from "./record-reader.ts";
import { streamCommands, streamStateCommands } from "./stream-commands.ts";
import { readStreamState, type StreamDetail } from "./stream-state.ts";

type Command = readonly Argument[];

export interface TargetAbilities {
  /** What the target's streams know; the source's may be less, or more. */
  readonly detail: StreamDetail;
  /** Whether RESTORE is allowed. */
  readonly restore: boolean;
  /** Of the source's RDB: what module values are written in. */
  readonly rdbVersion: number;
}

/** Arguments in one command at most. */
const mostArguments = 1_000;
/** A stream beyond this is refused: RESTORE wants it whole, in one argument. */
const mostStreamBytes = 256 << 20;

/**
 * Turns records into the commands that make their keys again. Records of one key follow one another.
 * Its expiry comes last, so that a key in the making does not expire.
 */
export const createKeyCommands = (target: TargetAbilities) => {
  let stream: StreamNodes | undefined;
  let last: Buffer | undefined;

  const streamRecord = (record: KeyRecord): Command[] => {
    const { form, key, body } = record;
    const reader = readBody(body);
    if (form === "whole" || last === undefined || !last.equals(key)) stream = createStreamNodes();
    // What is closed has ended: another logical database may go on with a key of the same name.
    last = form === "piece" ? Buffer.from(key) : undefined;
    const stateBytes = form === "whole" ? reader.string() : undefined;
    if (form !== "closing") {
      if (form === "piece") reader.u64();
      const commands: Command[] = [];
      while (reader.left() > 0) {
        const id = reader.id();
        const pairs = Array.from({ length: reader.u32() * 2 }, () => reader.string());
        if (!target.restore) commands.push(...streamCommands(key, id, pairs));
        else stream!.add(id, pairs);
      }
      if (stream!.bytes() > mostStreamBytes)
        throw new Failure("EngineUnsupported", `A stream is larger than ${mostStreamBytes} bytes, which RESTORE cannot take in one piece.`);
      if (form === "piece") return commands;
      const state = readStreamState(stateBytes!);
      if (!target.restore) return [...commands, ...streamStateCommands(key, state, target.detail)];
      return [restoreCommand(record, stream!.payload(state, least(state.detail, target.detail)))];
    }
    reader.u64();
    const state = readStreamState(body.subarray(8));
    if (!target.restore) return streamStateCommands(key, state, target.detail);
    return [restoreCommand(record, stream!.payload(state, least(state.detail, target.detail)))];
  };

  return (record: KeyRecord): Command[] => {
    const { key, type, form, body, expiry } = record;
    const reader = readBody(body);
    const commands: Command[] = [];
    const batched = (name: string, rest: readonly Argument[], next: () => readonly Argument[]): void => {
      while (reader.left() > 0) {
        const some: Argument[] = [];
        while (reader.left() > 0 && some.length < mostArguments) some.push(...next());
        commands.push([name, key, ...rest, ...some]);
      }
    };
    if (type === "stream") commands.push(...streamRecord(record));
    else if (type === "string" && record.part !== undefined) {
      const { offset, total } = record.part;
      // All of its memory at once, rather than a copy for each part.
      if (offset === 0) commands.push(["SETRANGE", key, String(total - 1), "\0"]);
      commands.push(["SETRANGE", key, String(offset), body]);
      if (offset + body.length < total) return commands;
    } else if (type === "string") commands.push(["SET", key, body]);
    else if (type === "module") {
      reader.string();
      return [restoreCommand(record, restorePayload(moduleType, [body.subarray(body.length - reader.left())], target.rdbVersion))];
    } else if (form !== "closing") {
      if (type === "list") {
        if (form === "piece") reader.u64();
        batched("RPUSH", [], () => [reader.string()]);
      } else if (type === "set") batched("SADD", [], () => [reader.string()]);
      else if (type === "zset")
        batched("ZADD", [], () => {
          const member = reader.string();
          return [scoreText(reader.f64()), member];
        });
      else {
        const expiring: Command[] = [];
        batched("HSET", [], () => {
          const [field, value, at] = [reader.string(), reader.string(), reader.i64()];
          if (at !== forever) expiring.push(["HPEXPIREAT", key, String(at), "FIELDS", "1", field]);
          return [field, value];
        });
        commands.push(...expiring);
      }
    }
    if (expiry !== forever && form !== "piece") commands.push(["PEXPIREAT", key, String(expiry)]);
    return commands;
  };
};

const restoreCommand = ({ key }: KeyRecord, payload: Buffer): Command => ["RESTORE", key, "0", payload, "REPLACE"];

const least = (a: StreamDetail, b: StreamDetail): StreamDetail => (a < b ? a : b);

/** A number that reads back as the very same. */
const scoreText = (score: number): string =>
  score === Number.POSITIVE_INFINITY ? "+inf" : score === Number.NEGATIVE_INFINITY ? "-inf" : Object.is(score, -0) ? "-0" : String(score);

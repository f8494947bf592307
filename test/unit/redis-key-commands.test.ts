import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it } from "node:test";
import { createKeyCommands } from "../../core/databases/redis/key-commands.ts";
import { forever } from "../../core/databases/redis/record.ts";
import { recordsIn } from "../../core/databases/redis/record-reader.ts";
import { createRecordWriter } from "../../core/databases/redis/record-writer.ts";
import type { StreamState } from "../../core/databases/redis/stream-state.ts";

const state: StreamState = { lastId: { ms: 9n, sequence: 9n }, maxDeleted: { ms: 0n, sequence: 0n }, added: 40n, groups: [] };

/** A stream of 40 entries of 64 KiB, which leaves in pieces. */
const largeStream = (database: number, letter: string): Buffer => {
  const writer = createRecordWriter(3);
  writer.begin({ database, type: "stream", key: Buffer.from("events"), expiry: forever });
  for (let n = 1n; n <= 40n; n++) writer.entry({ ms: n, sequence: 0n }, [Buffer.from("field"), Buffer.alloc(64 << 10, letter)]);
  writer.end(state);
  return Buffer.from(writer.take());
};

describe("commands that make keys again", () => {
  it("keep apart large streams of one name in two logical databases, one right after the other", () => {
    const target = { detail: 3, restore: true, rdbVersion: 11 } as const;
    const commandsOf = (records: Buffer) => {
      const of = createKeyCommands(target);
      return [...recordsIn(records)].flatMap((record) => of(record));
    };
    const [first, second] = [largeStream(0, "a"), largeStream(1, "b")];
    assert.ok([...recordsIn(first)].filter(({ form }) => form === "piece").length > 1);
    // Digests: what tells two arguments of megabytes apart takes minutes to print.
    const digests = (records: Buffer) => commandsOf(records).map((command) => command.map((part) => hash("sha256", part, "hex")));
    const together = digests(Buffer.concat([first, second]));
    assert.equal(together.length, 2);
    assert.deepEqual(together, [...digests(first), ...digests(second)]);
  });
});

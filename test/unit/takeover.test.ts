import assert from "node:assert/strict";
import { test } from "node:test";
import type { EarlierContent, Plan, StreamPlan } from "../../core/databases/engine.ts";
import type { CapturedPart } from "../../core/snapshot/capture-batch.ts";
import { bytesToRead, groupParts } from "../../core/snapshot/capture-plan.ts";
import { manifestStreams } from "../../core/snapshot/manifest-streams.ts";
import { findUnchanged, takenOverParts, takeoverRecord } from "../../core/snapshot/takeover.ts";

const stream = (name: string, parts: number, mark?: unknown): StreamPlan => ({
  name,
  kind: "rows",
  framing: "lines",
  target: { table: name },
  parts: Array.from({ length: parts }, (_, from) => ({ selector: { from }, estimatedBytes: 10 })),
  ...(mark === undefined ? {} : { mark }),
});
const planOf = (...streams: StreamPlan[]): Plan => ({ serverVersion: "18", databaseName: "shop", streams, notes: [] });

/** As if every part had been captured: part `n` of a stream has `n + 1` rows. */
const captured = (plan: Plan): CapturedPart[] =>
  plan.streams.flatMap(({ name, parts }, streamAt) =>
    parts.map((_, partAt): CapturedPart => {
      const range = `${name}-${partAt}`;
      return { part: [streamAt, partAt], range, rows: partAt + 1, bytes: 7, sum: "00", packs: [`pack-${range}`], envelopes: [] };
    }),
  );

const first = planOf(stream("a", 2, "mark of a"), stream("no mark", 1), stream("b", 1, "mark of b"));
const record = takeoverRecord("s1", first, captured(first), 0);

test("only parts with a mark are left to the next snapshot", () => {
  assert.deepEqual(
    record.parts.map(({ range, mark, rows }) => [range, mark, rows]),
    [
      ["a-0", "mark of a", 1],
      ["a-1", "mark of a", 2],
      ["b-0", "mark of b", 1],
    ],
  );
});

test("the engine is asked once, about the parts that an earlier snapshot has, and not at all where there is none", async () => {
  const now = planOf(stream("new", 1, "m"), stream("b", 2, "m"), stream("a", 3, "m"));
  const asked: (readonly EarlierContent[])[] = [];
  const ask = async (parts: readonly EarlierContent[]): Promise<boolean[]> => {
    asked.push(parts);
    return parts.map(({ stream, rows }) => stream.name === "a" && rows === 2);
  };
  const unchanged = await findUnchanged(now, record.parts, ask);
  assert.deepEqual(
    asked.map((parts) => parts.map(({ stream, part, mark, rows }) => [stream.name, part.selector, mark, rows])),
    [
      [
        ["b", { from: 0 }, "mark of b", 1],
        ["a", { from: 0 }, "mark of a", 1],
        ["a", { from: 1 }, "mark of a", 2],
      ],
    ],
  );
  assert.deepEqual(Object.keys(unchanged), ["2/1"]);

  const fail = (): never => assert.fail("asked");
  assert.deepEqual(await findUnchanged(now, [], fail), {});
  assert.deepEqual(await findUnchanged(planOf(stream("new", 4, "m")), record.parts, fail), {});
});

test("an engine that answers for fewer parts than it was asked about has said nothing of the others", async () => {
  assert.deepEqual(await findUnchanged(first, record.parts, async () => []), {});
});

test("what is taken over is in no batch and in no estimate, and in the manifest and the next record all the same", async () => {
  const now = planOf(stream("a", 2, "later"), stream("b", 1, "later"));
  const takenOver = await findUnchanged(now, record.parts, async (parts) => parts.map(({ rows }) => rows === 2));
  assert.deepEqual(groupParts(now, 1_000, { takenOver, expected: {} }), [
    [
      [0, 0],
      [1, 0],
    ],
  ]);
  const [[key, part] = []] = Object.entries(takenOver);
  assert.deepEqual(
    groupParts(now, 1_000, { takenOver: {}, expected: { [key!]: part! } }).map((batch) => batch.map(String)),
    [["0,0", "1,0"], ["0,1"]],
    "what did not change, and is read all the same, is in batches of its own",
  );
  assert.equal(bytesToRead(now, takenOver), 20);
  const read = captured(now).filter(({ range }) => range !== "a-1");
  assert.throws(() => manifestStreams(now, read), /part 1 of a was planned but not captured/);
  const whole = [...takenOverParts(takenOver), ...read];
  assert.deepEqual(
    manifestStreams(now, whole).map(({ name, rows, ranges }) => [name, rows, ranges.map(({ id }) => id)]),
    [
      ["a", 3, ["a-0", "a-1"]],
      ["b", 1, ["b-0"]],
    ],
  );
  assert.deepEqual(
    new Set(takeoverRecord("s2", now, whole, 1).parts.map(({ range, mark }) => `${range} ${mark}`)),
    new Set(["a-0 later", "a-1 later", "b-0 later"]),
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { statementsOf } from "../../core/databases/postgres/unchanged.ts";

const mebibyte = 2 ** 20;
const partsOf = (...sizes: readonly number[]) => sizes.map((size) => ({ part: { selector: {}, estimatedBytes: size * mebibyte } }));
const lengthsOf = (parts: ReturnType<typeof partsOf>): number[] => statementsOf(parts).map((some) => some.length);

test("what is asked of the server is split so that two sessions share it, but not into pieces that are not worth a statement, nor too large ones", () => {
  assert.deepEqual(lengthsOf(partsOf(64, 64, 64, 64, 64, 64, 64, 64)), [2, 2, 2, 2]);
  assert.deepEqual(lengthsOf(partsOf(10, 10, 10)), [3]);
  assert.deepEqual(lengthsOf(partsOf(64, 1)), [1, 1]);
  assert.deepEqual(lengthsOf(partsOf(...Array.from({ length: 120 }, () => 0.1))), [50, 50, 20]);
  assert.ok(Math.max(...lengthsOf(partsOf(...Array.from({ length: 128 }, () => 64)))) <= 16, "a gibibyte at most");
  assert.deepEqual(statementsOf(partsOf(200, 5, 90, 30)).flat().length, 4, "nothing is lost");
  assert.deepEqual(lengthsOf(partsOf()), []);
});

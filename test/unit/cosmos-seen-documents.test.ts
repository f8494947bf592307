import assert from "node:assert/strict";
import { test } from "node:test";
import { rememberDocuments } from "../../core/databases/cosmos/seen-documents.ts";

test("what was given is remembered, through all growth, and nothing else", () => {
  const { sawBefore } = rememberDocuments();
  const names = Array.from({ length: 20_000 }, (_, n) => `["p${n % 7}"]"${n}"`);
  assert.ok(names.every((name) => !sawBefore(name)));
  assert.ok(names.every((name) => sawBefore(name)));
  assert.ok(!sawBefore("another"));
});

test("where there is no more room, what was remembered still is", () => {
  const { sawBefore } = rememberDocuments(2);
  assert.deepEqual(["a", "b", "c"].map(sawBefore), [false, false, false]);
  assert.deepEqual(["a", "b", "c"].map(sawBefore), [true, true, false]);
});

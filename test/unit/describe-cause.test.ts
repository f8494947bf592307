import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey } from "../../core/snapshot/capture-plan.ts";
import { describeCause } from "../../core/snapshot/describe-cause.ts";

test("the chain of causes is one text; of mistakes of the program it says where they were made", () => {
  let mistake: unknown;
  try {
    addressKey(undefined as never);
  } catch (error) {
    mistake = error;
  }
  const text = describeCause(new Error("outer", { cause: mistake }));
  assert.match(text, /^Error: outer ← TypeError: .* at core\/snapshot\/capture-plan\.ts:\d+$/);
  assert.equal(describeCause(Object.assign(new Error("no"), { code: "EACCES" })), "Error (EACCES): no");
});

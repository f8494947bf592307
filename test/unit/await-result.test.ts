import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitResult } from "../../client/run-workflow.ts";

test("awaiting a run looks at once and now and then, says when it cannot look, and leaves no timer behind that would keep the command from ending", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const looks: string[] = [];
  const result = await awaitResult(
    { result: () => promise },
    async () => {
      looks.push("looked");
      if (looks.length === 1) throw new Error("no worker answers");
      resolve("done");
    },
    () => void looks.push("in vain"),
  );
  assert.equal(result, "done");
  assert.deepEqual(looks, ["looked", "in vain", "looked"]);
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout");
  assert.deepEqual(timers, [], "the timer of the next look ended with the run");
});

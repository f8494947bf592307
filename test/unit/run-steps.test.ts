import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RestoreStep } from "../../core/databases/engine.ts";
import { runSteps } from "../../core/snapshot/run-steps.ts";

describe("steps of a restore", () => {
  const done: string[] = [];
  const step = (name: string, size: number, next: readonly RestoreStep[] = []): RestoreStep => ({
    size,
    run: async () => {
      done.push(name);
      return next;
    },
  });

  it("are run the largest first, also those that come up on the way, and equal ones in their order", async () => {
    done.length = 0;
    await runSteps(
      [step("small", 1), step("first", 5, [step("index", 5), step("other index", 5)]), step("second", 5), step("middle", 3)],
      1,
    );
    assert.deepEqual(done, ["first", "second", "index", "other index", "middle", "small"]);
  });

  it("are under way at most as many as allowed, and those that come up later find lanes that were idle", async () => {
    let underway = 0;
    let most = 0;
    const slow = (next: readonly RestoreStep[] = []): RestoreStep => ({
      size: 1,
      run: async () => {
        underway += 1;
        most = Math.max(most, underway);
        await new Promise(setImmediate);
        underway -= 1;
        return next;
      },
    });
    await runSteps([slow([slow(), slow(), slow(), slow()])], 3);
    assert.deepEqual([most, underway], [3, 0]);
  });

  it("stop at the first failure, once those under way have ended", async () => {
    done.length = 0;
    const failing = { size: 9, run: () => Promise.reject(new Error("this one")) };
    const later: RestoreStep = {
      size: 8,
      run: async () => {
        await new Promise(setImmediate);
        done.push("ended");
        return [step("never", 7)];
      },
    };
    await assert.rejects(runSteps([failing, later, step("never", 1)], 2), /this one/);
    assert.deepEqual(done, ["ended"]);
    await runSteps([], 2);
  });
});

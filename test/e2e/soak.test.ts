import assert from "node:assert/strict";
import { test } from "node:test";
import { soak, taskOf } from "../soak/soak.ts";
import { summaryOf, textSummary } from "../soak/summary.ts";
import { findPostgresFolder } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { useStack } from "../stack/use-stack.ts";

const seed = 4;
/** One round of each; `npm run soak` has the others, and many of each. */
const wanted = ["backup: database's server crashes", "backup: disk of the landing store full", "restore: restore killed"];

test("whatever is killed in a few rounds, a snapshot is complete or is not there, a later run succeeds, and nothing is left behind", async () => {
  const { temporal } = await useStack("temporal");
  const rounds = wanted.map((name) => {
    for (let round = 1; ; round += 1) {
      const { work, fault } = taskOf("postgres", seed, round);
      if (`${work}: ${fault.name}` === name) return round;
    }
  });
  const bin = await findPostgresFolder(progressToStderr);
  const result = await soak({
    seed,
    engine: "postgres",
    rounds,
    lanes: 1,
    temporal: temporal.address,
    bin,
    onRound: () => {},
    onFailure: () => {},
  });
  assert.deepEqual(result.failed, []);
  assert.deepEqual(Object.keys(summaryOf(result).faults).sort(), wanted.toSorted(), textSummary(result));
});

test("the same seed and round always break the same at the same work", () => {
  const tasks = (of: number) => Array.from({ length: 60 }, (_, at) => JSON.stringify(taskOf("postgres", of, at + 1)));
  assert.deepEqual(tasks(seed), tasks(seed));
  assert.notDeepEqual(tasks(seed), tasks(seed + 1));
  assert.equal(new Set(tasks(seed).slice(0, new Set(tasks(seed)).size)).size, new Set(tasks(seed)).size, "each once before any twice");
});

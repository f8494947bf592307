import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { useStack } from "../stack/use-stack.ts";

test("bench:ledger prints what it promises, with every proof checked, on a small log too", async () => {
  await useStack("postgres", "anvil");
  const bench = join(import.meta.dirname, "..", "bench", "ledger.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [bench, "--entries", "700", "--seconds", "1", "--json"]);
  const { proof, append, verify } = JSON.parse(stdout);
  assert.deepEqual(
    [proof, append, verify].map((part) => Object.keys(part)),
    [["p50", "p99"], ["perSecond"], ["median"]],
  );
  for (const figure of [proof.p50, proof.p99, append.perSecond, verify.median]) assert.ok(figure > 0);
});

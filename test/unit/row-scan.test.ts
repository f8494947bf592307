import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { assemble, assembled } from "../assemble-row-scan.ts";

test("the committed loops are what their source says: after a change of row-scan.wat, npm run wasm", async () => {
  assert.deepEqual(new Uint8Array(await readFile(assembled)), await assemble());
});

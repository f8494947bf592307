import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeKinds } from "../core/stores/store.ts";
import { columnOf, matrixVariable, type Outcome, pagePath, withMatrix } from "./integration/store-matrix.ts";

/**
 * `npm run stores:matrix [-- KIND…]`: runs the contract suite on every kind of store, or on those named, one after the other, and writes what each has
 * shown into docs/stores.md. The other columns stay. Where a test fails, the page stays as it is: it tells what works.
 */
const named = process.argv.slice(2);
const folder = join(import.meta.dirname, "integration");
const files = readdirSync(folder)
  .filter((name) => /^stores-.*\.test\.ts$/.test(name) && (named.length === 0 || named.some((kind) => name === `stores-${kind}.test.ts`)))
  .map((name) => join(folder, name))
  .filter((path) => readFileSync(path, "utf8").includes("storeContract("));
const scratch = mkdtempSync(join(tmpdir(), "dbgov-matrix-"));
const collected = join(scratch, "outcomes");
try {
  writeFileSync(collected, "");
  const env = { ...process.env, [matrixVariable]: collected };
  const { status } = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...files], { stdio: "inherit", env });
  if (status !== 0) {
    console.error("a test has failed, so docs/stores.md was left as it is");
    process.exitCode = 1;
  } else {
    const shown = readFileSync(collected, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Outcome);
    const page = readFileSync(pagePath, "utf8");
    const kept = storeKinds
      .filter((kind) => named.length > 0 && !shown.some((outcome) => outcome.kind === kind))
      .flatMap((kind) => [...(columnOf(page, kind) ?? [])].map(([test, result]): Outcome => ({ kind, test, result })));
    writeFileSync(pagePath, withMatrix(page, [...shown, ...kept]));
  }
} finally {
  rmSync(scratch, { recursive: true });
}

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { wrongArrows } from "../check-arrows.ts";

const root = join(import.meta.dirname, "..", "..");

interface Violation {
  readonly file: string;
  readonly source: string;
  /** Whether the linter sees it too: its rule takes types for values. */
  readonly linted: boolean;
}

const violations: readonly Violation[] = [
  { file: "core/domain/clock.ts", source: 'import "node:fs";\n', linted: true },
  { file: "core/domain/upward.ts", source: 'export { configSchema } from "../config/schema.ts";\n', linted: true },
  { file: "core/stores/temporal.ts", source: 'import { Context } from "@temporalio/activity";\nexport { Context };\n', linted: true },
  { file: "core/stores/upward.ts", source: 'import "../../workflows/index.ts";\n', linted: true },
  { file: "core/ledger/verify/outward.ts", source: 'import "../log.ts";\n', linted: true },
  { file: "core/ledger/verify/reading.ts", source: 'import "node:fs";\n', linted: true },
  { file: "workflows/builtin.ts", source: 'import "node:crypto";\n', linted: true },
  { file: "workflows/package.ts", source: 'import { Client } from "@temporalio/client";\nexport { Client };\n', linted: true },
  { file: "workflows/machinery.ts", source: 'import "../core/stores/stores.ts";\n', linted: true },
  { file: "workflows/value.ts", source: 'import { plan } from "../activities/snapshot/index.ts";\nexport { plan };\n', linted: false },
  { file: "workflows/dynamic.ts", source: 'export const load = () => import("../activities/anchor/index.ts");\n', linted: false },
  { file: "activities/upward.ts", source: 'import "../workers/worker.ts";\n', linted: false },
  { file: "workers/upward.ts", source: 'import "../client/cli/main.ts";\n', linted: false },
];

const allowed: readonly { file: string; source: string }[] = [
  { file: "workflows/fine.ts", source: 'import { proxyActivities } from "@temporalio/workflow";\nexport { proxyActivities };\n' },
  { file: "workflows/types.ts", source: 'import type { Plan } from "../activities/snapshot/index.ts";\nexport type { Plan };\n' },
  { file: "workflows/domain.ts", source: 'export { Failure } from "../core/domain/failure.ts";\n' },
  { file: "core/stores/fine.ts", source: 'export { readFile } from "node:fs/promises";\n' },
];

describe("arrows between the folders", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-arrows-"));
    for (const { file, source } of [...violations, ...allowed]) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), source);
    }
    await cp(join(root, "biome.json"), join(folder, "biome.json"));
    await writeFile(join(folder, ".gitignore"), "");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("are checked: each wrong one is named, no right one is", async () => {
    const wrong = await wrongArrows(folder);
    assert.deepEqual(
      wrong.map((line) => line.split(":")[0]),
      violations.map(({ file }) => file).sort(),
    );
  });

  it("are linted, wherever the linter can tell", async () => {
    const lint = await promisify(execFile)(
      join(root, "node_modules", ".bin", "biome"),
      ["lint", "--reporter=json", "--max-diagnostics=200", "--vcs-enabled=false", "."],
      { cwd: folder },
    ).then(
      ({ stdout }) => stdout,
      (failed: { stdout: string }) => failed.stdout,
    );
    const { diagnostics } = JSON.parse(lint) as { diagnostics: { category: string; location: { path: string | { file: string } } }[] };
    const seen = new Set(
      diagnostics
        .filter(({ category }) => category === "lint/style/noRestrictedImports" || category === "lint/correctness/noNodejsModules")
        .map(({ location }) => (typeof location.path === "string" ? location.path : location.path.file).replace(/^\.\//, "")),
    );
    const expected = violations.filter(({ linted }) => linted).map(({ file }) => file);
    assert.deepEqual([...seen].sort(), expected.sort());
  });

  it("all point down in this tree", async () => {
    assert.deepEqual(await wrongArrows(root), []);
  });
});

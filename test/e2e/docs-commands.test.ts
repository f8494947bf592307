import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { type RunningWorker, startWorker } from "../../client/demo/start-worker.ts";
import { type DocumentedSite, openDocumentedSite, readPage } from "./documented-site.ts";
import { type ShellBlock, shellBlocks } from "./shell-blocks.ts";

const root = join(import.meta.dirname, "..", "..");

/** Runs a block as its reader would, in one shell that stops at the first command that fails. Returns what it printed. */
const runBlock = async (page: string, { line, script, exits }: ShellBlock, cwd: string, env: NodeJS.ProcessEnv): Promise<string> => {
  const shell = spawn("bash", ["-euo", "pipefail", "-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [shell.stdout, shell.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = (await once(shell, "close")) as [number | null];
  assert.ok(
    code !== null && exits.includes(code),
    `${page}:${line} ended with ${code} instead of ${exits.join(" or ")}:\n${script}\n${output}`,
  );
  return output;
};

/** The anchor is final some blocks after the snapshot was logged. */
const awaitAnchored = async ({ folder, env }: DocumentedSite): Promise<void> => {
  for (const deadline = Date.now() + 60_000; ; await delay(500)) {
    const { stdout } = await runDbgov(["snapshots", "--database", "shop", "--json"], { cwd: folder, env });
    const [newest] = (JSON.parse(stdout) as { snapshots: { states: { state: string }[] }[] }).snapshots;
    if (newest?.states.some(({ state }) => state === "anchored")) return;
    assert.ok(Date.now() < deadline, `the snapshot is not anchored: ${stdout}`);
  }
};

test("docs/operations.md: every runnable command runs, in the order of the page", async () => {
  const page = await readPage("docs/operations.md");
  const blocks = shellBlocks(page);
  await using site = await openDocumentedSite();
  let worker: RunningWorker | undefined;
  try {
    for (const block of blocks) {
      if (block.mark === "by-hand") {
        // Step 9 of the page, as it stands there: the test keeps the worker in the background.
        if (block.script === "dbgov worker\n")
          worker = await startWorker({ config: site.config, log: join(site.folder, "worker.log"), env: site.env });
        continue;
      }
      if (block.script.includes("dbgov proof")) await awaitAnchored(site);
      const output = await runBlock("docs/operations.md", block, site.folder, site.env);
      const contract = /registry (0x[0-9a-fA-F]{40})/.exec(output)?.[1];
      if (contract !== undefined) await site.writeConfig(page, contract);
    }
    assert.ok(worker !== undefined, "the page says nowhere how to start a worker");
    const status = await runDbgov(["status", "--json"], { cwd: site.folder, env: site.env });
    const { databases } = JSON.parse(status.stdout) as { databases: Record<string, unknown>[] };
    for (const database of databases)
      for (const field of ["database", "lastFailure", "copies", "copiesWanted", "lastDrill", "nextRun"])
        assert.ok(field in database, `docs/operations.md names ${field}, and status does not have it`);
  } catch (error) {
    if (worker !== undefined) process.stdout.write(`the worker's log ends with:\n${(await readFile(worker.log, "utf8")).slice(-4_000)}\n`);
    throw error;
  } finally {
    await worker?.stop();
  }
});

test("README.md: every runnable command runs in a clone", async () => {
  for (const block of shellBlocks(await readPage("README.md"))) {
    if (block.mark === "runnable") await runBlock("README.md", block, root, { ...process.env, NO_COLOR: "1" });
  }
});

test("a block that is marked neither runnable nor by-hand is refused, and one that fails is named", async () => {
  assert.throws(() => shellBlocks("text\n\n```sh\nls\n```\n"), /line 3/);
  const [failing] = shellBlocks("```sh runnable\nfalse\ntrue\n```\n");
  await assert.rejects(runBlock("page.md", failing!, root, process.env), /page\.md:1 ended with 1/);
  const [allowed] = shellBlocks("```sh runnable exits 0 or 3\nexit 3\n```\n");
  assert.deepEqual(allowed?.exits, [0, 3]);
  await runBlock("page.md", allowed!, root, process.env);
});

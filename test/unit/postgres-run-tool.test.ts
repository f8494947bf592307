import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const program = `
  import { openSync } from "node:fs";
  import { toolOutput } from "${new URL("../../core/databases/postgres/run-tool.ts", import.meta.url).href}";
  const address = { host: "h", port: 1, user: "u", database: "d", tls: "disable" };
  const files = [];
  try { for (;;) files.push(openSync("/dev/null")); } catch {}
  try { for await (const _ of toolOutput("/bin/true", [], address, new AbortController().signal)); }
  catch (error) { console.log(JSON.stringify([error.name, error.message, error.passing])); }`;

test("a process without a file descriptor left says that the program cannot be started, and that this passes", async () => {
  const { stdout } = await promisify(execFile)("bash", [
    "-c",
    'ulimit -n 80; exec "$0" --input-type=module -e "$1"',
    process.execPath,
    program,
  ]);
  const [name, message, passing] = JSON.parse(stdout) as [string, string, boolean];
  assert.equal(name, "ToolError");
  assert.match(message, /^true cannot be started: .*EMFILE/);
  assert.equal(passing, true);
});

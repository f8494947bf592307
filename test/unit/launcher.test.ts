import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync } from "node:fs";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

const script = async (path: string, text: string) => {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
};

describe("bin/dbgov", () => {
  let folder: string;
  let clone: string;
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "dbgov launcher ")));
    clone = join(folder, "a clone");
    await cp(join(root, "bin"), join(clone, "bin"), { recursive: true });
    await mkdir(join(folder, "links"));
    await symlink(join(clone, "bin", "dbgov"), join(folder, "links", "absolute"));
    await symlink("absolute", join(folder, "links", "relative"));
    await mkdir(join(folder, "tools"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const call = (name: string, tools: string, ...args: string[]) =>
    run(join(folder, "links", name), args, { cwd: "/", env: { PATH: `${tools}:/usr/bin:/bin` } });

  it("says so when there is nothing to install with", async () => {
    const bare = join(folder, "bare");
    await mkdir(bare);
    for (const tool of ["sh", "readlink", "dirname"]) await symlink(`/bin/${tool}`, join(bare, tool));
    const call = run(join(folder, "links", "relative"), [], { cwd: "/", env: { PATH: bare } });
    await assert.rejects(call, (failed: { code: number; stderr: string }) => {
      assert.equal(failed.code, 1);
      assert.match(failed.stderr, /there is no npm on the PATH/);
      return true;
    });
  });

  it("stops when the installation fails", async () => {
    await script(join(folder, "tools", "npm"), "echo npm is unwell; exit 7");
    await assert.rejects(call("absolute", join(folder, "tools")), (failed: { code: number; stdout: string; stderr: string }) => {
      assert.equal(failed.code, 7);
      assert.equal(failed.stdout, "");
      assert.match(failed.stderr, /installing its packages[\s\S]*npm is unwell/);
      return true;
    });
  });

  it("installs once in a fresh clone, with progress on standard error, then runs the command with all arguments", async () => {
    const node = `#!/bin/sh\\nfor argument; do echo "[$argument]"; done`;
    await script(
      join(folder, "tools", "npm"),
      `pwd; mkdir -p node_modules/.bin; printf '${node}\\n' > node_modules/.bin/node; chmod +x node_modules/.bin/node; touch node_modules/.package-lock.json`,
    );
    const expected = [
      "--disable-warning=ExperimentalWarning",
      "--max-semi-space-size=4",
      join(clone, "client/cli/main.ts"),
      "backup",
      "two words",
      "*",
    ];
    const printed = expected.map((argument) => `[${argument}]\n`).join("");
    const first = await call("relative", join(folder, "tools"), "backup", "two words", "*");
    assert.equal(first.stdout, printed);
    assert.match(first.stderr, /installing its packages/);
    assert.ok(first.stderr.includes(clone), "npm runs in the clone, and what it prints goes to standard error");
    const second = await call("absolute", join(folder, "tools"), "backup", "two words", "*");
    assert.deepEqual({ ...second }, { stdout: printed, stderr: "" });
  });
});

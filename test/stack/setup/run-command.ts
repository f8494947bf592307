import { spawn } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { formatDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import type { Progress } from "../progress.ts";

export interface SetupCommand {
  readonly component: string;
  readonly doing: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** A folder whose growth shows how far it is. */
  readonly growing?: string;
}

const folderSize = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          (found) => found.size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** Runs one step of the setup to its end, saying every few seconds how far it is. What it printed is shown only if it fails. */
export const runCommand = async (step: SetupCommand, progress: Progress): Promise<string> => {
  const started = Date.now();
  const ticker = setInterval(() => {
    const size = step.growing === undefined ? Promise.resolve(0) : folderSize(step.growing);
    void size.then((bytes) => {
      const amount = bytes > 0 ? `${(bytes / 1e6).toFixed(0)} MB, ` : "";
      progress(step.component, `${step.doing}: ${amount}${formatDuration(Date.now() - started)}`);
    });
  }, 5_000);
  ticker.unref();
  try {
    return await new Promise<string>((resolve, reject) => {
      const child = spawn(step.command, step.args, {
        cwd: step.cwd,
        env: { ...process.env, ...step.env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (data) => (out += data));
      child.stderr.on("data", (data) => (err = (err + data).slice(-8_000)));
      child.on("error", (cause) =>
        reject(new Failure("ClientToolMissing", `${step.component}: cannot run ${step.command}, which the setup needs`, { cause })),
      );
      child.on("close", (code) => {
        if (code === 0) resolve(out);
        else {
          const last = (err.trim() || out.trim()).split("\n").slice(-12).join("\n");
          reject(new Failure("ClientToolMissing", `${step.component}: ${step.doing} ended with exit code ${code}:\n${last}`));
        }
      });
    });
  } finally {
    clearInterval(ticker);
  }
};

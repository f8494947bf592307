import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { Failure } from "../../core/domain/failure.ts";

export const launcher = fileURLToPath(new URL("../../bin/dbgov", import.meta.url));

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of dbgov in a process of its own, as a user would. */
export const runDbgov = async (
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Finished> => {
  const child = spawn(launcher, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 1, stdout, stderr };
};

export interface RunningWorker {
  readonly log: string;
  /** Asks it to drain, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts workers for all queues, their log in a file, and resolves once they serve. */
export const startWorker = async (config: string, log: string, env: NodeJS.ProcessEnv): Promise<RunningWorker> => {
  const child = spawn(launcher, ["worker", "--config", config, "--grace", "5s", "--json"], { env, stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.pipe(createWriteStream(log));
  await ready(child, log);
  return {
    log,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
};

const ready = (child: ChildProcess, log: string): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes('"ready":true')) resolve();
    });
    child.once("exit", (code) =>
      reject(new Failure("WorkerMissing", `the worker ended with exit code ${code} before it served; its log is ${log}`)),
    );
  });

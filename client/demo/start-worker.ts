import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { Failure } from "../../core/domain/failure.ts";
import type { TaskQueue } from "../../core/domain/run.ts";
import { launcher } from "./run-dbgov.ts";

/** A process of `bin/dbgov worker`. */
export interface RunningWorker {
  readonly pid: number;
  /** Its log, a file. */
  readonly log: string;
  /** Asks it to drain (SIGTERM); resolves with its exit code once it is gone. */
  stop(): Promise<number | null>;
  /** SIGKILL: as if its machine had lost power. */
  kill(): Promise<void>;
}

export interface WorkerOptions {
  readonly config: string;
  /** A file, which is appended to. */
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
  /** @default all */
  readonly queues?: readonly TaskQueue[] | undefined;
  /** @default "5s" */
  readonly grace?: string | undefined;
}

/** Starts a worker and resolves once it serves. Rejects with the end of its log when it ends before. */
export const startWorker = async ({ config, log, env, queues, grace = "5s" }: WorkerOptions): Promise<RunningWorker> => {
  const output = openSync(log, "a");
  const args = ["worker", "--config", config, "--grace", grace, "--json", ...(queues === undefined ? [] : ["--queues", queues.join(",")])];
  const child = spawn(launcher, args, { env, stdio: ["ignore", "pipe", output] });
  closeSync(output);
  const gone = once(child, "exit") as Promise<[number | null]>;
  await ready(child, log);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = await gone;
    return code;
  };
  return { pid: child.pid as number, log, stop: () => end("SIGTERM"), kill: async () => void (await end("SIGKILL")) };
};

const ready = (child: ChildProcess, log: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes('"ready":true')) resolve();
      else said = text;
    });
    child.once("close", (code) => {
      const tail = readFileSync(log, "utf8").trim().split("\n").slice(-5).join("\n");
      const end = `its log ${log} ends with:\n${tail}\n${said}`;
      reject(new Failure("WorkerMissing", `the worker ended with exit code ${code} before it served; ${end}`));
    });
  });

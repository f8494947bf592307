import { join } from "node:path";
import { type RunningWorker, type WorkerOptions as StartOptions, startWorker as start } from "../../client/demo/start-worker.ts";

export type { RunningWorker };

export interface WorkerOptions extends Pick<StartOptions, "config" | "queues" | "grace"> {
  /** Folder for its log. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

let count = 0;

/** Starts a worker, its log in a file of its own, and resolves once it serves. */
export const startWorker = ({ folder, environment, ...options }: WorkerOptions): Promise<RunningWorker> => {
  count += 1;
  return start({ ...options, log: join(folder, `worker-${count}.log`), env: { ...process.env, ...environment } });
};

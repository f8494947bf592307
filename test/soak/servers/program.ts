import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Undoing } from "../undo.ts";
import type { SoakedServer } from "./soaked-server.ts";

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Rejects unless it serves. */
  readonly answers: () => Promise<unknown>;
}

/** A server that is one process, which is started and killed; it is started when this resolves. */
export const openProgram = async (
  { command, args, cwd, answers }: Program,
  undoing: Undoing,
): Promise<Pick<SoakedServer, "start" | "abort" | "crash">> => {
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(command, args, { cwd, stdio: "ignore" });
    child = started;
    for (const deadline = Date.now() + 30_000; ; await delay(50)) {
      try {
        await answers();
        return;
      } catch (error) {
        if (started.exitCode !== null || Date.now() > deadline) throw new Error(`${command} did not start`, { cause: error });
      }
    }
  };
  const abort = async (): Promise<void> => {
    if (child?.exitCode !== null || !child.kill("SIGKILL")) return;
    await once(child, "exit");
  };
  undoing.add(abort);
  await start();
  return {
    start,
    abort,
    crash: async () => {
      await abort();
      await start();
    },
  };
};

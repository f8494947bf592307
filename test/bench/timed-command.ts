import { type ChildProcess, spawn } from "node:child_process";
import { undoOnBreakOff, unlessBrokenOff } from "./break-off.ts";
import { watchMemory } from "./process-tree.ts";

export interface Timed {
  /** Wall time. */
  readonly seconds: number;
  /** User and system time of all its processes. */
  readonly processorSeconds: number;
  /** Bytes. */
  readonly peakMemory: number;
  readonly output: string;
}

/** Ends a process that leads a group, and all of the group. */
export const endGroup = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
};

/** Runs a command of bash to its end. Throws what it complained about when it fails. */
export const timedCommand = async (command: string, environment: Readonly<Record<string, string>> = {}): Promise<Timed> => {
  const script = `set -e -o pipefail; TIMEFORMAT='TIMES %U %S'; time { ${command}; }`;
  const started = performance.now();
  // In a group of its own: Ctrl-C reaches the bench, which ends the group.
  const child = spawn("bash", ["-c", script], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const forget = undoOnBreakOff(() => endGroup(child));
  const memory = watchMemory(child.pid ?? 0);
  let output = "";
  let complaint = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (complaint = (complaint + text).slice(-20_000)));
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    await unlessBrokenOff();
    const seconds = (performance.now() - started) / 1_000;
    const peakMemory = await memory.stop();
    const times = /TIMES ([\d.]+) ([\d.]+)/.exec(complaint);
    if (code !== 0 || times === null) throw new Error(`${command.split("\n")[0]} ended with exit code ${code}: ${complaint.slice(-2_000)}`);
    return { seconds, processorSeconds: Number(times[1]) + Number(times[2]), peakMemory, output };
  } finally {
    forget();
  }
};

/** A word for bash. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

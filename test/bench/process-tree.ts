import { readFileSync, writeFileSync } from "node:fs";
import { setInterval as every } from "node:timers/promises";

/** Clock ticks a second in /proc; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
};

const children = (pid: number): number[] => read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);

/** The process and all that it has started, and these. */
const tree = (pid: number): number[] => [pid, ...children(pid).flatMap(tree)];

/** Processor seconds of the process, its threads, and the children that it has waited for. */
const processorSeconds = (pid: number): number => {
  const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0) / ticksPerSecond;
};

/**
 * Processor seconds of a process and of all that it has ever started: those that live, and those that it has waited for, as
 * PostgreSQL's postmaster does for its backends. 0 where there is no /proc.
 */
export const treeSeconds = (pid: number): number => tree(pid).reduce((sum, one) => sum + processorSeconds(one), 0);

/** Forgets the most that the process has ever had in memory. */
export const forgetPeak = (pid: number): void => {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Then the peak is one of the process's whole life.
  }
};

const peakOf = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;

/**
 * Watches the resident memory of a tree of processes. `stop` gives, in bytes, the most that those who lived at one time had had
 * until then, summed up: no less than the tree had at any moment. 0 where there is no /proc.
 */
export const watchMemory = (pid: number): { stop(): Promise<number> } => {
  let most = 0;
  const look = (): void => {
    most = Math.max(
      most,
      tree(pid)
        .map(peakOf)
        .reduce((sum, peak) => sum + peak, 0),
    );
  };
  const ended = new AbortController();
  const watching = (async () => {
    for await (const _ of every(20, undefined, { signal: ended.signal })) look();
  })().catch(() => {});
  return {
    stop: async () => {
      look();
      ended.abort();
      await watching;
      return most;
    },
  };
};

import { formatDuration } from "../../core/domain/duration.ts";
import { bold, dim, good, openProgress, type Progress, say } from "../cli/terminal.ts";

/** Where the demo tells its story: numbered steps with what was seen in each. Silent when a program listens. */
export interface Stage {
  /** One visible step. What it prints goes under its heading; its time is told at the end. */
  step<T>(title: string, work: (progress: Progress) => Promise<T>): Promise<T>;
  tell(line: string): void;
  done(line: string): void;
}

export const openStage = (silent: boolean): Stage => {
  let number = 0;
  const tell = (line: string): void => {
    if (!silent) say(`   ${line}`);
  };
  return {
    step: async (title, work) => {
      number += 1;
      if (!silent) say(`\n${bold(`${number}. ${title}`)}`);
      const started = performance.now();
      const progress = openProgress(!silent);
      try {
        return await work(progress);
      } finally {
        progress.end();
        tell(dim(formatDuration(performance.now() - started)));
      }
    },
    tell,
    done: (line) => tell(`${good("✓")} ${line}`),
  };
};

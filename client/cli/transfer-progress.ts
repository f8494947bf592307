import { formatDuration } from "../../core/domain/duration.ts";
import type { JobProgress } from "../../core/snapshot/jobs.ts";
import { formatBytes, openProgress } from "./terminal.ts";

export interface TransferProgress {
  show(progress: JobProgress): void;
  end(): void;
}

/** The rate is that of the last seconds, so that what stalls, or was taken over at once, is seen. */
const windowMs = 10_000;

/** One line: how much of how much, at what rate, and how long it takes from here. */
export const openTransferProgress = (enabled: boolean): TransferProgress => {
  const line = openProgress(enabled);
  let samples: { at: number; bytes: number }[] = [];
  let total: number | undefined;
  return {
    show: (progress) => {
      const now = performance.now();
      const { bytes, current } = progress;
      // Another step begins to count anew.
      if (progress.total !== total || bytes < (samples.at(-1)?.bytes ?? 0)) samples = [];
      total = progress.total;
      samples.push({ at: now, bytes });
      while (samples.length > 2 && now - samples[0]!.at > windowMs) samples.shift();
      line.update([describeTransfer(progress, rateOf(samples)), current].join("  "));
    },
    end: () => line.end(),
  };
};

const rateOf = (samples: readonly { at: number; bytes: number }[]): number => {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return 0;
  return ((last.bytes - first.bytes) * 1_000) / (last.at - first.at);
};

/** `120 MB of 480 MB (25 %) at 40 MB/s, 9 s left`. `rate` in bytes per second, 0 when it is not known. */
export const describeTransfer = ({ bytes, total }: Pick<JobProgress, "bytes" | "total">, rate: number): string => {
  const share =
    total === undefined || total === 0 ? "" : ` of ${formatBytes(total)} (${Math.min(100, Math.floor((bytes / total) * 100))} %)`;
  if (rate <= 0) return `${formatBytes(bytes)}${share}`;
  const left = total === undefined || total <= bytes ? "" : `, ${formatDuration(Math.ceil((total - bytes) / rate) * 1_000)} left`;
  return `${formatBytes(bytes)}${share} at ${formatBytes(Math.round(rate))}/s${left}`;
};

import { monitorEventLoopDelay } from "node:perf_hooks";

/** How much longer than asked for an event loop took to come back to a timer while it did a kind of job. */
export interface LoopDelay {
  /** Seconds, of 99 in 100 looks. */
  readonly p99: number;
  /** Seconds. */
  readonly max: number;
}

/** Milliseconds between two looks, which the histogram of Node has in its values. */
const resolution = 10;
/** Jobs with less than this between them, as the parts of one database, are one measurement. */
const pauseMs = 1_000;

/** Watches the event loop of the thread that calls it while at least one job runs. */
export const openLoopDelayMeter = (): { begin(): void; end(): LoopDelay } => {
  const histogram = monitorEventLoopDelay({ resolution });
  let running = 0;
  let idleSince = Number.NEGATIVE_INFINITY;
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolution / 1e3);
  return {
    begin: () => {
      running += 1;
      if (running > 1) return;
      if (performance.now() - idleSince > pauseMs) histogram.reset();
      histogram.enable();
    },
    /** Of the measurement so far. */
    end: () => {
      running -= 1;
      if (running === 0) {
        histogram.disable();
        idleSince = performance.now();
      }
      // A job that was over before the first look has kept nobody waiting for longer than that.
      return histogram.count === 0 ? { p99: 0, max: 0 } : { p99: seconds(histogram.percentile(99)), max: seconds(histogram.max) };
    },
  };
};

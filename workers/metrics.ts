import { Runtime, type RuntimeOptions } from "@temporalio/worker";
import type { JobLoopDelay } from "../core/snapshot/thread-pool.ts";

/** Options of Temporal's runtime that make it answer Prometheus at `http://ADDRESS/metrics`, with its own metrics and ours. */
export const metricsAt = (address: string | undefined): Pick<RuntimeOptions, "telemetryOptions"> =>
  address === undefined ? {} : { telemetryOptions: { metrics: { prometheus: { bindAddress: address } } } };

/** The gauge of how long event loops are kept waiting, of the latest jobs of each kind. For a runtime that is installed. */
export const reportLoopDelay = (): ((delay: JobLoopDelay) => void) => {
  const meter = Runtime.instance().metricMeter;
  const what = "How much longer than asked for an event loop took to come back to a timer while jobs ran";
  const p99 = meter.createGauge("dbgov_event_loop_delay_p99_seconds", "float", "s", `${what}, 99th percentile`);
  const max = meter.createGauge("dbgov_event_loop_delay_max_seconds", "float", "s", `${what}, at most`);
  return ({ loop, during, ...delay }) => {
    p99.set(delay.p99, { loop, during });
    max.set(delay.max, { loop, during });
  };
};

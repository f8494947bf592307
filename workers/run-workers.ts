import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import type { ActivityEnvironment } from "../activities/environment.ts";
import { migrate } from "../core/catalog/migrate.ts";
import { Failure } from "../core/domain/failure.ts";
import { holdQueue } from "../core/domain/hold-queue.ts";
import { type TaskQueue, taskQueues } from "../core/domain/run.ts";
import { type ConnectionSecurity, connectionSecurity } from "../core/site/connection-security.ts";
import { openThreadPool } from "../core/snapshot/thread-pool.ts";
import { activitiesOf } from "./activities.ts";
import { createAliveInterceptor } from "./alive-interceptor.ts";
import { followConfig } from "./current-site.ts";
import { createFailureInterceptor } from "./failure-interceptor.ts";
import { createRedactingLogger } from "./logger.ts";
import { metricsAt, reportLoopDelay } from "./metrics.ts";
import { pollersOf } from "./pollers.ts";
import { bundleWorkflows } from "./workflow-bundle.ts";

export interface WorkersOptions {
  readonly config: string;
  readonly queues: readonly TaskQueue[];
  /** Milliseconds that running activities get to finish or to be cancelled once the worker is told to stop. */
  readonly graceMs: number;
  /** Host and port where Prometheus finds metrics; undefined for none. */
  readonly metrics: string | undefined;
  readonly onReady: () => void;
  readonly signal: AbortSignal;
}

/** How many activities of a queue one process takes at once. Captures and restores are bounded by threads anyway. */
const concurrency = { capture: 16, replicate: 16, chain: 16, restore: 8 } as const;
/** How many databases one process holds a snapshot of. More would wait, each with a transaction open on its server. */
const mostHolds = 8;

/** Serves the queues until `signal` aborts; then takes no new work, gives what runs its grace time, and returns. */
export const runWorkers = async ({ config, queues, graceMs, metrics, onReady, signal }: WorkersOptions): Promise<void> => {
  Runtime.install({ logger: createRedactingLogger(), shutdownSignals: [], ...metricsAt(metrics) });
  const follow = followConfig(config);
  const site = await follow.site();
  const { temporal } = site.loaded.config;
  const { namespace } = temporal;
  // Workflows alone need no catalog, and no secret of it.
  if (queues.some((queue) => queue !== "orchestrate")) await migrate(await site.catalog());
  const threads = openThreadPool(Math.max(2, availableParallelism()), reportLoopDelay());
  const environment: ActivityEnvironment = { site: follow.site, threads };
  const connection = await connect(temporal.address, await connectionSecurity(site));
  try {
    const base: Partial<WorkerOptions> & Pick<WorkerOptions, "connection" | "namespace"> = {
      connection,
      namespace,
      shutdownGraceTime: graceMs,
      // Cancellation reaches an activity with its next heartbeat.
      maxHeartbeatThrottleInterval: 1_000,
      defaultHeartbeatThrottleInterval: 1_000,
      interceptors: { activity: [() => ({ inbound: createFailureInterceptor() }), () => ({ inbound: createAliveInterceptor() })] },
    };
    const workers: Worker[] = [];
    for (const queue of queues) {
      const taskQueue = taskQueues[queue];
      if (queue === "orchestrate") {
        const workflowBundle = await bundleWorkflows();
        workers.push(await Worker.create({ ...base, taskQueue, workflowBundle, maxCachedWorkflows: 200 }));
      } else {
        const limit = concurrency[queue];
        workers.push(
          await Worker.create({
            ...base,
            taskQueue,
            activities: activitiesOf(queue, environment),
            maxConcurrentActivityTaskExecutions: limit,
          }),
        );
      }
    }
    if (queues.includes("capture")) {
      const activities = activitiesOf("capture", environment);
      workers.push(await Worker.create({ ...base, taskQueue: holdQueue, activities, maxConcurrentActivityTaskExecutions: mostHolds }));
    }
    const stop = (): void => {
      for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
    };
    signal.addEventListener("abort", stop, { once: true });
    const running = workers.map((worker) => worker.run());
    const ended = Promise.all(running);
    // Whoever is told that this serves may start a run at once, and is refused while Temporal has seen no poller.
    await Promise.race([seenPolling(connection, workers, queues, signal), ended]);
    if (signal.aborted) stop();
    else onReady();
    await ended;
  } finally {
    await threads.close();
    await connection.close();
    await follow.close();
  }
};

/** Resolves once Temporal has seen each of the workers poll its queue, or once `signal` aborts. */
const seenPolling = async (
  { workflowService }: NativeConnection,
  workers: readonly Worker[],
  queues: readonly TaskQueue[],
  signal: AbortSignal,
): Promise<void> => {
  for (const [at, queue] of queues.entries()) {
    const { options } = workers[at]!;
    // A look that fails is taken again: the workers go on trying, too, and say in the log why they cannot.
    const pollers = () => pollersOf(workflowService, options.namespace, queue).catch((): string[] => []);
    while (!signal.aborted && !(await pollers()).includes(options.identity)) await delay(100, undefined, { signal }).catch(() => {});
  }
};

const connect = async (address: string, security: ConnectionSecurity): Promise<NativeConnection> => {
  try {
    return await NativeConnection.connect({ address, ...security });
  } catch (cause) {
    throw new Failure("OrchestratorUnreachable", `Temporal at ${address} does not answer`, { cause });
  }
};

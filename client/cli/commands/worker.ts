import { parseDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { type TaskQueue, taskQueues } from "../../../core/domain/run.ts";
import { runWorkers } from "../../../workers/run-workers.ts";
import { withOrchestrator } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { good, say } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  const { options, json, signal } = input;
  const queues = queuesOf(options.queues);
  const graceMs = parseDuration(String(options.grace));
  if (graceMs === undefined) throw new Failure("UsageInvalid", `--grace must be a duration as 30s or 2m (is "${String(options.grace)}")`);
  const metrics = addressOf(options.metrics);
  // Says in one sentence what is wrong with Temporal, which the worker's own runtime tells at length.
  await withOrchestrator(input, async () => {});
  const onReady = (): void =>
    say(
      json
        ? JSON.stringify({ ready: true, queues, pid: process.pid })
        : `${good("✓")} serving ${queues.join(", ")} (Ctrl-C to drain and stop)`,
    );
  await runWorkers({ config: String(options.config), queues, graceMs, metrics, onReady, signal });
  return 0;
};

const addressOf = (text: string | boolean | undefined): string | undefined => {
  if (typeof text !== "string") return undefined;
  const port = /^[^:]+:(\d{1,5})$|^\[[\da-f:]+\]:(\d{1,5})$/i.exec(text)?.slice(1).find(Boolean);
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new Failure("UsageInvalid", `--metrics must be a host and a port as 127.0.0.1:9464 (is ${JSON.stringify(text)})`);
  return text;
};

const queuesOf = (text: string | boolean | undefined): TaskQueue[] => {
  const known = Object.keys(taskQueues) as TaskQueue[];
  if (typeof text !== "string") return known;
  const named = text.split(",").map((name) => name.trim());
  const unknown = named.find((name) => !known.includes(name as TaskQueue));
  if (unknown !== undefined) throw new Failure("UsageInvalid", `there is no task queue "${unknown}"; there are ${known.join(", ")}`);
  return named as TaskQueue[];
};

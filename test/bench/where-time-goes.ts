import { type DataSetResult, medianOf, type Work } from "./results.ts";
import type { ArmName, Measured } from "./sample.ts";

/**
 * What stands between ours and the targets that it missed: arithmetic on what was measured, and what profiles of a capture, histories of
 * runs and maps of the worker's memory showed when this was written. Undefined where nothing is missed of what is told here.
 */
export const whereTimeGoes = (result: DataSetResult, cores: number): string | undefined => {
  const lines = [fullBackup(result, cores), unchangedBackup(result), memory(result)].filter((line) => line !== undefined);
  return lines.length === 0 ? undefined : `Where it goes, and what would be needed:\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
};

type Median = (work: Work, arm: ArmName, measure: keyof Measured) => number;
const mediansOf =
  (result: DataSetResult): Median =>
  (work, arm, measure) =>
    medianOf(result, work, arm, measure) ?? Number.NaN;

const lowest = (...values: readonly number[]): number => Math.min(...values.filter((value) => !Number.isNaN(value)));
const seconds = (value: number): string => `${value.toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const fullBackup = (result: DataSetResult, cores: number): string | undefined => {
  const of = mediansOf(result);
  const limit = lowest((of("full", "pipe", "seconds") * 5) / 6, (of("full", "kopia", "seconds") * 2) / 3);
  const [wall, own, server] = [of("full", "ours", "seconds"), of("full", "ours", "processorSeconds"), of("full", "ours", "serverSeconds")];
  if (!(wall > limit) || Number.isNaN(own + server)) return undefined;
  const least = (own + server) / cores;
  const spare = limit * cores - server;
  const needed =
    spare > 0
      ? `To end within ${seconds(limit)} on ${cores} cores, ours would have to do with ${seconds(spare)} of them`
      : `The server alone takes all that ${cores} cores give within ${seconds(limit)}`;
  return `*Full backup*: ours takes ${seconds(own)} of processor and the server ${seconds(server)}, which ${cores} cores cannot do in less than ${seconds(least)}; it
  took ${seconds(wall)}. ${needed}, or on more cores: batches are captured side by side. In a
  profile of the capture zstd had 27 %, the kernel (socket, files, pages) 19 %, SHA-256 over chunks and packs 9 %, V8's own threads 8 %, finding and hashing rows 5 %, sealing 1 %;
  the rest is JavaScript and its start. The pipe finds no rows,
  names nothing by its content and can tell nothing of what it holds.`;
};

const unchangedBackup = (result: DataSetResult): string | undefined => {
  const of = mediansOf(result);
  const wall = of("unchanged", "ours", "seconds");
  if (!(wall > of("unchanged", "kopia", "seconds") / 3)) return undefined;
  return `*Unchanged*: a quarter of a second is the start of the command, most of it the loading of Temporal's client. The rest is a workflow of some
  thirteen steps, each of which Temporal writes down; the longest are the server's look at every row (which it shares among two sessions) and \`pg_dump\` for the
  definitions. With both side by side, and fewer steps, there is a tenth to a fifth to be won.`;
};

const memory = (result: DataSetResult): string | undefined => {
  const of = mediansOf(result);
  const [own, limit] = [of("full", "ours", "peakMemory"), of("full", "kopia", "peakMemory")];
  if (!(own > limit)) return undefined;
  const alone = of("full", "machinery", "peakMemory");
  const without = Number.isNaN(alone) ? "" : ` Machinery alone, without Temporal, takes ${megabytes(alone)}.`;
  return `*Memory*: a worker that serves all queues and has done nothing yet has 220 MB, 60 of them Node's program: Temporal's core and client, the sandbox of the
  workflows, all activities. A capture adds what the table says above that: two threads, packs being filled and written, staging buffers.${without} To get under
  ${megabytes(limit)}, captures would need a process of their own that knows nothing of Temporal, with smaller packs.`;
};

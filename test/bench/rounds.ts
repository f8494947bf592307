import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { BackupResult } from "../../core/domain/run.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { StackAddresses } from "../stack/components.ts";
import { type BenchSite, openBenchSite } from "./bench-site.ts";
import type { MachineryInput, MachineryOutput } from "./machinery.ts";
import { forgetPeak, processorSeconds, watchMemory } from "./process-tree.ts";
import { quoted, type Timed, timedCommand } from "./timed-command.ts";
import { floorCommand, pipeCommand, restoreCommand, type Tools } from "./tools.ts";

/** One measurement of one contender. */
export interface Sample {
  readonly contender: Contender;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMemory: number;
  /** What it stored, or read back. */
  readonly bytes: number;
}

export const contenders = {
  floor: "pg_dump to nowhere",
  pipe: "pg_dump | zstd -3 -T2 | age",
  machinery: "ours, machinery alone",
  full: "ours, whole backup",
  unchanged: "ours, unchanged again",
  pgRestore: "pg_restore -j 2",
  restore: "ours, restore",
} as const;
export type Contender = keyof typeof contenders;

export interface Bench {
  readonly stack: Pick<StackAddresses, "postgres" | "temporal">;
  readonly tools: Tools;
  readonly folder: string;
  readonly say: (text: string) => void;
}

const sampleOf = (contender: Contender, timed: Omit<Timed, "output">, bytes: number): Sample => ({
  contender,
  seconds: timed.seconds,
  processorSeconds: timed.processorSeconds,
  peakMemory: timed.peakMemory,
  bytes,
});

/** All contenders once, one after the other, so that what else the machine does meets them all alike. */
export const runRound = async (bench: Bench, url: string, customDump: string): Promise<Sample[]> => {
  const { tools, folder, say } = bench;
  const samples: Sample[] = [];
  const add = (sample: Sample): void => {
    samples.push(sample);
    say(`  ${contenders[sample.contender].padEnd(30)} ${sample.seconds.toFixed(2)} s`);
  };
  const dump = join(folder, "pipe.age");
  add(sampleOf("floor", await timedCommand(floorCommand(tools, url)), 0));
  add(sampleOf("pipe", await timedCommand(pipeCommand(tools, url, dump)), (await stat(dump)).size));
  for (const sample of await machinerySamples(bench, url)) add(sample);
  for (const sample of await wholeSamples(bench, url)) add(sample);
  const target = await createSampleDatabase(bench.stack.postgres.url, "bench_target");
  add(sampleOf("pgRestore", await timedCommand(restoreCommand(tools, target, customDump)), (await stat(customDump)).size));
  return samples;
};

const machineryCommand = (input: MachineryInput): string =>
  `${quoted(process.execPath)} --disable-warning=ExperimentalWarning ${quoted(join(import.meta.dirname, "machinery.ts"))} ${quoted(JSON.stringify(input))}`;

const runMachinery = async (bench: Bench, input: MachineryInput): Promise<{ timed: Timed; result: MachineryOutput }> => {
  const timed = await timedCommand(machineryCommand(input), { DBGOV_PG_BIN: bench.stack.postgres.bin });
  return { timed, result: JSON.parse(timed.output) as MachineryOutput };
};

/**
 * Both with the start of their process, as the pipe with its own. The restore counts until the last index stands; that the target is
 * read back and compared afterwards is not in its time, but in its processor time.
 */
const machinerySamples = async (bench: Bench, url: string): Promise<Sample[]> => {
  const site = await openBenchSite(join(bench.folder, "machinery"), bench.stack, url);
  await site.close();
  const base = { folder: site.folder, catalog: site.catalog };
  const backup = await runMachinery(bench, { ...base, work: "backup", url });
  const { snapshot, stored } = backup.result;
  const target = await createSampleDatabase(bench.stack.postgres.url, "bench_target");
  const { timed, result } = await runMachinery(bench, { ...base, work: "restore", url: target, snapshot });
  return [
    sampleOf("machinery", backup.timed, stored),
    sampleOf("restore", { ...timed, seconds: timed.seconds - result.compareSeconds }, stored),
  ];
};

/** `dbgov backup` from its start to its end. The verification that follows by itself is waited for, so that it meets nothing else. */
const backUp = async (site: BenchSite, database: string): Promise<{ timed: Timed; result: BackupResult }> => {
  const timed = await timedCommand(site.command(`backup ${database}`), site.environment);
  const result = JSON.parse(timed.output) as BackupResult;
  if (result.degraded || result.state !== "logged") throw new Error(`the backup ended ${result.state}, degraded: ${result.degraded}`);
  await site.verified(result.snapshot);
  return { timed, result };
};

/** On a worker that has backed up one empty database before, and nothing of this one; then once more. Memory and processor time are the worker's. */
const wholeSamples = async (bench: Bench, url: string): Promise<Sample[]> => {
  const site = await openBenchSite(join(bench.folder, "whole"), bench.stack, url);
  try {
    const samples: Sample[] = [];
    await backUp(site, "empty");
    for (const contender of ["full", "unchanged"] as const) {
      forgetPeak(site.workerPid);
      const before = processorSeconds(site.workerPid);
      const memory = watchMemory(site.workerPid);
      const { timed, result } = await backUp(site, "shop");
      const peakMemory = await memory.stop();
      const worked = processorSeconds(site.workerPid) - before;
      samples.push(sampleOf(contender, { ...timed, peakMemory, processorSeconds: worked }, result.bytes.stored));
    }
    return samples;
  } finally {
    await site.close();
  }
};

import { join } from "node:path";
import type { BackupResult } from "../../core/domain/run.ts";
import { type Arm, folderBytes, measuredOf, withServerSeconds } from "./arm.ts";
import { type BenchSite, createBenchFolder } from "./bench-site.ts";
import { loopDelayAt } from "./loop-delay.ts";
import type { MachineryInput, MachineryOutput } from "./machinery.ts";
import { forgetPeak, treeSeconds, watchMemory } from "./process-tree.ts";
import type { Round } from "./rounds.ts";
import type { Measured } from "./sample.ts";
import { quoted, type Timed, timedCommand } from "./timed-command.ts";

/**
 * `dbgov backup` from its start to its end, on a worker that has backed up an empty database before. Memory is the worker's; processor
 * time also that of the command and of Temporal. What the worker does afterwards by itself, verifying a sample, is waited for, and in
 * none of the figures.
 */
export const ourArm = async ({ source, servers, temporalPid, stack }: Round, site: BenchSite): Promise<Arm> => {
  const command = async (database: string): Promise<{ timed: Timed; result: BackupResult }> => {
    const timed = await timedCommand(site.command(`backup ${database}`), site.environment);
    const result = JSON.parse(timed.output) as BackupResult;
    if (result.degraded || result.state !== "logged") throw new Error(`the backup ended ${result.state}, degraded: ${result.degraded}`);
    return { timed, result };
  };
  await site.verified((await command("empty")).result.snapshot);
  let first = "";
  return {
    name: "ours",
    backUp: async (): Promise<Measured> => {
      forgetPeak(site.workerPid);
      const before = treeSeconds(site.workerPid) + treeSeconds(temporalPid);
      const memory = watchMemory(site.workerPid);
      const { timed, result, serverSeconds, peakMemory, worked } = await withServerSeconds(servers, async () => {
        const done = await command("source");
        return { ...done, worked: treeSeconds(site.workerPid) + treeSeconds(temporalPid) - before, peakMemory: await memory.stop() };
      });
      const loopDelay = await loopDelayAt(site.metrics);
      await site.verified(result.snapshot);
      first ||= result.snapshot;
      const repository = (await folderBytes(join(site.folder, "store"))) + (await folderBytes(join(site.folder, "recovery-kit")));
      return {
        ...{ seconds: timed.seconds, processorSeconds: timed.processorSeconds + worked, serverSeconds, peakMemory, loopDelay },
        ...{ bytesLeft: result.bytes.read, repository },
      };
    },
    restore: async (target) => {
      const input: MachineryInput = { work: "restore", folder: site.folder, catalog: site.catalog, engine: source.engine, url: target };
      return await withServerSeconds(servers, async () => {
        const { timed, result } = await runMachinery(stack.postgres.bin, { ...input, snapshot: first });
        return { ...measuredOf(timed), seconds: timed.seconds - result.compareSeconds };
      });
    },
  };
};

/** `core/` without Temporal in a process of its own, with that process's start. */
export const machineryArm = async ({ source, servers, stack, folder }: Round): Promise<Arm> => {
  const own = join(folder, "machinery");
  const catalog = await createBenchFolder(own, stack.postgres.url, "bench_machinery_catalog");
  return {
    name: "machinery",
    backUp: () =>
      withServerSeconds(servers, async () => {
        const input: MachineryInput = { work: "backup", folder: own, catalog, engine: source.engine, url: source.url };
        const { timed, result } = await runMachinery(stack.postgres.bin, input);
        return { ...measuredOf(timed), bytesLeft: result.read, repository: await folderBytes(join(own, "store")) };
      }),
  };
};

const runMachinery = async (bin: string, input: MachineryInput): Promise<{ timed: Timed; result: MachineryOutput }> => {
  const script = join(import.meta.dirname, "machinery.ts");
  const command = `${quoted(process.execPath)} --disable-warning=ExperimentalWarning ${quoted(script)} ${quoted(JSON.stringify(input))}`;
  const timed = await timedCommand(command, { DBGOV_PG_BIN: bin });
  return { timed, result: JSON.parse(timed.output) as MachineryOutput };
};

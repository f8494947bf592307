import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Arm, folderBytes, measuredOf, withServerSeconds } from "./arm.ts";
import type { Round } from "./rounds.ts";
import { quoted, timedCommand } from "./timed-command.ts";
import { dumpCommand, pgRestoreCommand, pipeCommand, psqlCommand } from "./tools.ts";

/** A dump that nobody keeps: nothing that reads in one connection is faster. */
export const floorArm = ({ source, tools, servers }: Round): Arm => ({
  name: "floor",
  backUp: () =>
    withServerSeconds(servers, async () => measuredOf(await timedCommand(`${dumpCommand(tools, source.engine, source.url)} > /dev/null`))),
});

/** What a good shell script does; every dump is kept. */
export const pipeArm = ({ source, tools, servers, folder }: Round, threads: 1 | 2): Arm => {
  let dumps = 0;
  let kept = 0;
  return {
    name: threads === 2 ? "pipe" : "pipeOneThread",
    backUp: async () => {
      const file = join(folder, `pipe-${threads}-${dumps++}.age`);
      const command = pipeCommand(tools, dumpCommand(tools, source.engine, source.url), threads, file);
      const measured = await withServerSeconds(servers, async () => measuredOf(await timedCommand(command)));
      kept += (await stat(file)).size;
      return { ...measured, repository: kept };
    },
  };
};

/** Only restores: a dump in the custom format, which was made before. */
export const pgRestoreArm = ({ tools, servers }: Round, dump: string): Arm => ({
  name: "pgRestore",
  backUp: async () => {
    throw new Error("pg_restore backs nothing up");
  },
  restore: (target) => withServerSeconds(servers, async () => measuredOf(await timedCommand(pgRestoreCommand(tools, target, dump)))),
});

const password = "bench";
const dumpFile = "dump";

/** A file system repository, with zstd for everything; else as kopia comes. */
export const kopiaArm = async ({ source, tools, servers, folder }: Round): Promise<Arm> => {
  const repository = join(folder, "kopia");
  const environment = {
    KOPIA_PASSWORD: password,
    KOPIA_CONFIG_PATH: join(folder, "kopia.config"),
    KOPIA_CACHE_DIRECTORY: join(folder, "kopia-cache"),
    KOPIA_LOG_DIR: join(folder, "kopia-log"),
    KOPIA_CHECK_FOR_UPDATES: "false",
    KOPIA_USE_KEYRING: "false",
  };
  const kopia = quoted(tools.kopia);
  await timedCommand(`${kopia} repository create filesystem --path=${quoted(repository)}`, environment);
  await timedCommand(`${kopia} policy set --global --compression=zstd`, environment);
  let first = "";
  return {
    name: "kopia",
    backUp: async () => {
      const dump = dumpCommand(tools, source.engine, source.url);
      const command = `${dump} | ${kopia} snapshot create --json --no-progress --stdin-file=${dumpFile} /bench/source`;
      return await withServerSeconds(servers, async () => {
        const timed = await timedCommand(command, environment);
        const { rootEntry } = JSON.parse(timed.output) as { rootEntry: { obj: string; summ: { size: number } } };
        first ||= rootEntry.obj;
        return { ...measuredOf(timed), bytesLeft: rootEntry.summ.size, repository: await folderBytes(repository) };
      });
    },
    restore: (target) =>
      withServerSeconds(servers, async () =>
        measuredOf(await timedCommand(`${kopia} show ${first}/${dumpFile} | ${psqlCommand(tools, target)}`, environment)),
      ),
  };
};

/** A local repository, as restic comes: it compresses with zstd by itself. */
export const resticArm = async ({ source, tools, servers, folder }: Round): Promise<Arm> => {
  const repository = join(folder, "restic");
  const environment = {
    RESTIC_PASSWORD: password,
    RESTIC_REPOSITORY: repository,
    RESTIC_CACHE_DIR: join(folder, "restic-cache"),
  };
  const restic = quoted(tools.restic);
  await timedCommand(`${restic} init --quiet`, environment);
  let first = "";
  return {
    name: "restic",
    backUp: async () => {
      const dump = dumpCommand(tools, source.engine, source.url);
      const command = `${dump} | ${restic} backup --quiet --json --stdin --stdin-filename=${dumpFile}`;
      return await withServerSeconds(servers, async () => {
        const timed = await timedCommand(command, environment);
        const summary = JSON.parse(timed.output.trim().split("\n").at(-1) ?? "") as { snapshot_id: string; total_bytes_processed: number };
        first ||= summary.snapshot_id;
        return { ...measuredOf(timed), bytesLeft: summary.total_bytes_processed, repository: await folderBytes(repository) };
      });
    },
    restore: (target) =>
      withServerSeconds(servers, async () =>
        measuredOf(await timedCommand(`${restic} dump ${first} ${dumpFile} | ${psqlCommand(tools, target)}`, environment)),
      ),
  };
};

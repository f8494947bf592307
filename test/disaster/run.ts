import { mkdir, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { writeMeasuredTimes } from "../../client/durability/measured-times.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { readRecoveryKit } from "../../core/repository/recovery-kit.ts";
import { beAlone } from "../bench/alone.ts";
import { handleBreakOff, undoOnBreakOff } from "../bench/break-off.ts";
import type { TestSite } from "../sample/test-site.ts";
import { ask } from "../stack/components/http.ts";
import type { ComponentName, StackAddresses } from "../stack/components.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { contentOf } from "./content.ts";
import { loadEstate } from "./estate.ts";
import { loseAndRepair } from "./losses.ts";
import type { LosableStore } from "./network.ts";
import { archive, type Ground, type NetworkName, networks } from "./networks.ts";
import { readOptions } from "./options.ts";
import { lookIntoArchive, recover, secondsToList } from "./recover.ts";
import { type ArchiveLook, disasterPage, disasterTable, type Recovered, type RecoveredStore } from "./report.ts";
import { backUpAll, createDrillSite, kitOf, loseSite } from "./site.ts";

/**
 * `npm run drill:disaster [-- --json] [--write] [--scale S] [--stores disk,storj]`: backs up one database of each engine to a store of every kind; then loses
 * the databases, the catalog, Temporal, the configuration with all its keys, and all stores but one; and restores everything from that store and the
 * recovery kit, for each store in turn. With `--write` the stores lose all their packs one after another before that, and what finding and replacing them
 * took is written down for `npm run durability`. Exit code 1 when anything did not come back identical. Some ten minutes, on a stack of its own; the first
 * time it compiles Storj, which takes some six minutes of two cores: `--stores` leaves it out, or tries one store alone.
 */
const root = join(import.meta.dirname, "..", "..");
const stackFolder = join(root, ".dbgov", "disaster-stack");
const folder = join(root, ".dbgov", "disaster");
const read = () => {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    if (!isFailure(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
};
const { json, write, scale, stores: chosen } = read();
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const started: LosableStore[] = [];
const sites: TestSite[] = [];
const cleanUp = async (): Promise<void> => {
  for (const site of sites.splice(0)) await site.close();
  for (const store of started.splice(0)) await store.close?.();
  await stackDown(stackFolder, { purge: true });
  await stackDown(join(folder, "sia-stack"), { purge: true });
  await rm(folder, { recursive: true, force: true });
};

const components: ComponentName[] = ["temporal", "postgres", "mongodb", "redis", "cosmos", "azurite", "ipfs", "s3", "anvil", "arlocal"];
if (chosen.includes("storj")) components.push("storj");

await beAlone(join(root, ".dbgov", "disaster.lock"));
handleBreakOff();
undoOnBreakOff(cleanUp);
try {
  await cleanUp();
  await mkdir(folder, { recursive: true });
  const stack = await stackUp({ folder: stackFolder, components, onProgress: progressToStderr });
  const ground: Ground = { stack: stack as StackAddresses, stackFolder, folder };
  say("loading the databases");
  const databases = await Promise.all(
    (await loadEstate(stack, scale)).map(async (database) => ({
      ...database,
      content: await contentOf(database.engine, database.url, stack.postgres.bin),
    })),
  );
  // All is captured into the first.
  const names = [...new Set<NetworkName>(["disk", ...chosen.filter((name) => name !== "arweave")])];
  for (const name of names) started.push(await networks[name](ground));
  const permanent = archive(ground);

  const site = await createDrillSite(ground, databases, started);
  sites.push(site);
  await site.worker();
  await backUpAll(site, databases, say);
  const measured = write ? await loseAndRepair(site, started, say) : undefined;
  await ask(`${stack.arlocal.url}/mine`);

  say("losing the databases, the catalog, Temporal, the configuration, its keys, and all stores");
  await loseSite(sites.pop()!, ground, databases);
  for (const store of [...started, permanent]) await store.lose();

  const { stores: kept } = await readRecoveryKit(kitOf(folder));
  const addressIn = (store: string): string => kept.find(({ name }) => name === store)!.address;
  const who = { folder, bin: stack.postgres.bin, say };
  const results: RecoveredStore[] = [];
  for (const { name, stand, simulated, recovery, lose, bringBack } of started.filter((store) =>
    chosen.includes(store.name as NetworkName),
  )) {
    say(`restoring from ${name} and the recovery kit alone`);
    await bringBack();
    const startSeconds = await secondsToList(who, addressIn(name), recovery);
    const recovered: Recovered[] = [];
    for (const database of databases) recovered.push(await recover(who, addressIn(name), recovery, database));
    results.push({ store: name, stand, simulated, startSeconds, databases: recovered });
    await lose();
  }
  let look: ArchiveLook | undefined;
  if (chosen.includes("arweave")) {
    say("looking into arweave, which keeps manifests and no content");
    await permanent.bringBack();
    look = { ...(await lookIntoArchive(who, addressIn("arweave"), databases)), stand: permanent.stand };
  }

  const printed = [
    ...results.map(({ store, databases: recovered }) => ({
      store,
      databases: recovered.map(({ database, identical, seconds }) => ({ database, identical, seconds: Number(seconds.toFixed(2)) })),
    })),
    ...(look === undefined ? [] : [{ store: look.store, databases: [] }]),
  ];
  process.stdout.write(`${json ? JSON.stringify({ stores: printed }) : disasterTable(results, look)}\n`);
  if (write && look !== undefined) {
    const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}`;
    const date = new Date().toISOString().slice(0, 10);
    await writeFile(join(root, "docs", "disaster.md"), disasterPage(results, look, machine, date));
    const byKind = started.map(({ name, kind }) => [kind, measured?.get(name)] as const);
    await writeMeasuredTimes({ date, machine, stores: Object.fromEntries(byKind) });
  }
  const asPromised = look === undefined || (look.refused && look.told === look.databases);
  if (!asPromised || !results.every(({ databases: all }) => all.every(({ identical }) => identical))) process.exitCode = 1;
} finally {
  await cleanUp();
}

import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { readRecoveryKit } from "../../core/repository/recovery-kit.ts";
import { beAlone } from "../bench/alone.ts";
import { handleBreakOff, undoOnBreakOff } from "../bench/break-off.ts";
import { createTestSite, databaseOf, runSql } from "../sample/test-site.ts";
import type { ComponentName } from "../stack/components.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp, startComponent, stopComponent } from "../stack/stack.ts";
import { type LostDatabase, loadEstate } from "./estate.ts";
import { disasterPage, disasterTable, type Recovered, type RecoveredStore } from "./report.ts";

/**
 * `npm run drill:disaster [-- --json] [--write] [--scale S]`: backs up one database of each engine to all stores; then loses the databases, the catalog,
 * Temporal, the configuration with all its keys, and all stores but one; and restores everything from that store and the recovery kit, for
 * each store in turn. Exit code 1 when anything did not come back identical. A few minutes, on a stack of its own.
 */
const root = join(import.meta.dirname, "..", "..");
const stackFolder = join(root, ".dbgov", "disaster-stack");
const folder = join(root, ".dbgov", "disaster");
const json = process.argv.includes("--json");
const scale = process.argv.includes("--scale") ? Number(process.argv[process.argv.indexOf("--scale") + 1]) : 0.04;
if (!(scale > 0)) {
  process.stderr.write("--scale must be a number above 0; 0.04 are some 350,000 rows\n");
  process.exit(2);
}
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const cleanUp = async (): Promise<void> => {
  await stackDown(stackFolder, { purge: true });
  await rm(folder, { recursive: true, force: true });
};

/** The stores, and the component that each lies on; the landing store is a folder. */
const componentOf = { disk: undefined, azure: "azurite", ipfs: "ipfs", bucket: "s3" } as const satisfies Record<
  string,
  ComponentName | undefined
>;
type StoreName = keyof typeof componentOf;
const storeNames = Object.keys(componentOf) as StoreName[];
const [disk, lostDisk] = [join(folder, "disk"), join(folder, "disk that is gone")];

const lose = async (store: StoreName): Promise<void> => {
  const component = componentOf[store];
  await (component === undefined ? rename(disk, lostDisk) : stopComponent(component, stackFolder));
};

const bringBack = async (store: StoreName): Promise<void> => {
  const component = componentOf[store];
  await (component === undefined ? rename(lostDisk, disk) : startComponent(component, stackFolder));
};

await beAlone(join(root, ".dbgov", "disaster.lock"));
handleBreakOff();
undoOnBreakOff(cleanUp);
try {
  await cleanUp();
  await mkdir(folder, { recursive: true });
  const stack = await stackUp({
    folder: stackFolder,
    components: ["temporal", "postgres", "mongodb", "redis", "cosmos", "azurite", "ipfs", "s3", "anvil", "arlocal"],
    onProgress: progressToStderr,
  });
  say("loading the databases");
  const databases = await loadEstate(stack, scale);
  const { endpoint, accessKeyId, secretAccessKey } = stack.s3;
  const client = new S3Client({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: "disaster" }));
  client.destroy();
  Object.assign(process.env, { DISASTER_KEY_ID: accessKeyId, DISASTER_SECRET: secretAccessKey });

  const site = await createTestSite({
    name: "disaster",
    stack,
    databases,
    policy: { landing: "disk", stores: ["azure", "ipfs", "bucket"], copies: 4, domains: 4, archive: [] },
    change: (config) => {
      config.anchors = [];
      config.log.store = "disk";
      config.stores = config.stores.filter(({ name }: { name: string }) => name === "azure" || name === "ipfs");
      config.stores.push({ name: "disk", kind: "directory", domain: "this-machine", path: disk });
      const keys = { accessKeyId: { env: "DISASTER_KEY_ID" }, secretAccessKey: { env: "DISASTER_SECRET" } };
      config.stores.push({ name: "bucket", kind: "s3", domain: "s3", bucket: "disaster", endpoint, ...keys });
      config.recoveryKit = join(folder, "recovery-kit");
    },
  });
  await site.worker();
  for (const { name } of databases) {
    say(`backing up ${name}`);
    const { code, stdout, stderr, json: result } = await site.dbgov("backup", name);
    if (code !== 0 || result.degraded) throw new Error(`the backup of ${name} did not reach every store: ${stdout}${stderr}`);
  }
  const kit = await site.dbgov("keys", "kit");
  if (kit.code !== 0) throw new Error(`the recovery kit could not be written: ${kit.stdout}${kit.stderr}`);
  const catalog = site.environment.DBGOV_CATALOG_URL as string;

  say("losing the databases, the catalog, Temporal, the configuration, its keys, and all stores");
  await site.close();
  for (const database of databases) await database.drop();
  await runSql(stack.postgres.url, `DROP DATABASE "${databaseOf(catalog)}" WITH (FORCE)`);
  await stopComponent("temporal", stackFolder);
  for (const store of storeNames) await lose(store);

  const { stores } = await readRecoveryKit(join(folder, "recovery-kit"));
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    DBGOV_PG_BIN: stack.postgres.bin,
    AZURE_STORAGE_CONNECTION_STRING: stack.azurite.connectionString,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const recover = async (address: string, database: LostDatabase): Promise<Recovered> => {
    const target = await database.target();
    const started = performance.now();
    const all = [
      "--store",
      address,
      "--kit",
      "recovery-kit",
      "--snapshot",
      "latest",
      "--database",
      database.name,
      "--to",
      target,
      "--json",
    ];
    const { code, stdout, stderr } = await runDbgov(["recover", ...all], { cwd: folder, env });
    const seconds = (performance.now() - started) / 1_000;
    const printed = JSON.parse(stdout || "{}") as { identical?: boolean; bytes?: number; error?: { message: string } };
    if (code !== 0) say(`  ${database.name}: ${printed.error?.message ?? stderr}`);
    return { database: database.name, identical: code === 0 && printed.identical === true, seconds, bytes: printed.bytes ?? 0 };
  };

  const secondsToList = async (address: string): Promise<number> => {
    const started = performance.now();
    await runDbgov(["recover", "--store", address, "--kit", "recovery-kit", "--list", "--json"], { cwd: folder, env });
    return (performance.now() - started) / 1_000;
  };

  const results: RecoveredStore[] = [];
  for (const store of storeNames) {
    say(`restoring from ${store} and the recovery kit alone`);
    await bringBack(store);
    const { address } = stores.find(({ name }) => name === store)!;
    const startSeconds = await secondsToList(address);
    const recovered: Recovered[] = [];
    for (const database of databases) recovered.push(await recover(address, database));
    results.push({ store, startSeconds, databases: recovered });
    await lose(store);
  }
  const printed = results.map(({ store, databases }) => ({
    store,
    databases: databases.map(({ database, identical, seconds }) => ({ database, identical, seconds: Number(seconds.toFixed(2)) })),
  }));
  process.stdout.write(`${json ? JSON.stringify({ stores: printed }) : disasterTable(results)}\n`);
  if (process.argv.includes("--write")) {
    const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}`;
    await writeFile(join(root, "docs", "disaster.md"), disasterPage(results, machine, new Date().toISOString().slice(0, 10)));
  }
  if (!results.every(({ databases }) => databases.every(({ identical }) => identical))) process.exitCode = 1;
} finally {
  await cleanUp();
}

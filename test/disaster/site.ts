import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { stopComponent } from "../stack/stack.ts";
import type { LostDatabase } from "./estate.ts";
import type { LosableStore } from "./network.ts";
import type { Ground } from "./networks.ts";

/** Where the recovery kit is written: all that is left beside one store. */
export const kitOf = (folder: string): string => join(folder, "recovery-kit");

/** A site whose policy wants a copy of everything in each of the stores, the first of which is the landing store. */
export const createDrillSite = async (
  { stack, folder }: Ground,
  databases: readonly LostDatabase[],
  stores: readonly LosableStore[],
): Promise<TestSite> => {
  await mkdir(folder, { recursive: true });
  for (const { secrets } of stores) Object.assign(process.env, secrets);
  const [landing, ...others] = stores.map(({ name }) => name);
  const count = stores.length;
  return await createTestSite({
    name: "disaster",
    stack,
    databases,
    policy: { landing, stores: others, copies: count, domains: count, archive: ["arweave"], patience: "15m" },
    change: (config) => {
      config.anchors = [];
      config.log.store = landing;
      config.stores = [
        ...stores.map(({ name, kind, config: own }) => ({ name, kind, ...own })),
        ...config.stores.filter(({ kind }: { kind: string }) => kind === "arweave"),
      ];
      config.recoveryKit = kitOf(folder);
    },
  });
};

/** Everything to every store; and the kit. Throws when a copy is missing anywhere. */
export const backUpAll = async (site: TestSite, databases: readonly LostDatabase[], say: (text: string) => void): Promise<void> => {
  for (const { name } of databases) {
    say(`backing up ${name}`);
    const { code, stdout, stderr, json } = await site.dbgov("backup", name);
    if (code !== 0 || json.degraded) throw new Error(`the backup of ${name} did not reach every store: ${stdout}${stderr}`);
  }
  const kit = await site.dbgov("keys", "kit");
  if (kit.code !== 0) throw new Error(`the recovery kit could not be written: ${kit.stdout}${kit.stderr}`);
};

/** The databases, the catalog, Temporal, the configuration and its keys. */
export const loseSite = async (site: TestSite, { stack, stackFolder }: Ground, databases: readonly LostDatabase[]): Promise<void> => {
  const catalog = site.environment.DBGOV_CATALOG_URL as string;
  await site.close();
  for (const database of databases) await database.drop();
  await runSql(stack.postgres.url, `DROP DATABASE "${databaseOf(catalog)}" WITH (FORCE)`);
  await stopComponent("temporal", stackFolder);
};

import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { engineOf } from "../../core/databases/engines.ts";
import { createSampleDatabase } from "../../test/sample/postgres-database.ts";
import { loadShopDocuments } from "../../test/sample/shop-mongodb.ts";
import { loadShop } from "../../test/sample/shop-postgres.ts";
import { createSampleSite, type SampleSite } from "../../test/sample/site-on-stack.ts";
import type { StackAddresses } from "../../test/stack/components.ts";
import { stackUp } from "../../test/stack/stack.ts";
import { dim } from "../cli/terminal.ts";
import { writeEnvironment } from "./how-to-go-on.ts";
import type { Stage } from "./stage.ts";

export const demoFolder = resolve(fileURLToPath(new URL("../../.dbgov/demo", import.meta.url)));
export const demoStackFolder = join(demoFolder, "stack");
/** The stack has more: servers that only tests use are neither fetched nor started for a demo. */
const demoComponents = ["temporal", "postgres", "mongodb", "azurite", "ipfs", "anvil", "arlocal"] as const;

/** TPC-H scale factor of the relational database: a good 200,000 rows. */
const scale = 0.04;
const documents = 50_000;

export interface DemoSite {
  readonly stack: Pick<StackAddresses, (typeof demoComponents)[number]>;
  readonly site: SampleSite;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts the stack, loads both databases, and writes keys and configuration: the operator's part before the first night. */
export const prepareDemo = async (stage: Stage, signal: AbortSignal): Promise<DemoSite> => {
  const stack = await stage.step(
    "Start the stack: Temporal, PostgreSQL, MongoDB wire, Azure Blob, three IPFS peers, a chain, Arweave",
    async (progress) => {
      const onProgress = (component: string, text: string): void => {
        progress.end();
        // On standard error also when a program listens: the first run builds for minutes, and must not look as if it hung.
        process.stderr.write(`   ${dim(component.padEnd(9))} ${text}\n`);
      };
      return await stackUp({ folder: demoStackFolder, components: demoComponents, onProgress });
    },
  );

  const postgresUrl = await createSampleDatabase(stack.postgres.url, "shop");
  // What an earlier demo left under that name is dropped.
  const mongodbUrl = await (await engineOf("mongodb")).createScratch(new URL("/admin-of-demo", stack.mongodb.url).href, "orders", signal);
  await stage.step("Load two databases with varied data", async (progress) => {
    progress.update("generating and loading TPC-H");
    const relational = await loadShop(postgresUrl, { scale });
    stage.done(`shop (PostgreSQL): ${relational.rows.toLocaleString("en")} rows in ${relational.tables} tables`);
    progress.update("loading documents");
    const loaded = await loadShopDocuments(mongodbUrl, { documents });
    stage.done(`orders (MongoDB): ${loaded.documents.toLocaleString("en")} documents in ${loaded.collections} collections`);
  });

  const site = await stage.step("Make keys, deploy the anchor registry, write dbgov.yaml", async () => {
    const folder = join(demoFolder, "site");
    await rm(folder, { recursive: true, force: true });
    const made = await createSampleSite({
      folder,
      stack,
      organization: "demo",
      databases: [
        { name: "shop", engine: "postgres", url: postgresUrl },
        { name: "orders", engine: "mongodb", url: mongodbUrl },
      ],
    });
    await writeEnvironment(folder, made.environment);
    stage.done(`${made.config}: 2 databases, 4 stores, 1 policy; registry ${made.contract}`);
    return made;
  });
  return { stack, site, env: { ...process.env, ...site.environment } };
};

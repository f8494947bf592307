import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MongoClient } from "mongodb";
import pg from "pg";
import { parseDocument } from "yaml";
import { connectOrchestrator } from "../../client/connect.ts";
import { addressOfKey } from "../../core/ledger/evm.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { useStack } from "../stack/use-stack.ts";
import { fencedBlock } from "./shell-blocks.ts";

const root = join(import.meta.dirname, "..", "..");

/** The folder in which docs/operations.md is worked through, and the environment that its reader has by then. */
export interface DocumentedSite {
  readonly folder: string;
  readonly config: string;
  readonly env: NodeJS.ProcessEnv;
  /** Writes the page's own dbgov.yaml, with this machine's addresses and the registry that the page's command has deployed. */
  writeConfig(page: string, contract: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Two small databases, a namespace and a container of its own; nothing of dbgov is set up yet. */
export const openDocumentedSite = async (): Promise<DocumentedSite> => {
  const stack = await useStack("temporal", "postgres", "mongodb", "azurite", "anvil");
  const own = `docs${randomBytes(4).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "dbgov-docs-"));
  const config = join(folder, "dbgov.yaml");
  const [catalog, shop, target, recovery] = (await Promise.all(
    ["catalog", "shop", "target", "recovery"].map((name) => createSampleDatabase(stack.postgres.url, `${own}_${name}`)),
  )) as [string, string, string, string];
  await fillShop(shop);
  const events = new URL(stack.mongodb.url);
  events.pathname = `/${own}`;
  const mongo = new MongoClient(events.href);
  await mongo
    .db()
    .collection("clicks")
    .insertMany(Array.from({ length: 500 }, (_, at) => ({ at: new Date(at * 1_000), page: `/p/${at % 7}` })));
  await createNamespace(stack.temporal.address, own);

  // Not the accounts that other tests use by their number: two senders with one account would mix up its transaction numbers.
  const [deployer, submitter] = stack.anvil.keys.slice(-2) as [string, string];
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: [join(root, "bin"), process.env.PATH].join(delimiter),
    NO_COLOR: "1",
    DBGOV_CATALOG_URL: catalog,
    SHOP_URL: shop,
    EVENTS_URL: events.href,
    TARGET_URL: target,
    RECOVERY_URL: recovery,
    AZURE_STORAGE_CONNECTION_STRING: stack.azurite.connectionString,
    RPC_URL: stack.anvil.rpc,
    CHAIN_ID: String(stack.anvil.chainId),
    DEPLOYER_KEY: deployer,
    SUBMITTER_KEY: submitter,
    SUBMITTER_ADDRESS: addressOfKey(submitter),
  };

  const writeConfig = async (page: string, contract: string): Promise<void> => {
    const document = parseDocument(fencedBlock(page, "yaml"));
    const set = (path: readonly (string | number)[], value: unknown): void => {
      if (!document.hasIn(path)) throw new Error(`the page's dbgov.yaml has no ${path.join(".")}`);
      document.setIn(path, value);
    };
    set(["temporal", "address"], stack.temporal.address);
    set(["temporal", "namespace"], own);
    set(["stores", 1, "container"], own);
    set(["anchors", 0, "chainId"], stack.anvil.chainId);
    set(["anchors", 0, "contract"], contract);
    // The entry of the configuration is anchored first, and the snapshots would wait for an hour.
    document.setIn(["anchors", 0, "afterEntries"], 1);
    await writeFile(config, document.toString());
  };

  const dispose = async (): Promise<void> => {
    await mongo.db().dropDatabase();
    await mongo.close();
    const admin = new pg.Client({ connectionString: stack.postgres.url });
    await admin.connect();
    for (const name of ["catalog", "shop", "target", "recovery"]) await admin.query(`DROP DATABASE IF EXISTS ${own}_${name} WITH (FORCE)`);
    await admin.end();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, config, env, writeConfig, [Symbol.asyncDispose]: dispose };
};

const fillShop = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`
    CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, since timestamptz);
    CREATE TABLE purchase (id bigserial PRIMARY KEY, customer int REFERENCES customer, paid numeric(10, 2), note text);
    INSERT INTO customer SELECT n, 'customer ' || n, now() - n * interval '1 hour' FROM generate_series(1, 300) n;
    INSERT INTO purchase (customer, paid, note) SELECT n % 300 + 1, n / 7.0, repeat('x', n % 40) FROM generate_series(1, 3000) n;`);
  await client.end();
};

/** A namespace of its own, so that no other test's worker takes this site's work. */
const createNamespace = async (address: string, namespace: string): Promise<void> => {
  const { client, close } = await connectOrchestrator({ address, namespace });
  try {
    await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
    for (const deadline = Date.now() + 30_000; ; await delay(200)) {
      const found = await client.workflowService.listWorkflowExecutions({ namespace }).catch((error: unknown) => error);
      if (!(found instanceof Error)) return;
      if (Date.now() > deadline) throw found;
    }
  } finally {
    await close();
  }
};

/** The page as it stands in the repository. */
export const readPage = (path: string): Promise<string> => readFile(join(root, path), "utf8");

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, Connection, type WorkflowHandle } from "@temporalio/client";
import pg from "pg";
import { parse, stringify } from "yaml";
import { ensureSearchAttributes } from "../../client/apply-schedules.ts";
import { type Finished, runDbgov } from "../../client/demo/run-dbgov.ts";
import { backupInputOf } from "../../client/run-policy.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { addressOfKey } from "../../core/ledger/evm.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { askRpc } from "../stack/components/http.ts";
import type { StackAddresses } from "../stack/components.ts";
import { createSampleDatabase } from "./postgres-database.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "./run-worker.ts";
import { createSampleSite, type SampleOptions } from "./site-on-stack.ts";

type Stack = Pick<StackAddresses, "temporal" | "postgres" | "azurite" | "ipfs" | "anvil" | "arlocal">;
/** The parsed `dbgov.yaml`, for a test to change. */
// biome-ignore lint/suspicious/noExplicitAny: the point of a test's change may be that it does not fit the schema.
type RawConfig = any;

/** A site with a Temporal namespace, a catalog, databases and folders of its own, and what a test does with it. */
export interface TestSite {
  readonly folder: string;
  readonly config: string;
  readonly namespace: string;
  readonly client: Client;
  /** With its secrets in this process's environment. */
  readonly site: Site;
  readonly environment: Readonly<Record<string, string>>;
  worker(options?: Partial<WorkerOptions>): Promise<RunningWorker>;
  /** Runs a command of `bin/dbgov` with `--config` and `--json`; `json` is what it printed. */
  dbgov(...args: readonly string[]): Promise<Finished & { readonly json: RawConfig }>;
  /** Starts the backup workflow as the CLI does, without waiting for it. */
  startBackup(database: string, input?: { readonly full: boolean }): Promise<WorkflowHandle>;
  backup(database: string): Promise<BackupResult>;
  /** Changes the configuration's file, and opens `site` anew. */
  reconfigure(change: (config: RawConfig) => void): Promise<void>;
  close(): Promise<void>;
}

export interface TestSiteOptions {
  /** Begins the names of the organization, the namespace and the catalog. */
  readonly name: string;
  readonly stack: Stack;
  /** By name; the URL of a source database. */
  readonly databases: SampleOptions["databases"];
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly change?: (config: RawConfig) => void;
}

export const createTestSite = async (options: TestSiteOptions): Promise<TestSite> => {
  const { stack, databases, policy, change = () => {} } = options;
  const name = ownName(options.name);
  const folder = await mkdtemp(join(tmpdir(), `dbgov ${name} `));
  const connection = await Connection.connect({ address: stack.temporal.address });
  const client = new Client({ connection, namespace: name });
  // Accounts of its own: two test files must not count up one account's transactions.
  const keys = await Promise.all([fundedAccount(stack.anvil.rpc), fundedAccount(stack.anvil.rpc)]);
  const [sample] = await Promise.all([
    createSampleSite({
      folder: join(folder, "site"),
      stack: { ...stack, anvil: { ...stack.anvil, keys } },
      namespace: name,
      databases,
      organization: name,
      ...(policy === undefined ? {} : { policy }),
    }),
    makeNamespace(client, name),
  ]);
  const rewrite = async (edit: (config: RawConfig) => void): Promise<void> => {
    const config = parse(await readFile(sample.config, "utf8")) as RawConfig;
    edit(config);
    await writeFile(sample.config, stringify(config));
  };
  await rewrite(change);
  Object.assign(process.env, sample.environment);
  let site = openSite(await loadConfig(sample.config));
  const workers: RunningWorker[] = [];

  const dbgov = async (...args: readonly string[]): Promise<Finished & { readonly json: RawConfig }> => {
    const all = [...args, "--config", sample.config, "--json"];
    const finished = await runDbgov(all, { cwd: folder, env: { ...process.env, ...sample.environment } });
    const last = finished.stdout.trim().split("\n").at(-1) ?? "";
    return { ...finished, json: last.startsWith("{") ? JSON.parse(last) : undefined };
  };
  const startBackup = (database: string, input?: { readonly full: boolean }): Promise<WorkflowHandle> =>
    client.workflow.start("backup", {
      workflowId: `backup/${database}`,
      taskQueue: "orchestrate",
      args: [{ ...backupInputOf(site, database), ...input }],
    });

  return {
    folder,
    config: sample.config,
    namespace: name,
    client,
    get site() {
      return site;
    },
    environment: sample.environment,
    worker: async (chosen = {}) => {
      const worker = await startWorker({ config: sample.config, folder, environment: sample.environment, ...chosen });
      workers.push(worker);
      return worker;
    },
    dbgov,
    startBackup,
    backup: async (database) => (await (await startBackup(database)).result()) as BackupResult,
    reconfigure: async (edit) => {
      await rewrite(edit);
      await site.close();
      site = openSite(await loadConfig(sample.config));
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await site.close();
      await connection.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const fundedAccount = async (rpc: string): Promise<string> => {
  const key = `0x${randomBytes(32).toString("hex")}`;
  await askRpc(rpc, "anvil_setBalance", [addressOfKey(key), "0x56bc75e2d63100000"]);
  return key;
};

/** Registers a namespace, and resolves once workflows with the product's search attributes can be started in it. */
export const makeNamespace = async (client: Client, namespace: string): Promise<void> => {
  const { workflowService } = client;
  await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await ensureSearchAttributes(client, namespace);
      // Nobody polls that queue: accepted means that the namespace and its attributes are known.
      const probe = await client.workflow.start("none", {
        workflowId: "namespace-probe",
        taskQueue: "none",
        searchAttributes: { DbgovOutcome: ["probe"] },
      });
      await probe.terminate();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(200);
    }
  }
};

/** Two runs of one test at the same time do not meet. */
const ownName = (name: string): string => `${name}-${randomBytes(3).toString("hex")}`;

/** An empty database on the shared server, under a name of its own, and its URL. */
export const createDatabase = (stack: Pick<StackAddresses, "postgres">, name: string): Promise<string> =>
  createSampleDatabase(stack.postgres.url, ownName(name).replaceAll("-", "_"));

/** The same under the very name that is given. */
export const createSource = (stack: Pick<StackAddresses, "postgres">, name: string): Promise<string> =>
  createSampleDatabase(stack.postgres.url, name.replaceAll("-", "_"));

/** The name of the database in its URL. */
export const databaseOf = (url: string): string => new URL(url).pathname.slice(1);

/** Runs SQL on a database; the rows of the last statement. */
export const runSql = async <Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    const result = (await client.query<Row>(sql)) as pg.QueryResult<Row> | pg.QueryResult<Row>[];
    return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
  } finally {
    await client.end();
  }
};

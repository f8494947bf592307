import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, Connection } from "@temporalio/client";
import { stringify } from "yaml";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { StackAddresses } from "../stack/components.ts";
import { chooseFreePorts } from "../stack/ports.ts";
import { undoOnBreakOff } from "./break-off.ts";

const dbgov = join(import.meta.dirname, "..", "..", "bin", "dbgov");

export interface BenchDatabase {
  readonly name: string;
  readonly engine: EngineName;
  readonly url: string;
}

export interface BenchSiteOptions {
  readonly folder: string;
  readonly stack: Pick<StackAddresses, "postgres" | "temporal">;
  readonly databases: readonly BenchDatabase[];
  /** Merged over the site's policy. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** @default "bench_catalog" */
  readonly catalogName?: string;
  /** Temporal's; it exists. @default "default" */
  readonly namespace?: string;
}

/** A whole site with one store, and a worker. */
export interface BenchSite {
  readonly folder: string;
  readonly config: string;
  readonly catalog: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command line, with its configuration. */
  readonly command: (text: string) => string;
  readonly workerPid: number;
  /** Address of the worker's metrics. */
  readonly metrics: string;
  /** Resolves when the verification that follows a backup by itself has ended. */
  verified(snapshot: string): Promise<void>;
  close(): Promise<void>;
}

/** An empty folder with keys, and an empty database for its catalog, whose URL it returns. */
export const createBenchFolder = async (folder: string, server: string, catalog: string): Promise<string> => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await createKeys(join(folder, "keys"));
  return await createSampleDatabase(server, catalog);
};

/** An empty store, an empty catalog, and a worker that serves all queues and has done nothing yet. */
export const openBenchSite = async (options: BenchSiteOptions): Promise<BenchSite> => {
  const { folder, stack, databases, policy = {}, catalogName = "bench_catalog", namespace = "default" } = options;
  const catalog = await createBenchFolder(folder, stack.postgres.url, catalogName);
  const urls = Object.fromEntries(databases.map(({ url }, at) => [variableOf(at), url]));
  const environment = { BENCH_CATALOG: catalog, DBGOV_PG_BIN: stack.postgres.bin, ...urls };
  const config = join(folder, "dbgov.yaml");
  await writeFile(config, stringify(configuration({ address: stack.temporal.address, namespace }, databases, policy)));
  const worker = await startBenchWorker({ folder, config, environment });
  return {
    ...{ folder, config, catalog, environment, workerPid: worker.pid, metrics: worker.metrics },
    command: (text) => `'${dbgov}' ${text} --config '${config}' --json`,
    verified: async (snapshot) => {
      const connection = await Connection.connect({ address: stack.temporal.address });
      await new Client({ connection, namespace }).workflow.getHandle(`verify/${snapshot}`).result();
      await connection.close();
    },
    close: worker.stop,
  };
};

export interface BenchWorker {
  readonly pid: number;
  readonly metrics: string;
  stop(): Promise<void>;
}

/** One more worker of a site. */
export const startBenchWorker = async ({
  folder,
  config,
  environment,
}: Pick<BenchSite, "folder" | "config" | "environment">): Promise<BenchWorker> => {
  const metrics = `127.0.0.1:${(await chooseFreePorts(1, new Set()))[0]}`;
  const log = join(folder, `worker-${metrics.split(":").at(-1)}.log`);
  // In a group of its own: Ctrl-C reaches the bench, which ends the worker.
  const worker = spawn(dbgov, ["worker", "--config", config, "--metrics", metrics, "--json"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", openSync(log, "w")],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    worker.kill("SIGTERM");
    await ended;
    forget();
  };
  const forget = undoOnBreakOff(stop);
  await ready(worker, log);
  return { pid: worker.pid ?? 0, metrics, stop };
};

const ready = async (worker: ChildProcess, log: string): Promise<void> => {
  let said = "";
  for await (const line of createInterface({ input: worker.stdout! })) {
    if (line.includes('"ready"')) return void worker.stdout!.resume();
    // With --json it says there what failed.
    said = line;
  }
  throw new Error(`the worker ended before it was ready: ${said}${readFileSync(log, "utf8").slice(-2_000)}`);
};

const variableOf = (at: number): string => `BENCH_DATABASE_${at}`;

const configuration = (temporal: object, databases: readonly BenchDatabase[], policy: Readonly<Record<string, unknown>>): unknown => ({
  organization: "bench",
  temporal,
  catalog: { env: "BENCH_CATALOG" },
  keys: {
    dedupSecret: { file: "keys/dedup.secret" },
    indexKey: { file: "keys/index.secret" },
    signingKey: { file: "keys/signing.secret" },
    logKey: { file: "keys/log.secret" },
  },
  recipients: [{ name: "recovery", publicKey: "keys/recovery.public", secretKey: { file: "keys/recovery.secret" } }],
  recoveryKit: "recovery-kit",
  databases: databases.map(({ name, engine }, at) => ({ name, engine, url: { env: variableOf(at) }, policy: "nightly" })),
  stores: [{ name: "local", kind: "directory", domain: "this-machine", path: "store" }],
  policies: [{ name: "nightly", schedule: { cron: "15 2 * * *" }, landing: "local", copies: 1, domains: 1, ...policy }],
  log: { origin: "bench.example/dbgov", store: "local" },
});

import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, Connection } from "@temporalio/client";
import { stringify } from "yaml";
import { createKeys } from "../../core/site/create-keys.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { StackAddresses } from "../stack/components.ts";

const dbgov = join(import.meta.dirname, "..", "..", "bin", "dbgov");

/** A whole site with one store, a database to measure and an empty one, and its worker. */
export interface BenchSite {
  readonly folder: string;
  readonly catalog: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command line, with its configuration. */
  readonly command: (text: string) => string;
  readonly workerPid: number;
  /** Resolves when the verification that follows a backup by itself has ended. */
  verified(snapshot: string): Promise<void>;
  close(): Promise<void>;
}

/** An empty store, an empty catalog, and a worker that serves all queues and has done nothing yet. */
export const openBenchSite = async (
  folder: string,
  stack: Pick<StackAddresses, "postgres" | "temporal">,
  database: string,
): Promise<BenchSite> => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await createKeys(join(folder, "keys"));
  const catalog = await createSampleDatabase(stack.postgres.url, "bench_catalog");
  const environment = {
    BENCH_CATALOG: catalog,
    BENCH_DATABASE: database,
    BENCH_EMPTY: stack.postgres.url,
    DBGOV_PG_BIN: stack.postgres.bin,
  };
  const config = join(folder, "dbgov.yaml");
  await writeFile(config, stringify(configuration(stack.temporal.address)));
  const log = join(folder, "worker.log");
  const worker = spawn(dbgov, ["worker", "--config", config, "--json"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", openSync(log, "w")],
  });
  await ready(worker, log);
  return {
    folder,
    catalog,
    environment,
    command: (text) => `'${dbgov}' ${text} --config '${config}' --json`,
    workerPid: worker.pid ?? 0,
    verified: async (snapshot) => {
      const connection = await Connection.connect({ address: stack.temporal.address });
      await new Client({ connection }).workflow.getHandle(`verify/${snapshot}`).result();
      await connection.close();
    },
    close: async () => {
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.kill("SIGTERM");
      await ended;
    },
  };
};

const ready = async (worker: ChildProcess, log: string): Promise<void> => {
  for await (const line of createInterface({ input: worker.stdout! })) {
    if (line.includes('"ready"')) return void worker.stdout!.resume();
  }
  throw new Error(`the worker ended before it was ready: ${readFileSync(log, "utf8").slice(-2_000)}`);
};

const configuration = (temporal: string): unknown => ({
  organization: "bench",
  temporal: { address: temporal },
  catalog: { env: "BENCH_CATALOG" },
  keys: {
    dedupSecret: { file: "keys/dedup.secret" },
    indexKey: { file: "keys/index.secret" },
    signingKey: { file: "keys/signing.secret" },
    logKey: { file: "keys/log.secret" },
  },
  recipients: [{ name: "recovery", publicKey: "keys/recovery.public", secretKey: { file: "keys/recovery.secret" } }],
  recoveryKit: "recovery-kit",
  databases: [
    { name: "shop", engine: "postgres", url: { env: "BENCH_DATABASE" }, policy: "nightly" },
    { name: "empty", engine: "postgres", url: { env: "BENCH_EMPTY" }, policy: "nightly" },
  ],
  stores: [{ name: "local", kind: "directory", domain: "this-machine", path: "store" }],
  policies: [{ name: "nightly", schedule: { cron: "15 2 * * *" }, landing: "local", copies: 1, domains: 1 }],
  log: { origin: "bench.example/dbgov", store: "local" },
});

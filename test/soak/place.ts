import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { stringify } from "yaml";
import { type Finished, launcher } from "../../client/demo/run-dbgov.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { unlessBrokenOff } from "../bench/break-off.ts";
import { type Cluster, createCluster } from "../integration/postgres-cluster.ts";
import { type RunningWorker, startWorker } from "../sample/run-worker.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { makeNamespace } from "../sample/test-site.ts";
import { openSoakedServer, type SoakedServer } from "./servers/soaked-server.ts";
import { siteConfig, variableOf } from "./site-config.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
import { openUndoing, type Undoing } from "./undo.ts";

/** Everything that one lane of the soak breaks: servers, connections, a disk and a worker of its own. */
export interface Place {
  readonly folder: string;
  readonly client: Client;
  /** For looking at what came of it: straight to the catalog, past the front. */
  readonly site: Site;
  readonly database: SoakedServer;
  readonly catalogs: Cluster;
  readonly toDatabase: TcpFront;
  readonly toCatalog: TcpFront;
  readonly toTemporal: TcpFront;
  /** Where the processes of the product put temporary files. */
  readonly temporary: string;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  killWorker(): Promise<void>;
  workerPid(): Promise<number>;
  /** The landing store is on it. */
  readonly disk: SmallDisk;
  /** `bin/dbgov restore` into the target, through the front; one at a time. */
  restore(...args: string[]): Promise<Finished>;
  killRestore(): void;
  close(): Promise<void>;
}

export const openPlace = async (options: { name: string; temporal: string; bin: string; engine: EngineName }): Promise<Place> => {
  const undoing = openUndoing();
  try {
    return await fillPlace(options, undoing);
  } catch (error) {
    await undoing.all();
    throw error;
  }
};

const fillPlace = async ({ name, temporal, bin, engine }: Parameters<typeof openPlace>[0], undoing: Undoing): Promise<Place> => {
  const folder = await mkdtemp(join(tmpdir(), `dbgov ${name} `));
  undoing.add(() => rm(folder, { recursive: true, force: true }));
  const disk = await mountSmallDisk(join(folder, "disk"), undoing);
  const temporary = join(folder, "temporary");
  await mkdir(temporary);
  const [database, catalogs] = [await openSoakedServer(engine, folder, bin, undoing), await openCluster(bin, undoing)];
  const { source, target } = database;
  const toDatabase = await openFront(new URL(source), undoing);
  const toCatalog = await openFront(new URL(catalogs.url), undoing);
  const toTemporal = await openFront(new URL(`http://${temporal}`), undoing);
  const through = (url: string, front: TcpFront) => throughFront(url, new URL(url).host, front);

  await createKeys(join(folder, "keys"));
  const config = join(folder, "dbgov.yaml");
  const address = `127.0.0.1:${toTemporal.port}`;
  await writeFile(config, stringify(siteConfig({ name, engine, temporal: address, landing: join(disk.folder, "landing") })));
  const urls = (catalog: string, database: string) => ({ [variableOf(name, "catalog")]: catalog, [variableOf(name, "source")]: database });
  const environment = {
    ...urls(through(catalogs.url, toCatalog), through(source, toDatabase)),
    ...{ DBGOV_PG_BIN: bin, TMPDIR: temporary },
  };
  Object.assign(process.env, urls(catalogs.url, source), { DBGOV_PG_BIN: bin });
  const site = openSite(await loadConfig(config));
  undoing.add(() => site.close());
  const connection = await Connection.connect({ address: temporal });
  undoing.add(() => connection.close());
  const client = new Client({ connection, namespace: name });
  await makeNamespace(client, name);

  let worker: Promise<RunningWorker> | undefined;
  let restoring: ChildProcess | undefined;
  undoing.add(async () => {
    restoring?.kill("SIGKILL");
    // One that is just starting, too.
    await (await worker?.catch(() => undefined))?.kill();
  });
  return {
    ...{ folder, client, site, database, catalogs, toDatabase, toCatalog, toTemporal, temporary, disk },
    startWorker: async () => {
      await unlessBrokenOff();
      worker = startWorker({ config, folder, environment, grace: "1s" });
      await worker;
    },
    stopWorker: async () => void (await (await worker)?.stop()),
    killWorker: async () => void (await (await worker)?.kill()),
    workerPid: async () => (await worker)?.pid ?? 0,
    restore: async (...args) => {
      const all = ["restore", ...args, "--to", through(target, toDatabase), "--config", config, "--json"];
      const child = spawn(launcher, all, { cwd: folder, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
      restoring = child;
      const output = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          output[stream] += text;
        });
      }
      const [code] = (await once(child, "close")) as [number | null];
      return { code: code ?? -1, ...output };
    },
    killRestore: () => void restoring?.kill("SIGKILL"),
    close: () => undoing.all(),
  };
};

const openCluster = async (bin: string, undoing: Undoing): Promise<Cluster> => {
  const cluster = await createCluster(bin);
  undoing.add(() => cluster.remove());
  await cluster.start();
  return cluster;
};

const openFront = async ({ hostname, port }: URL, undoing: Undoing): Promise<TcpFront> => {
  const front = await openTcpFront({ host: hostname, port: Number(port) });
  undoing.add(() => front.close());
  return front;
};

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { stringify } from "yaml";
import { type Finished, launcher } from "../../client/demo/run-dbgov.ts";
import { loadConfig } from "../../core/config/load-config.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import { openSite, type Site } from "../../core/site/site.ts";
import { type Cluster, createCluster } from "../integration/postgres-cluster.ts";
import { type RunningWorker, startWorker } from "../sample/run-worker.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { makeNamespace } from "../sample/test-site.ts";
import { siteConfig } from "./site-config.ts";
import { createSource, databaseUrl } from "./source.ts";

/** Everything that one lane of the soak breaks: servers, connections, a disk and a worker of its own. */
export interface Place {
  readonly folder: string;
  readonly client: Client;
  /** For looking at what came of it: straight to the catalog, past the front. */
  readonly site: Site;
  readonly databases: Cluster;
  readonly catalogs: Cluster;
  readonly toDatabases: TcpFront;
  readonly toCatalog: TcpFront;
  readonly toTemporal: TcpFront;
  /** Straight to it, past the front. */
  readonly source: string;
  readonly target: string;
  /** Where the processes of the product put temporary files. */
  readonly temporary: string;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  killWorker(): Promise<void>;
  workerPid(): number;
  /** Fills the landing store's disk, all but so many bytes. Does nothing where no disk of its own could be mounted. */
  fillDisk(left: number): Promise<void>;
  emptyDisk(): Promise<void>;
  /** `bin/dbgov restore` into the target, through the front; one at a time. */
  restore(...args: string[]): Promise<Finished>;
  killRestore(): void;
  close(): Promise<void>;
}

const execute = promisify(execFile);
const diskBytes = 256 << 20;

export const openPlace = async (options: { name: string; temporal: string; bin: string }): Promise<Place> => {
  const { name, temporal, bin } = options;
  const folder = await mkdtemp(join(tmpdir(), `dbgov ${name} `));
  const [disk, temporary] = [join(folder, "disk"), join(folder, "temporary")];
  await Promise.all([mkdir(disk), mkdir(temporary)]);
  const mounted = await execute("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", disk]).then(
    () => true,
    () => false, // no right to mount: the limit on file sizes is what is left of full disks then
  );
  const [databases, catalogs] = await Promise.all([createCluster(bin), createCluster(bin)]);
  await Promise.all([databases.start(), catalogs.start()]);
  const frontOf = ({ host }: URL) => openTcpFront({ host: host.split(":")[0]!, port: Number(host.split(":")[1]) });
  const [toDatabases, toCatalog, toTemporal] = await Promise.all([
    frontOf(new URL(databases.url)),
    frontOf(new URL(catalogs.url)),
    frontOf(new URL(`http://${temporal}`)),
  ]);
  const source = await createSource(databases, "soak");
  await databases.sql("CREATE DATABASE soak_target");
  const target = databaseUrl(databases, "soak_target");
  const through = (url: string, front: TcpFront) => throughFront(url, new URL(url).host, front);

  await createKeys(join(folder, "keys"));
  const config = join(folder, "dbgov.yaml");
  await writeFile(config, stringify(siteConfig({ name, temporal: `127.0.0.1:${toTemporal.port}`, landing: join(disk, "landing") })));
  const variable = name.toUpperCase().replaceAll("-", "_");
  const environment = {
    [`${variable}_CATALOG`]: through(catalogs.url, toCatalog),
    [`${variable}_SOURCE`]: through(source, toDatabases),
    DBGOV_PG_BIN: bin,
    TMPDIR: temporary,
  };
  Object.assign(process.env, { [`${variable}_CATALOG`]: catalogs.url, [`${variable}_SOURCE`]: source, DBGOV_PG_BIN: bin });
  const site = openSite(await loadConfig(config));
  const connection = await Connection.connect({ address: temporal });
  const client = new Client({ connection, namespace: name });
  await makeNamespace(client, name);

  let worker: RunningWorker | undefined;
  let restoring: ChildProcess | undefined;
  const filler = join(disk, "filler");
  const place: Place = {
    ...{ folder, client, site, databases, catalogs, toDatabases, toCatalog, toTemporal, source, target, temporary },
    startWorker: async () => {
      worker = await startWorker({ config, folder, environment, grace: "1s" });
    },
    stopWorker: async () => void (await worker?.stop()),
    killWorker: async () => void (await worker?.kill()),
    workerPid: () => worker?.pid ?? 0,
    fillDisk: async (left) => {
      if (!mounted) return;
      const { bavail, bsize } = await statfs(disk);
      // A file without holes, as a disk that others filled.
      await execute("fallocate", ["-l", String(Math.max(bsize, bavail * bsize - left)), filler]);
    },
    emptyDisk: () => rm(filler, { force: true }),
    restore: async (...args) => {
      const all = ["restore", ...args, "--to", through(target, toDatabases), "--config", config, "--json"];
      const child = spawn(launcher, all, { cwd: folder, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
      restoring = child;
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      const [code] = (await once(child, "close")) as [number | null];
      return { code: code ?? -1, stdout, stderr };
    },
    killRestore: () => void restoring?.kill("SIGKILL"),
    close: async () => {
      toDatabases.thaw();
      toCatalog.thaw();
      await worker?.stop();
      await site.close();
      await connection.close();
      await Promise.all([toDatabases.close(), toCatalog.close(), toTemporal.close()]);
      await Promise.all([databases.remove(), catalogs.remove()]);
      if (mounted) await execute("umount", [disk]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return place;
};

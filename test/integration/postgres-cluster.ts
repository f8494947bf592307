import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { reachablePrograms, unprivilegedUser } from "../stack/components/unprivileged.ts";
import { chooseFreePorts } from "../stack/ports.ts";

/** A server of a test's own, to be stopped, set back, copied and promoted. */
export interface Cluster {
  readonly url: string;
  sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]>;
  start(): Promise<void>;
  /** Ends it in an orderly way. */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut would: whoever starts it again finds it recovering. */
  abort(): Promise<void>;
  /** Kills a process that serves a client: the server ends all others, and recovers, without being started anew. */
  crash(): Promise<void>;
  /** Copies the files of the stopped server; the result puts them back. */
  copyFiles(): Promise<() => Promise<void>>;
  /** Gives the stopped server other counters: `pg_resetwal` with these arguments; `-x` finds its status file made. */
  reset(...args: string[]): Promise<void>;
  /** A standby that follows this server. */
  standby(): Promise<Cluster>;
  promote(): Promise<void>;
  /** Stops it and deletes its files. */
  remove(): Promise<void>;
}

const settings = {
  ...{ listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off", shared_buffers: "16MB" },
  ...{ max_prepared_transactions: "5", wal_level: "replica", max_connections: "20", autovacuum: "off" },
};

export const createCluster = async (bin: string): Promise<Cluster> => {
  const programs = await reachablePrograms(bin);
  return ownCluster(programs, (run, data) =>
    run("initdb", "-D", data, "-U", "postgres", "--auth", "trust", "--no-sync", "--locale", "C", "-E", "UTF8"),
  );
};

type Run = (program: string, ...args: string[]) => Promise<unknown>;

const ownCluster = async (programs: string, fill: (run: Run, data: string) => Promise<unknown>): Promise<Cluster> => {
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), "dbgov-cluster-"));
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const run: Run = (program, ...args) => promisify(execFile)(join(programs, program), args, { cwd: folder, ...user });
  await fill(run, data);
  const [port] = await chooseFreePorts(1, new Set());
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let ended: Promise<unknown> = Promise.resolve();
  let server: ReturnType<typeof spawn> | undefined;

  const sql = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };
  const answers = async (what: string): Promise<void> => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      try {
        await sql("SELECT 1");
        return;
      } catch (error) {
        if (server?.exitCode !== null || Date.now() > deadline) throw new Error(`the cluster did not ${what}`, { cause: error });
      }
      await delay(50);
    }
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server?.kill(signal);
    await ended;
    server = undefined;
  };
  const stop = (): Promise<void> => end("SIGINT");
  return {
    url,
    sql,
    start: async () => {
      const chosen = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
      server = spawn(join(programs, "postgres"), ["-D", data, ...chosen], { cwd: folder, stdio: "ignore", ...user });
      ended = once(server, "exit");
      await answers("start");
    },
    stop,
    abort: () => end("SIGQUIT"),
    crash: async () => {
      const [victim, bystander] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
      const gone = [victim, bystander].map((client) => new Promise<void>((end) => client.on("error", () => {}).once("end", end)));
      await Promise.all([victim.connect(), bystander.connect()]);
      const { rows } = await victim.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      process.kill(rows[0]!.pid, "SIGKILL");
      // The bystander's end is the server's doing, once it has noticed.
      await Promise.all(gone);
      await answers("recover");
    },
    copyFiles: async () => {
      const copy = join(folder, "copy");
      await cp(data, copy, { recursive: true, preserveTimestamps: true });
      return async () => {
        await rm(data, { recursive: true });
        await cp(copy, data, { recursive: true, preserveTimestamps: true });
        await giveTo(user, data);
      };
    },
    reset: async (...args) => {
      const [option, next] = args;
      if (option === "-x") {
        // The status of a million transactions is in one file; the server expects the one that it goes on in.
        const segment = Math.floor(Number(next) / 2 ** 20)
          .toString(16)
          .toUpperCase()
          .padStart(4, "0");
        const file = join(data, "pg_xact", segment);
        await writeFile(file, Buffer.alloc(2 ** 18));
        await giveTo(user, file);
      }
      await run("pg_resetwal", ...args, "-D", data);
    },
    standby: async () => {
      const from = `host=127.0.0.1 port=${port} user=postgres`;
      return await ownCluster(programs, (copy, target) => copy("pg_basebackup", "-D", target, "-d", from, "-R", "-c", "fast", "--no-sync"));
    },
    promote: async () => {
      await sql("SELECT pg_promote()");
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const giveTo = async (user: { uid: number; gid: number } | undefined, path: string): Promise<void> => {
  if (user !== undefined) await promisify(execFile)("chown", ["-R", `${user.uid}:${user.gid}`, path]);
};

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { selfSignedCertificate } from "../sample/self-signed-certificate.ts";
import { reachablePrograms, unprivilegedUser } from "../stack/components/unprivileged.ts";
import { chooseFreePorts } from "../stack/ports.ts";

/** A cluster of a test's own: what a sweep judges is mostly the cluster's, and the shared one is for everybody. */
export interface PrivatePostgres {
  /** URL of the superuser over TCP, without TLS options. */
  readonly url: string;
  readonly socketUrl: string;
  /** Path of the certificate that clients must trust, where it has TLS. */
  readonly authority: string;
  sql(text: string, url?: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly initdb: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly hostRules: readonly string[];
  /** Not every build can. */
  readonly tls?: boolean;
}

export const superuserPassword = "correct-horse-battery";

export const startPrivatePostgres = async (bin: string, options: ClusterOptions): Promise<PrivatePostgres> => {
  const programs = await reachablePrograms(bin);
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), "dbgov-sweep-"));
  const data = join(folder, "data");
  const { key, certificate } = selfSignedCertificate();
  for (const [name, content] of [
    ["password", superuserPassword],
    ["server.key", key],
    ["server.crt", certificate],
    ["hba", `${options.hostRules.join("\n")}\n`],
  ] as const) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    if (user !== undefined) await chown(join(folder, name), user.uid, user.gid);
  }
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  await promisify(execFile)(
    join(programs, "initdb"),
    ["-D", data, "-U", "postgres", "--pwfile", join(folder, "password"), "--no-sync", "--locale", "C", "-E", "UTF8", ...options.initdb],
    { cwd: folder, ...user },
  );
  const [port] = await chooseFreePorts(1, new Set());
  const settings = {
    ...{ listen_addresses: "localhost", port: String(port), unix_socket_directories: folder, fsync: "off", shared_buffers: "16MB" },
    ...(options.tls === true ? { ssl: "on", ssl_key_file: join(folder, "server.key"), ssl_cert_file: join(folder, "server.crt") } : {}),
    hba_file: join(folder, "hba"),
    ...options.settings,
  };
  const server = spawn(
    join(programs, "postgres"),
    ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    {
      cwd: folder,
      stdio: "ignore",
      ...user,
    },
  );
  const ended = once(server, "exit");
  const socketUrl = `postgres://postgres:${superuserPassword}@/postgres?host=${encodeURIComponent(folder)}&port=${port}`;
  const sql = async (text: string, url = socketUrl): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null) server.kill("SIGINT");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await sql("SELECT 1");
      break;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) {
        await stop();
        throw new Error("the private PostgreSQL did not start", { cause: error });
      }
      await after(50);
    }
  }
  const url = `postgres://postgres:${superuserPassword}@localhost:${port}/postgres`;
  return { url, socketUrl, authority: join(folder, "server.crt"), sql, stop };
};

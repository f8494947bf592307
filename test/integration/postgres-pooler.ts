import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { reachablePrograms, unprivilegedUser } from "../stack/components/unprivileged.ts";
import { chooseFreePorts } from "../stack/ports.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";

export interface Pooler {
  /** The same address, through the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.once("connect", () => socket.destroy());
    socket.once("error", () => resolve(false));
  });

/** A real PgBouncer before the server at `url`, with at most `size` connections to each of its databases. */
export const startPooler = async (url: string, mode: "session" | "transaction", size: number): Promise<Pooler> => {
  const program = await findProgram("pgbouncer", progressToStderr);
  const { hostname, port, username, password } = new URL(url);
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), "dbgov-pooler-"));
  const [own] = await chooseFreePorts(1, new Set());
  const settings = join(folder, "pgbouncer.ini");
  await writeFile(
    settings,
    `[databases]\n* = host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}
[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${own}\nauth_type = any\npool_mode = ${mode}\ndefault_pool_size = ${size}
unix_socket_dir =\nlogfile =\nserver_lifetime = 3600\nquery_wait_timeout = 30\n`,
  );
  if (user !== undefined) for (const path of [folder, settings]) await chown(path, user.uid, user.gid);
  const folderOfProgram = await reachablePrograms(join(program, ".."));
  const running: ChildProcess = spawn(join(folderOfProgram, "pgbouncer"), ["-q", settings], { cwd: folder, stdio: "ignore", ...user });
  const ended = once(running, "exit");
  const stop = async (): Promise<void> => {
    if (running.exitCode === null && running.signalCode === null) running.kill("SIGINT");
    const hard = setTimeout(() => running.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(hard);
    await rm(folder, { recursive: true, force: true });
  };
  for (const until = Date.now() + 10_000; !(await answers(own!)); await after(20))
    if (Date.now() > until || running.exitCode !== null) {
      await stop();
      throw new Error("PgBouncer did not start");
    }
  return {
    through: (address) => {
      const changed = new URL(address);
      changed.hostname = "127.0.0.1";
      changed.port = String(own);
      return changed.href;
    },
    stop,
  };
};

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { closedAddress } from "./store-servers.ts";

interface OwnPeer extends AsyncDisposable {
  readonly name: string;
  readonly api: string;
}

/**
 * A kubo of the test's own, on loopback, that knows and looks for nobody. `settings` go into its configuration, by the path of each:
 * `{ "Routing.Type": "dhtserver" }`. Ends with the test, and its repository with it.
 */
export const ownPeer = async (settings: Readonly<Record<string, unknown>> = {}, ...daemonOptions: string[]): Promise<OwnPeer> => {
  const [api, swarm] = await Promise.all([closedAddress(), closedAddress()]);
  const repository = await mkdtemp(join(tmpdir(), "dbgov-kubo-"));
  const program = await findProgram("ipfs", progressToStderr);
  const env = { ...process.env, IPFS_PATH: repository, IPFS_TELEMETRY: "off" };
  await promisify(execFile)(program, ["init", "--profile=test", "--empty-repo"], { env });
  const path = join(repository, "config");
  const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const wanted = {
    "Addresses.API": `/ip4/127.0.0.1/tcp/${new URL(api).port}`,
    "Addresses.Gateway": [],
    "Addresses.Swarm": [`/ip4/127.0.0.1/tcp/${new URL(swarm).port}`],
    Bootstrap: [],
    "AutoConf.Enabled": false,
    "AutoTLS.Enabled": false,
    "Discovery.MDNS.Enabled": false,
    "DNS.Resolvers": {},
    "Ipns.DelegatedPublishers": [],
    "Routing.Type": "none",
    "Routing.DelegatedRouters": [],
    ...settings,
  };
  for (const [place, value] of Object.entries(wanted)) {
    const names = place.split(".");
    const last = names.pop()!;
    let at = config;
    for (const name of names) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[last] = value;
  }
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  const daemon = spawn(program, ["daemon", ...daemonOptions], { env, stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  daemon.stderr.on("data", (text: Buffer) => {
    complaints += text.toString();
  });
  const exited = once(daemon, "exit");
  const answers = (): Promise<boolean> =>
    fetch(`${api}/api/v0/id`, { method: "POST" }).then(
      () => true,
      () => false,
    );
  while (!(await answers())) {
    if (daemon.exitCode !== null) throw new Error(`kubo did not start: ${complaints}`);
    await pause(50);
  }
  return {
    name: `own-${new URL(api).port}`,
    api,
    [Symbol.asyncDispose]: async () => {
      daemon.kill("SIGKILL");
      await exited;
      await rm(repository, { recursive: true, force: true });
    },
  };
};

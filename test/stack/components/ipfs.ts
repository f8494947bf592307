import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Component, Place } from "../component.ts";
import type { Launch } from "../processes.ts";
import { findProgram } from "../programs.ts";
import { ask } from "./http.ts";

const peers = ["ipfs-1", "ipfs-2", "ipfs-3"] as const;

const apiOf = (place: Place, peer: string) => `http://127.0.0.1:${place.ports[`${peer}-api`]}`;
const call = (place: Place, peer: string, path: string) => ask(`${apiOf(place, peer)}/api/v0/${path}`, { method: "POST" });
const repositoryOf = (place: Place, peer: string) => join(place.folder, peer);

interface KuboConfig {
  Identity: { PeerID: string };
  [section: string]: unknown;
}

const configOf = async (place: Place, peer: string): Promise<KuboConfig> =>
  JSON.parse(await readFile(join(repositoryOf(place, peer), "config"), "utf8")) as KuboConfig;

const quiet = { IPFS_TELEMETRY: "off" };

const initialize = async (program: string, place: Place, peer: string): Promise<void> => {
  const repository = repositoryOf(place, peer);
  if (existsSync(repository)) return;
  const partial = `${repository}.partial`;
  await rm(partial, { recursive: true, force: true });
  await promisify(execFile)(program, ["init", "--profile=test", "--empty-repo"], { env: { ...process.env, ...quiet, IPFS_PATH: partial } });
  await rename(partial, repository);
};

const swarmAddress = (place: Place, peer: string) => `/ip4/127.0.0.1/tcp/${place.ports[`${peer}-swarm`]}`;

/** Each peer on its own ports of loopback, knowing the two others and nobody else. */
const configure = async (place: Place): Promise<void> => {
  const configs = await Promise.all(peers.map((peer) => configOf(place, peer)));
  await Promise.all(
    peers.map(async (peer, index) => {
      const others = peers.flatMap((other, at) =>
        at === index ? [] : [{ ID: configs[at]!.Identity.PeerID, Addrs: [swarmAddress(place, other)] }],
      );
      const config = {
        ...configs[index],
        Addresses: {
          ...(configs[index]!.Addresses as object),
          API: `/ip4/127.0.0.1/tcp/${place.ports[`${peer}-api`]}`,
          Gateway: `/ip4/127.0.0.1/tcp/${place.ports[`${peer}-gateway`]}`,
          Swarm: [swarmAddress(place, peer)],
        },
        Bootstrap: [],
        AutoConf: { Enabled: false },
        AutoTLS: { Enabled: false },
        Discovery: { MDNS: { Enabled: false } },
        DNS: { Resolvers: {} },
        Ipns: { DelegatedPublishers: [] },
        Peering: { Peers: others },
        // Three peers that are always connected find content by asking each other; a DHT has nothing to add.
        Routing: { Type: "none", DelegatedRouters: [] },
        Swarm: { DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false } },
      };
      await writeFile(join(repositoryOf(place, peer), "config"), JSON.stringify(config, null, 2), { mode: 0o600 });
    }),
  );
};

const connect = async (place: Place, from: string, to: { peer: string; id: string }): Promise<void> => {
  const address = `${swarmAddress(place, to.peer)}/p2p/${to.id}`;
  await (await call(place, from, `swarm/connect?arg=${encodeURIComponent(address)}`)).text();
};

/** Three IPFS nodes (kubo) that are connected to each other on loopback and to nobody else. */
export const ipfs: Component<{ name: string; api: string }[]> = {
  title: "IPFS, three peers (kubo)",
  ports: peers.flatMap((peer) => [`${peer}-api`, `${peer}-gateway`, `${peer}-swarm`]),
  setUp: async (progress) => {
    await findProgram("ipfs", progress);
  },
  prepare: async (place, progress) => {
    const program = await findProgram("ipfs", progress);
    await Promise.all(peers.map((peer) => initialize(program, place, peer)));
    await configure(place);
    const launches = peers.map((peer): [string, Launch] => [
      peer,
      { command: program, args: ["daemon"], cwd: place.folder, env: { ...quiet, IPFS_PATH: repositoryOf(place, peer) } },
    ]);
    return Object.fromEntries(launches);
  },
  check: async (place) => {
    const ids = await Promise.all(peers.map(async (peer) => ({ peer, id: (await configOf(place, peer)).Identity.PeerID })));
    for (const { peer } of ids) {
      const found = (await (await call(place, peer, "swarm/peers")).json()) as { Peers: { Peer: string }[] | null };
      const seen = new Set((found.Peers ?? []).map((entry) => entry.Peer));
      const unseen = ids.filter((other) => other.peer !== peer && !seen.has(other.id));
      await Promise.all(unseen.map((other) => connect(place, peer, other)));
      if (unseen.length > 0) throw new Error(`${peer} does not see ${unseen.map((other) => other.peer).join(" and ")} yet`);
    }
  },
  address: async (place) => peers.map((peer) => ({ name: peer, api: apiOf(place, peer) })),
  shown: (place, process) => (process === undefined ? peers.map((peer) => apiOf(place, peer)).join(", ") : apiOf(place, process)),
};

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
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
const call = (place: Place, peer: string, path: string, ms?: number) => ask(`${apiOf(place, peer)}/api/v0/${path}`, { method: "POST" }, ms);
const repositoryOf = (place: Place, peer: string) => join(place.folder, peer);

interface KuboConfig {
  Identity: { PeerID: string };
  [section: string]: unknown;
}

const configOf = async (place: Place, peer: string): Promise<KuboConfig> =>
  JSON.parse(await readFile(join(repositoryOf(place, peer), "config"), "utf8")) as KuboConfig;

/** Without the reuse of ports: two peers that dial each other from their listening ports at once can both take themselves for the caller. */
const environment = { IPFS_TELEMETRY: "off", LIBP2P_TCP_REUSEPORT: "false" };

const initialize = async (program: string, place: Place, peer: string): Promise<void> => {
  const repository = repositoryOf(place, peer);
  if (existsSync(repository)) return;
  const partial = `${repository}.partial`;
  await rm(partial, { recursive: true, force: true });
  await promisify(execFile)(program, ["init", "--profile=test", "--empty-repo"], {
    env: { ...process.env, ...environment, IPFS_PATH: partial },
  });
  await rename(partial, repository);
};

const swarmAddress = (place: Place, peer: string) => `/ip4/127.0.0.1/tcp/${place.ports[`${peer}-swarm`]}`;

/**
 * Each peer on its own ports of loopback, connected to the two others and to nobody else. The later peer dials the earlier one: of two
 * connections that are made at once one is closed again, and what is asked over it at that moment is never answered.
 */
const configure = async (place: Place): Promise<void> => {
  const configs = await Promise.all(peers.map((peer) => configOf(place, peer)));
  await Promise.all(
    peers.map(async (peer, index) => {
      const earlier = peers.slice(0, index).map((other, at) => ({ ID: configs[at]!.Identity.PeerID, Addrs: [swarmAddress(place, other)] }));
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
        Peering: { Peers: earlier },
        // Three peers that are always connected find content by asking each other; a DHT has nothing to add.
        Routing: { Type: "none", DelegatedRouters: [] },
        Swarm: { DisableNatPortMap: true, RelayClient: { Enabled: false }, RelayService: { Enabled: false } },
      };
      await writeFile(join(repositoryOf(place, peer), "config"), JSON.stringify(config, null, 2), { mode: 0o600 });
    }),
  );
};

interface PeerIdentity {
  readonly peer: string;
  readonly id: string;
}

const identitiesOf = (place: Place): Promise<PeerIdentity[]> =>
  Promise.all(peers.map(async (peer) => ({ peer, id: (await configOf(place, peer)).Identity.PeerID })));

/** Throws until `from` is connected to the peers before it. */
const connectToEarlier = async (place: Place, from: string, earlier: readonly PeerIdentity[]): Promise<void> => {
  const found = (await (await call(place, from, "swarm/peers")).json()) as { Peers: { Peer: string }[] | null };
  const seen = new Set((found.Peers ?? []).map((entry) => entry.Peer));
  const unseen = earlier.filter(({ id }) => !seen.has(id));
  for (const { peer, id } of unseen) {
    const address = `${swarmAddress(place, peer)}/p2p/${id}`;
    await (await call(place, from, `swarm/connect?arg=${encodeURIComponent(address)}`)).text();
  }
  if (unseen.length > 0) throw new Error(`${from} does not see ${unseen.map(({ peer }) => peer).join(" and ")} yet`);
};

/** On a busy machine a block may take a second; where it takes this long, none comes at all. */
const exchangeMs = 10_000;

/** A connection is no evidence that anything travels over it: a block that only `from` has must reach each of the others. */
const exchangeBlock = async (place: Place, from: PeerIdentity, others: readonly PeerIdentity[]): Promise<void> => {
  const body = new FormData();
  body.append("data", new Blob([randomBytes(32)]));
  const put = await ask(`${apiOf(place, from.peer)}/api/v0/block/put?cid-codec=raw`, { method: "POST", body });
  const { Key: cid } = (await put.json()) as { Key: string };
  try {
    for (const { peer } of others) {
      try {
        await (await call(place, peer, `block/get?arg=${cid}`, exchangeMs)).arrayBuffer();
      } catch (cause) {
        await (await call(place, peer, `swarm/disconnect?arg=${encodeURIComponent(`/p2p/${from.id}`)}`)).text();
        throw new Error(`${peer} gets no block from ${from.peer}; they are connected anew`, { cause });
      }
    }
  } finally {
    await Promise.all(peers.map(async (peer) => (await call(place, peer, `block/rm?arg=${cid}&force=true`)).text()));
  }
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
      { command: program, args: ["daemon"], cwd: place.folder, env: { ...environment, IPFS_PATH: repositoryOf(place, peer) } },
    ]);
    return Object.fromEntries(launches);
  },
  check: async (place) => {
    const identities = await identitiesOf(place);
    await Promise.all(identities.map(({ peer }, index) => connectToEarlier(place, peer, identities.slice(0, index))));
    for (const identity of identities) {
      await exchangeBlock(
        place,
        identity,
        identities.filter((other) => other !== identity),
      );
    }
  },
  address: async (place) => peers.map((peer) => ({ name: peer, api: apiOf(place, peer) })),
  shown: (place, process) => (process === undefined ? peers.map((peer) => apiOf(place, peer)).join(", ") : apiOf(place, process)),
};

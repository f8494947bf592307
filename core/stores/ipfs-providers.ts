import { CID } from "ipfs-http-client";
import { isFailure } from "../domain/failure.ts";
import { identityOf } from "./ipfs-connection.ts";
import { askPeer, type IpfsPeer } from "./ipfs-peer.ts";

/**
 * How far nodes that are not connected to these peers can find what they have: one sentence for each peer that is not found. A peer that takes part
 * in routing publishes provider records; whether one is there is asked of the other peers, about the object `cid` that all of them have.
 */
export const findability = async (
  peers: readonly IpfsPeer[],
  cid: string | undefined,
  ms: number,
  signal: AbortSignal,
): Promise<string[]> => {
  const states = await Promise.all(peers.map(async (peer) => ({ peer, ...(await look(peer, cid, ms, signal)) })));
  return states.flatMap(({ peer, id, routing }) => {
    const who = `peer "${peer.name}"`;
    if (routing === undefined) return [`${who} does not tell whether it publishes what it has`];
    if (routing === "none")
      return [`${who} publishes no provider records (Routing.Type none): only nodes that are connected to it find what it has`];
    if (cid === undefined) return [];
    const askers = states.filter((other) => other.peer !== peer && other.providers !== undefined);
    if (askers.length === 0)
      return [`whether others find ${who} is not known: no other peer of the store could be asked for its provider records`];
    if (askers.some(({ providers }) => providers?.has(id))) return [];
    return [`no provider record of ${cid} names ${who}: nodes that are not connected to it may not find what it has`];
  });
};

interface Look {
  readonly id: string;
  readonly routing: string | undefined;
  /** Who has the object, as this peer finds by routing; undefined where it cannot be asked. */
  readonly providers: ReadonlySet<string> | undefined;
}

const look = async (peer: IpfsPeer, cid: string | undefined, ms: number, signal: AbortSignal): Promise<Look> => {
  const { id } = await identityOf(peer, ms, signal);
  const ask = async <T>(doing: string, work: Parameters<typeof askPeer<T>>[4]): Promise<T | undefined> => {
    try {
      return await askPeer(peer, doing, ms, signal, work);
    } catch (error) {
      // A token may forbid the call, and a search may end in silence: that is a thing to tell, not a store that does not work.
      if (!isFailure(error)) throw error;
      return undefined;
    }
  };
  const routing = await ask("question for its routing", async (client, stop) => {
    const type = await client.config.get("Routing.Type", { signal: stop });
    return typeof type === "string" ? type : "auto";
  });
  const providers =
    cid === undefined || routing === undefined || routing === "none"
      ? undefined
      : await ask(`search for providers of ${cid}`, async (client, stop, progressed) => {
          const found = new Set<string>();
          for await (const event of client.routing.findProvs(CID.parse(cid), { signal: stop })) {
            progressed();
            if (event.name === "PROVIDER") for (const provider of event.providers) found.add(provider.id.toString());
          }
          return found;
        });
  return { id, routing, providers };
};

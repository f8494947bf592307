import { isFailure } from "../domain/failure.ts";
import { askPeer, type IpfsPeer } from "./ipfs-peer.ts";

export interface PeerIdentity {
  readonly id: string;
  /** Where others reach it, each with its id at the end: `/ip4/192.0.2.7/tcp/4001/p2p/12D3…`. */
  readonly addresses: readonly string[];
}

export const identityOf = (peer: IpfsPeer, ms: number, signal: AbortSignal): Promise<PeerIdentity> =>
  askPeer(peer, "question for its addresses", ms, signal, async (client, stop) => {
    const { id, addresses } = await client.id({ signal: stop });
    return { id: id.toString(), addresses: addresses.map(String) };
  });

/** Makes `peer` dial one node at any of its addresses. Whether it is connected then; one that may not be asked for that is not. */
export const connected = async (
  peer: IpfsPeer,
  to: string,
  addresses: readonly string[],
  ms: number,
  signal: AbortSignal,
): Promise<boolean> => {
  if (addresses.length === 0) return false;
  try {
    return await askPeer(peer, `connection to ${to}`, ms, signal, async (_, stop) => {
      // All addresses in one call are one dial; the client knows calls with one address only.
      await (await peer.post("swarm/connect", { arg: addresses }, stop)).text();
      return true;
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return false;
  }
};

/** Makes `peer` close its connection to the node `id`, if it has one: connecting is nothing to a node that believes it is connected. */
export const disconnect = async (peer: IpfsPeer, id: string, ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await askPeer(peer, `disconnection from ${id}`, ms, signal, async (_, stop) => {
      await (await peer.post("swarm/disconnect", { arg: `/p2p/${id}` }, stop)).text();
    });
  } catch (error) {
    // There may have been none; what follows says whether the two are connected.
    if (!isFailure(error)) throw error;
  }
};

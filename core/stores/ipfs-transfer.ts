import { CID } from "ipfs-http-client";
import { Failure, isFailure } from "../domain/failure.ts";
import { oneAtATime } from "./in-turn.ts";
import { connected, disconnect, identityOf } from "./ipfs-connection.ts";
import { askPeer, type IpfsPeer, linesOf } from "./ipfs-peer.ts";

/** For how long a peer that could not be served over the swarm gets its objects through this process, before the swarm is tried again. */
const detourMs = 10 * 60_000;

export interface Transfer {
  readonly from: IpfsPeer;
  readonly to: IpfsPeer;
  readonly cid: string;
  /** For texts. */
  readonly path: string;
}

/**
 * Gets objects from one peer to another, pinned. Over the swarm first. A peer that has stayed without a new block for
 * `swarmMs`, though asked, is told to connect to the other anew: a connection can be up and dead. If that does not help, the
 * blocks go through this process, so that one broken pair fails no put; the pair is left alone then for ten minutes.
 */
export const openTransfers = (silenceMs: number, swarmMs = silenceMs / 2): ((transfer: Transfer, signal: AbortSignal) => Promise<void>) => {
  const detourUntil = new Map<string, number>();
  const inTurn = oneAtATime();
  const lastTry = new Map<string, { readonly at: number; readonly connected: boolean }>();

  /** Objects that wait for the same pair share one reconnection: each with its own would cut off the others. */
  const reconnected = (pair: string, transfer: Transfer, since: number, signal: AbortSignal): Promise<boolean> =>
    inTurn(pair, signal, async () => {
      const last = lastTry.get(pair);
      if (last !== undefined && last.at > since) return last.connected;
      const connected = await reconnect(transfer, swarmMs, signal);
      lastTry.set(pair, { at: performance.now(), connected });
      return connected;
    });

  return async (transfer, signal) => {
    const pair = `${transfer.from.name} ${transfer.to.name}`;
    const since = performance.now();
    if (since >= (detourUntil.get(pair) ?? 0)) {
      if (await arrives(() => pinOverSwarm(transfer, swarmMs, signal))) return;
      if ((await reconnected(pair, transfer, since, signal)) && (await arrives(() => pinOverSwarm(transfer, swarmMs, signal)))) return;
      await copyThrough(transfer, silenceMs, signal);
      // From the last try, and not from the last object: a night of backups would never try the swarm again.
      detourUntil.set(pair, performance.now() + detourMs);
      return;
    }
    await copyThrough(transfer, silenceMs, signal);
  };
};

/** Whether it did; another way is left, so only what is no matter of reaching the peer ends here. */
const arrives = async (work: () => Promise<void>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isFailure(error, "StoreUnreachable")) throw error;
    return false;
  }
};

const pinOverSwarm = ({ to, cid, path }: Transfer, ms: number, signal: AbortSignal): Promise<void> => {
  const doing = `pinning of ${path}`;
  return askPeer(to, doing, ms, signal, async (_, stop, progressed) => {
    let blocks = 0;
    // The client cannot read the lines that tell of progress.
    for await (const line of linesOf<{ Pins?: string[]; Progress?: number }>(
      await to.post("pin/add", { arg: cid, recursive: "true", progress: "true" }, stop),
    )) {
      if (line.Pins !== undefined) return;
      // Kubo repeats the number twice a second, also when nothing comes any more.
      if ((line.Progress ?? 0) <= blocks) continue;
      blocks = line.Progress ?? 0;
      progressed();
    }
    throw new Failure("StoreUnreachable", `${to.where}: ${doing}: the answer ended before it was pinned`);
  });
};

/** Whether the two are connected again. A peer that does not tell its addresses is helped otherwise. */
const reconnect = async ({ from, to }: Transfer, ms: number, signal: AbortSignal): Promise<boolean> => {
  try {
    const { id, addresses } = await identityOf(from, ms, signal);
    await disconnect(to, id, ms, signal);
    return await connected(to, `peer "${from.name}"`, addresses, ms, signal);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return false;
  }
};

/**
 * The blocks themselves, as one archive (CAR) that streams from one peer's API to the other's. Kubo checks each against its hash
 * and pins the root, so the object has the same CID there, whatever the peer's own settings for adding are.
 */
const copyThrough = ({ from, to, cid, path }: Transfer, ms: number, signal: AbortSignal): Promise<void> =>
  askPeer(to, `copy of ${path} from peer "${from.name}"`, ms, signal, async (client, stop, progressed) => {
    const archive = from.client.dag.export(CID.parse(cid), { signal: stop });
    const roots: string[] = [];
    for await (const { root } of client.dag.import([passing(archive, progressed)], { pinRoots: true, signal: stop })) {
      if (root.pinErrorMsg) throw new Failure("StoreUnreachable", `${to.where}: ${path} arrived and could not be pinned`);
      roots.push(root.cid.toString());
    }
    if (!roots.includes(cid)) throw new Failure("ObjectCorrupt", `${to.where}: ${path} arrived under another CID than ${cid}`);
  });

async function* passing(blocks: AsyncIterable<Uint8Array>, progressed: () => void): AsyncGenerator<Uint8Array> {
  for await (const block of blocks) {
    yield block;
    progressed();
  }
}

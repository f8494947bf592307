import { CID } from "ipfs-http-client";
import type { StoreConfig } from "../config/schema.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { oneAtATime } from "./in-turn.ts";
import { connected, identityOf } from "./ipfs-connection.ts";
import { askPeer, type IpfsPeer, openPeer } from "./ipfs-peer.ts";
import { openPinningService } from "./ipfs-pinning-service.ts";
import { addBytes, entriesOf, lookUp, type Named, nameOn, removeFrom, sizeOfFolder, unpin } from "./ipfs-placement.ts";
import { findability } from "./ipfs-providers.ts";
import { openTransfers } from "./ipfs-transfer.ts";
import { checkKey, checkPrefix, folderOfPrefix } from "./keys.ts";
import { probeByWriting } from "./probe.ts";
import type { ByteRange, Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
import { checkStoredSize, collect, rangeWithin } from "./transfer.ts";

export const ipfsCapabilities: StoreCapabilities = {
  largestObject: Number.MAX_SAFE_INTEGER,
  rangedReads: true,
  deletion: "unpin",
  public: true,
  listing: "unordered",
  conditionalWrites: false,
  immutability: "none",
  minimumDays: 0,
  expires: "never",
  presence: "bytes read back from another peer and hashed; their hash is the CID",
  durableWhen: "every configured peer has pinned and named it",
};

/** Two repositories on the same peers need two folders. */
type IpfsConfig = Extract<StoreConfig, { kind: "ipfs" }>;

export const defaultIpfsFolder = "/dbgov";

/**
 * Kubo nodes that each pin every object. An object goes to the first peer that answers; the others fetch it from
 * there over the swarm. Each peer's own file tree (MFS) says which CID a key stands for. Reads ask the last peer
 * first, so that what comes back did travel. Does no I/O.
 */
export const openIpfsStore = (config: IpfsConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000 } = options;
  const { folder } = config;
  const peers = config.peers.map((peer) => openPeer(config.name, peer));
  const readers = peers.toReversed();
  const where = `store "${config.name}" (${peers.length} IPFS peers)`;
  const pathOf = (key: string): string => `${folder}/${key}`;
  const inTurn = oneAtATime();

  const transfer = openTransfers(silenceMs);
  const service = config.pinning === undefined ? undefined : openPinningService(config.name, config.pinning, silenceMs);

  /** Asks the service to keep it too: whether it accepts is part of a put, when it has fetched it is not (`settled`). */
  const keepAtService = async (from: IpfsPeer, path: string, cid: string, signal: AbortSignal): Promise<void> => {
    if (service === undefined) return;
    const { addresses } = await identityOf(from, silenceMs, signal);
    const delegates = await service.keep(path, cid, addresses, signal);
    // A courtesy: where this fails, the service still finds the peer by the addresses that it was told, or by its own means.
    for (const delegate of delegates) await connected(from, "the pinning service", [delegate], silenceMs, signal);
  };

  const addToFirst = async (key: string, bytes: Uint8Array, signal: AbortSignal): Promise<{ from: IpfsPeer; cid: string }> => {
    let failure: unknown;
    for (const peer of peers) {
      try {
        return { from: peer, cid: await addBytes(peer, key, bytes, silenceMs, signal) };
      } catch (error) {
        if (!isFailure(error, "StoreUnreachable")) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };

  const place = async (key: string, bytes: Uint8Array, signal: AbortSignal): Promise<string> => {
    const { from, cid } = await addToFirst(key, bytes, signal);
    const replaced = await everyPeer(peers, async (peer) => {
      if (peer !== from) await transfer({ from, to: peer, cid, path: pathOf(key) }, signal);
      const before = await nameOn(peer, pathOf(key), cid, silenceMs, signal);
      const stored = await lookUp(peer, pathOf(key), silenceMs, signal);
      // Another writer of the same name may have come after: then the size is theirs.
      if (stored === undefined || stored.cid === cid) checkStoredSize(`${peer.where}: ${key}`, stored?.bytes, bytes.length);
      return before;
    });
    await keepAtService(from, pathOf(key), cid, signal);
    // The old version goes last: until here, a reader of any peer finds one or the other.
    await everyPeer(peers, async (peer) => {
      const before = replaced[peers.indexOf(peer)];
      if (before !== undefined) await unpin(peer, before, silenceMs, signal);
    });
    return cid;
  };

  const read = (peer: IpfsPeer, key: string, named: Named, range: ByteRange | undefined, signal: AbortSignal): Promise<Uint8Array> => {
    const { offset, length } = rangeWithin(`${where}: ${key}`, named.bytes, range);
    if (length === 0) return Promise.resolve(new Uint8Array());
    return askPeer(peer, `get of ${key}`, silenceMs, signal, (client, stop, progressed) =>
      collect(`${peer.where}: ${key}`, client.cat(CID.parse(named.cid), { offset, length, signal: stop }), length, progressed),
    );
  };

  const store: Store = {
    name: config.name,
    kind: "ipfs",
    capabilities: ipfsCapabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      return { id: await inTurn(key, signal, () => place(key, bytes, signal)), bytes: bytes.length };
    },

    get: async (key, signal, range) => {
      checkKey(key);
      let named: Named | undefined;
      let failure: unknown;
      const nameless: IpfsPeer[] = [];
      for (const peer of readers) {
        try {
          const found = await lookUp(peer, pathOf(key), silenceMs, signal);
          if (found === undefined) {
            nameless.push(peer);
            continue;
          }
          named = found;
          return await read(peer, key, found, range, signal);
        } catch (error) {
          if (!isFailure(error, "StoreUnreachable")) throw error;
          failure ??= error;
        }
      }
      // A peer that lacks the name may still have the blocks, or find who has them.
      for (const peer of named === undefined ? [] : nameless) {
        try {
          return await read(peer, key, named!, range, signal);
        } catch (error) {
          if (!isFailure(error, "StoreUnreachable")) throw error;
        }
      }
      throw failure ?? new Failure("ObjectMissing", `${where}: there is no object ${key}`);
    },

    stat: async (key, signal) => {
      checkKey(key);
      const found = await everyPeer(peers, (peer) => lookUp(peer, pathOf(key), silenceMs, signal));
      const [first] = found;
      if (first === undefined || found.some((named) => named?.cid !== first.cid)) return undefined;
      if ((await service?.state(pathOf(key), first.cid, signal)) === "none") return undefined;
      return { key, bytes: first.bytes, receipt: first.cid };
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      const folders = [folderOfPrefix(prefix)];
      for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
        const path = at === "" ? folder : `${folder}/${at}`;
        const entries = await fromAnyPeer(readers, (peer) => entriesOf(peer, path, silenceMs, signal));
        for (const entry of new Map(entries.map((one) => [one.name, one])).values()) {
          const key = at === "" ? entry.name : `${at}/${entry.name}`;
          if (entry.folder) {
            if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) folders.push(key);
          } else if (key.startsWith(prefix)) {
            yield { key, bytes: entry.named.bytes, receipt: entry.named.cid } satisfies StoredObject;
          }
        }
      }
    },

    delete: async (key, signal) => {
      checkKey(key);
      await inTurn(key, signal, async () => {
        await service?.release(pathOf(key), signal);
        await everyPeer(peers, (peer) => removeFrom(peer, pathOf(key), silenceMs, signal));
      });
    },

    probe: (signal) => probeByWriting(store, signal),

    usage: async (signal) => ({ bytes: Math.max(...(await everyPeer(peers, (peer) => sizeOfFolder(peer, folder, silenceMs, signal)))) }),

    notices: async (signal) => {
      const [some] = await Array.fromAsync(firstOf(store.list("packs/", signal)));
      return findability(peers, some?.receipt, silenceMs, signal);
    },

    ...(service === undefined
      ? {}
      : {
          settled: async (key: string, signal: AbortSignal) => {
            checkKey(key);
            const named = await lookUp(peers[0]!, pathOf(key), silenceMs, signal);
            return named !== undefined && (await service.state(pathOf(key), named.cid, signal)) === "kept";
          },
        }),

    close: async () => {},
  };
  return store;
};

/** One at most; the rest is not asked for. */
async function* firstOf<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const one of source) {
    yield one;
    return;
  }
}

/** Waits for all, also after a failure: nothing goes on behind the caller's back. Throws the first peer's failure. */
const everyPeer = async <T>(peers: readonly IpfsPeer[], work: (peer: IpfsPeer) => Promise<T>): Promise<T[]> => {
  const results = await Promise.allSettled(peers.map(work));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
};

/** What the peers that answer know, together: one that was replaced by an empty one hides nothing. Throws when none answers. */
const fromAnyPeer = async <T>(peers: readonly IpfsPeer[], work: (peer: IpfsPeer) => Promise<T[]>): Promise<T[]> => {
  const results = await Promise.allSettled(peers.map(work));
  const answers = results.filter((result) => result.status === "fulfilled");
  const failures = results.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
  const final = failures.find((reason) => !isFailure(reason, "StoreUnreachable"));
  if (final !== undefined) throw final;
  if (answers.length === 0) throw failures[0];
  return answers.flatMap((result) => result.value);
};

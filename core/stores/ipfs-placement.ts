import { CID } from "ipfs-http-client";
import { askPeer, type IpfsPeer, kuboSays, noSuchName } from "./ipfs-peer.ts";

const sliceBytes = 256 << 10;

export interface Named {
  readonly cid: string;
  readonly bytes: number;
}

/** What `path` in the peer's file tree (MFS) names, or undefined. */
export const lookUp = (peer: IpfsPeer, path: string, ms: number, signal: AbortSignal): Promise<Named | undefined> =>
  askPeer(peer, `look-up of ${path}`, ms, signal, async (client, stop) => {
    // Replacing a name is an unlink and a link in Kubo: between them the name is away for an instant.
    for (let look = 1; ; look += 1) {
      try {
        const found = await client.files.stat(path, { signal: stop });
        return found.type === "file" ? { cid: found.cid.toString(), bytes: found.size } : undefined;
      } catch (error) {
        if (!kuboSays(error, noSuchName)) throw error;
        if (look === 2) return undefined;
      }
    }
  });

/** What the folder's objects take on the peer, with the blocks that hold them together; 0 when it does not exist. */
export const sizeOfFolder = (peer: IpfsPeer, folder: string, ms: number, signal: AbortSignal): Promise<number> =>
  askPeer(peer, `size of ${folder}`, ms, signal, async (client, stop) => {
    try {
      return (await client.files.stat(folder, { signal: stop })).cumulativeSize;
    } catch (error) {
      if (kuboSays(error, noSuchName)) return 0;
      throw error;
    }
  });

/** Gives the peer the bytes themselves, pinned. CID version 1 with raw leaves: the same bytes have the same CID everywhere. */
export const addBytes = (peer: IpfsPeer, name: string, bytes: Uint8Array, silenceMs: number, signal: AbortSignal): Promise<string> =>
  askPeer(peer, `put of ${name}`, silenceMs, signal, async (client, stop, progressed) => {
    const added = await client.add(slicesOf(bytes, progressed), { cidVersion: 1, rawLeaves: true, pin: true, signal: stop });
    return added.cid.toString();
  });

/** The connection takes the next slice when it has room for it: that is the progress of an upload. */
async function* slicesOf(bytes: Uint8Array, progressed: () => void): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += sliceBytes) {
    yield bytes.subarray(offset, offset + sliceBytes);
    progressed();
  }
}

/**
 * Names what the peer has pinned: a name never stands for what is not wholly there. Returns the CID that the name stood for
 * before, if it was another.
 */
export const nameOn = async (
  peer: IpfsPeer,
  path: string,
  cid: string,
  silenceMs: number,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const before = await lookUp(peer, path, silenceMs, signal);
  if (before?.cid === cid) return undefined;
  await askPeer(peer, `naming of ${path}`, silenceMs, signal, async (client, stop) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // `force` is newer than the client's types: it replaces a file of that name.
        const options = { parents: true, force: true, cidVersion: 1 as const, flush: true, signal: stop };
        return await client.files.cp(`/ipfs/${cid}`, path, options);
      } catch (error) {
        if (attempt === 5 || !kuboSays(error, /already has entry by that name/)) throw error;
      }
    }
  });
  return before?.cid;
};

/** Unpins; the peer's next garbage collection (`ipfs repo gc`, or its own) frees the space. */
export const unpin = (peer: IpfsPeer, cid: string, ms: number, signal: AbortSignal): Promise<void> =>
  askPeer(peer, `unpinning of ${cid}`, ms, signal, async (client, stop) => {
    try {
      await client.pin.rm(CID.parse(cid), { recursive: true, signal: stop });
    } catch (error) {
      if (!kuboSays(error, /not pinned/)) throw error;
    }
  });

/** Takes the name away and unpins what it stood for. Succeeds when there is none. */
export const removeFrom = async (peer: IpfsPeer, path: string, ms: number, signal: AbortSignal): Promise<void> => {
  const named = await lookUp(peer, path, ms, signal);
  if (named === undefined) return;
  await askPeer(peer, `removal of ${path}`, ms, signal, async (client, stop) => {
    try {
      await client.files.rm(path, { signal: stop });
    } catch (error) {
      if (!kuboSays(error, noSuchName)) throw error;
    }
  });
  await unpin(peer, named.cid, ms, signal);
};

export interface FolderEntry {
  readonly name: string;
  readonly folder: boolean;
  readonly named: Named;
}

/** The entries of a folder; none when it does not exist. Kubo gives a folder as a whole. */
export const entriesOf = (peer: IpfsPeer, path: string, ms: number, signal: AbortSignal): Promise<FolderEntry[]> =>
  askPeer(peer, `list of ${path}/`, ms, signal, async (client, stop, progressed) => {
    const entries: FolderEntry[] = [];
    try {
      for await (const { name, type, cid, size } of client.files.ls(path, { signal: stop })) {
        entries.push({ name, folder: type === "directory", named: { cid: cid.toString(), bytes: size } });
        progressed();
      }
    } catch (error) {
      if (!kuboSays(error, noSuchName)) throw error;
    }
    return entries;
  });

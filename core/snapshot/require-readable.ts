import { eachLimited } from "../domain/each-limited.ts";
import { Failure } from "../domain/failure.ts";
import type { Manifest } from "../repository/manifest.ts";
import { packKey } from "../repository/object-keys.ts";
import type { Store } from "../stores/store.ts";
import { fetchRange, fromAnyStore, type SnapshotAccess } from "./open-snapshot.ts";

const atOnce = 8;

/**
 * Refuses a snapshot that cannot be restored whole, before anything is written: every range is opened, and of every pack the
 * last byte that is needed is read. An envelope, a range or a pack that is missing, altered ranges and packs that were cut
 * off are found here; a flipped bit inside a pack only when it is read.
 */
export const requireReadable = async (
  manifest: Manifest,
  access: SnapshotAccess,
  stores: readonly Store[],
  onDamage: (store: Store, failure: Failure) => void,
  signal: AbortSignal,
): Promise<void> => {
  const ends = new Map<string, number>();
  const ranges = manifest.streams.flatMap((stream) => stream.ranges.map(({ id }) => ({ id, stream: stream.name })));
  await eachLimited(ranges, atOnce, async ({ id, stream }) => {
    const { chunks } = await naming(`a part of ${stream}`, () =>
      fromAnyStore(stores, (store) => fetchRange(access, id, store, signal), onDamage),
    );
    for (const { location } of chunks) {
      const { pack, offset, storedBytes } = location;
      ends.set(pack, Math.max(ends.get(pack) ?? 0, offset + storedBytes));
    }
  });
  await eachLimited([...ends], atOnce, async ([pack, end]) => {
    await fromAnyStore(stores, (store) => store.get(packKey(pack), signal, { offset: end - 1, length: 1 }), onDamage);
  });
};

const naming = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.type, `${error.message} (${what})`, { cause: error.cause }) : error;
  }
};

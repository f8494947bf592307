import type { Definition } from "../databases/engine.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { Manifest, ManifestStream } from "../repository/manifest.ts";
import { packKey } from "../repository/object-keys.ts";
import { readRange } from "../repository/read-range.ts";
import type { Store } from "../stores/store.ts";
import { openSource, type StoreSource } from "../stores/store-source.ts";
import { fetchManifest, fetchRange, fromAnyStore, isDamage, type SnapshotAccess } from "./open-snapshot.ts";
import { requireReadable } from "./require-readable.ts";

/** Where a snapshot is read from. Plain data, so that it crosses into job threads. */
export interface SnapshotSource {
  readonly access: SnapshotAccess;
  /** In the order in which they are tried. */
  readonly stores: readonly StoreSource[];
}

export type ManifestRange = ManifestStream["ranges"][number];

/** One snapshot, opened, read from the first good copy of each of its objects. */
export interface SnapshotReader {
  readonly manifest: Manifest;
  /** One sentence for each copy that was passed over because it was missing, altered or out of reach. */
  readonly damaged: ReadonlySet<string>;
  /** Refuses a snapshot of which these streams cannot be read whole, before anything is done with it. */
  requireReadable(streams: readonly ManifestStream[]): Promise<void>;
  /** All definition streams, whole. */
  definitions(): Promise<Definition[]>;
  /**
   * The content of ranges, one after another, each block the consumer's to keep. Where a copy turns out to be bad on the way, another
   * one goes on from the same byte. Throws when a range has not the size that the manifest says.
   */
  content(ranges: readonly ManifestRange[]): AsyncIterable<Uint8Array>;
}

/** Opens the snapshot, does the work, and closes the stores. */
export const withSnapshot = async <T>(
  { access, stores: sources }: SnapshotSource,
  signal: AbortSignal,
  work: (reader: SnapshotReader) => Promise<T>,
): Promise<T> => {
  const stores = await Promise.all(sources.map(openSource));
  const damaged = new Set<string>();
  const onDamage = (store: Store, failure: Failure): void => void damaged.add(`${store.name}: ${failure.message}`);
  const rangeContent = async function* (range: ManifestRange): AsyncIterable<Uint8Array> {
    let given = 0;
    let archived: Failure | undefined;
    for (const [at, store] of stores.entries()) {
      let skipped = 0;
      try {
        const opened = await fetchRange(access, range.id, store, signal);
        for await (const block of readRange(opened, (pack, part) => store.get(packKey(pack), signal, part))) {
          const known = Math.min(given - skipped, block.length);
          skipped += known;
          if (known === block.length) continue;
          yield block.subarray(known);
          given += block.length - known;
          skipped = given;
        }
        break;
      } catch (error) {
        if (!isDamage(error)) throw error;
        onDamage(store, error);
        if (isFailure(error, "ObjectArchived")) archived ??= error;
        if (at === stores.length - 1) throw archived ?? error;
      }
    }
    if (given !== range.bytes)
      throw new Failure("ObjectCorrupt", `range ${range.id} gave ${given} bytes, the manifest says ${range.bytes}`);
  };
  const content = async function* (ranges: readonly ManifestRange[]): AsyncIterable<Uint8Array> {
    for (const range of ranges) yield* rangeContent(range);
  };
  try {
    const manifest = await fromAnyStore(stores, (store) => fetchManifest(access, store, signal), onDamage);
    return await work({
      manifest,
      damaged,
      requireReadable: (streams) => requireReadable({ ...manifest, streams }, access, stores, onDamage, signal),
      definitions: async () => {
        const definitions: Definition[] = [];
        for (const { name, target, ranges } of manifest.streams.filter(({ kind }) => kind === "definition")) {
          const blocks: Uint8Array[] = [];
          for await (const block of content(ranges)) blocks.push(Uint8Array.from(block));
          definitions.push({ name, target, content: Buffer.concat(blocks) });
        }
        return definitions;
      },
      content,
    });
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
};

import type { Framing, RowDigest } from "../domain/snapshot.ts";
import type { RepositoryKeys } from "./keys.ts";
import { packTargetBytes } from "./pack-layout.ts";
import { openPackQueue } from "./pack-queue.ts";
import { createRangeWriter } from "./range-writer.ts";
import type { RepositoryConfig } from "./repository-config.ts";

/** Where a sealed chunk lies. `pack` is empty while its pack is not sealed yet; `flush` seals it. */
export interface ChunkLocation {
  readonly pack: string;
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** What is known of chunks already stored. Called with batches of up to 256 ids of 32 bytes; answers in the same order. */
export interface ChunkIndex {
  lookup(ids: readonly Uint8Array[]): Promise<readonly (ChunkLocation | undefined)[]>;
}

/** A finished pack. `bytes` belongs to the sink until its `write` resolves; then the writer uses the memory again, unless it was transferred. */
export interface SealedPack {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** Merkle root over 64 KiB blocks of `bytes`, hex. */
  readonly root: string;
  readonly chunks: readonly PackedChunk[];
}

export interface PackedChunk {
  readonly id: Uint8Array;
  readonly offset: number;
  readonly storedBytes: number;
  readonly plainBytes: number;
}

/** `write` resolves when the pack is durable, and the index knows it. */
export interface PackSink {
  write(pack: SealedPack): Promise<void>;
}

export interface ChunkRef {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly location: ChunkLocation;
}

/** What a part became. To be sealed (`sealRange`) only after a `flush` that followed `finish`. */
export interface RangeDraft {
  readonly digest: RowDigest;
  readonly chunks: readonly ChunkRef[];
}

export interface RangeWriter {
  /** Takes a block. When there is a promise, await it before the next call, and before using the block's memory again. */
  write(block: Uint8Array): Promise<void> | undefined;
  finish(): Promise<RangeDraft>;
}

/** Bytes. `read`: of content; `new`: of chunks that were not known before; `stored`: of packs written. */
export interface CaptureCounts {
  readonly read: number;
  readonly new: number;
  readonly stored: number;
}

export interface CaptureWriter {
  /** Ranges may be written one after the other or at the same time. */
  beginRange(framing: Framing): RangeWriter;
  /** Seals the pack in the making and waits until every pack is durable. */
  flush(): Promise<void>;
  counts(): CaptureCounts;
}

export interface CaptureWriterOptions {
  readonly keys: RepositoryKeys;
  /** From `digestKeyOf(keys.dedupSecret)`. */
  readonly digestKey: Uint8Array;
  readonly config: RepositoryConfig;
  readonly index: ChunkIndex;
  readonly sink: PackSink;
  /** Bytes. @default 16 MiB; smaller ones make many packs of little data, as tests want. */
  readonly packBytes?: number;
}

/**
 * Turns streams of plaintext into sealed packs and range drafts. One per thread: it is limited by the processor. Memory: two
 * packs and two staging buffers per open range, whatever the amount of data. After an error of the index or the sink
 * every further call rejects with it.
 */
export const openCaptureWriter = (options: CaptureWriterOptions): CaptureWriter => {
  const { keys, config, sink } = options;
  const counts = { read: 0, new: 0, stored: 0 };
  const packs = openPackQueue({
    keys,
    sink,
    packBytes: options.packBytes ?? packTargetBytes,
    largestChunk: config.chunking.max * 2,
    onSealed: (bytes) => {
      counts.stored += bytes;
    },
  });
  return {
    beginRange: (framing) => createRangeWriter(framing, options, packs, counts),
    flush: packs.flush,
    counts: () => ({ ...counts }),
  };
};

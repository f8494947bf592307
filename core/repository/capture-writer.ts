import type { Framing, RowDigest } from "../domain/snapshot.ts";
import type { RepositoryKeys } from "./keys.ts";
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
  /** Takes a block; the caller may use its memory again at once. A promise, when there is one, must be awaited before the next call. */
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
}

export const openCaptureWriter = (_options: CaptureWriterOptions): CaptureWriter => {
  throw new Error("being written");
};

import type { ChunkLocation, ChunkRef, RangeDraft } from "./capture-writer.ts";
import type { Envelope } from "./envelopes.ts";
import type { Recipient, RepositoryKeys } from "./keys.ts";

export interface SealedRange {
  /** SHA-256 of `bytes`, hex. */
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly envelopes: Envelope[];
  /** Ids of the packs that it refers to, sorted. */
  readonly packs: string[];
}

/** What a holder of the index key reads of a range. */
export interface RangeIndex {
  readonly chunks: readonly { readonly id: Uint8Array; readonly location: ChunkLocation }[];
  readonly packs: readonly string[];
}

export interface OpenRange {
  readonly chunks: readonly ChunkRef[];
}

export const sealRange = async (
  _draft: RangeDraft,
  _options: { readonly recipients: readonly Recipient[]; readonly keys: RepositoryKeys },
): Promise<SealedRange> => {
  throw new Error("being written");
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. */
export const openRangeIndex = (_bytes: Uint8Array, _indexKey: Uint8Array): RangeIndex => {
  throw new Error("being written");
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. */
export const openRange = (_bytes: Uint8Array, _rangeKey: Uint8Array): OpenRange => {
  throw new Error("being written");
};

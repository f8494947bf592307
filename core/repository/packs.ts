import type { PackedChunk } from "./capture-writer.ts";

/** What a pack holds, from its sealed directory. Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. */
export const openPackDirectory = (_bytes: Uint8Array, _indexKey: Uint8Array): readonly PackedChunk[] => {
  throw new Error("being written");
};

/** Throws `ObjectCorrupt` when `id` is not SHA-256 of `bytes`. */
export const verifyPack = (_bytes: Uint8Array, _id: string): void => {
  throw new Error("being written");
};

/** Merkle root over blocks of 64 KiB, hex. */
export const packRoot = (_bytes: Uint8Array): string => {
  throw new Error("being written");
};

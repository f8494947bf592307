import { hash } from "node:crypto";
import type { ChunkLocation, PackedChunk, SealedPack } from "./capture-writer.ts";
import type { ChunkSecrets } from "./chunk-secrets.ts";
import { packHeadBytes, packMagic } from "./pack-layout.ts";
import { packEndBytes, packRoot, sealPackEnd } from "./packs.ts";
import { formatVersion } from "./repository-config.ts";
import { chunkOverhead, sealChunkInto } from "./sealed-chunk.ts";

/** A location whose pack gets its name when it is sealed. */
type OpenLocation = { -readonly [K in keyof ChunkLocation]: ChunkLocation[K] };

/** A pack in the making, in memory of fixed size. */
export interface PackBuilder {
  readonly chunks: number;
  /** Whether a chunk of so many bytes, compressed if it is, still fits. One always fits into an empty pack. */
  fits(bytes: number): boolean;
  add(secrets: ChunkSecrets, content: Uint8Array, compressed: Uint8Array | undefined): ChunkLocation;
  /** Of a chunk in this pack, by its id as `Buffer.toString("latin1")`. */
  find(id: string): ChunkLocation | undefined;
  seal(): SealedPack;
}

/** The memory that a builder needs: one chunk always fits, however large. */
export const packMemoryBytes = (targetBytes: number, largestChunk: number): number =>
  Math.max(targetBytes, packHeadBytes + largestChunk + chunkOverhead + packEndBytes(1));

export const createPackBuilder = (memory: Uint8Array, indexKey: Uint8Array, targetBytes: number): PackBuilder => {
  const locations = new Map<string, OpenLocation>();
  const chunks: PackedChunk[] = [];
  const head = Buffer.alloc(packHeadBytes);
  head.set(packMagic);
  head.writeUInt32LE(formatVersion, 8);
  memory.set(head);
  let end = packHeadBytes;
  return {
    get chunks() {
      return chunks.length;
    },
    fits: (bytes) => chunks.length === 0 || end + bytes + chunkOverhead + packEndBytes(chunks.length + 1) <= targetBytes,
    add: (secrets, content, compressed) => {
      const offset = end;
      end = sealChunkInto(memory, offset, secrets, content, compressed);
      const placed = { offset, storedBytes: end - offset, plainBytes: content.length };
      const location: OpenLocation = { pack: "", ...placed };
      locations.set(latin1(secrets.id), location);
      chunks.push({ id: secrets.id, ...placed });
      return location;
    },
    find: (id) => locations.get(id),
    seal: () => {
      const tail = sealPackEnd(chunks, end, indexKey);
      memory.set(tail, end);
      const bytes = memory.subarray(0, end + tail.length);
      const id = hash("sha256", bytes, "hex");
      for (const location of locations.values()) location.pack = id;
      return { id, bytes, root: packRoot(bytes), chunks };
    },
  };
};

export const latin1 = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");

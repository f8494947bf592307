import { zstdDecompressSync } from "node:zlib";
import { sealInto, sealOverhead, unseal } from "./sealing.ts";
import { dropMemory } from "./spare-memory.ts";

/** In front of the content inside the sealed chunk: how it is stored. */
const plainFlag = Uint8Array.of(0);
const zstdFlag = Uint8Array.of(1);

/** The most that sealing adds to a chunk's content. */
export const chunkOverhead = sealOverhead + 1;

const aadLabel = Buffer.from("dbgov-1/chunk\0", "utf8");
const aad = Buffer.concat([aadLabel, Buffer.alloc(32)]);
const aadOf = (id: Uint8Array): Uint8Array => {
  aad.set(id, aadLabel.length);
  return aad;
};

/** Seals a chunk's content into `out` at `offset`: as `compressed` if there is that, else as it is. Returns the end. */
export const sealChunkInto = (
  out: Uint8Array,
  offset: number,
  secrets: { readonly id: Uint8Array; readonly key: Uint8Array },
  content: Uint8Array,
  compressed: Uint8Array | undefined,
): number =>
  sealInto(out, offset, secrets.key, aadOf(secrets.id), compressed === undefined ? [plainFlag, content] : [zstdFlag, compressed]);

/** The content (of `plainBytes`), or undefined when anything is not what was sealed under this id and key. */
export const openChunk = (sealed: Uint8Array, id: Uint8Array, key: Uint8Array, plainBytes: number): Uint8Array | undefined => {
  const plain = unseal(key, aadOf(id), sealed);
  if (plain === undefined) return undefined;
  const content = plain.subarray(1);
  if (plain[0] === plainFlag[0]) return content.length === plainBytes ? content : undefined;
  if (plain[0] !== zstdFlag[0]) return undefined;
  try {
    const bytes = zstdDecompressSync(content, { chunkSize: Math.max(plainBytes, 64), maxOutputLength: Math.max(plainBytes, 1) });
    dropMemory(plain);
    return bytes.length === plainBytes ? bytes : undefined;
  } catch {
    return undefined;
  }
};

import { hash } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import type { PackedChunk } from "./capture-writer.ts";
import { deriveKey } from "./derive.ts";
import { leafHash, merklePath, merkleRoot, rootFromPath } from "./merkle.ts";
import {
  packBlockBytes,
  packEndMagic,
  packHeadBytes,
  packLimitBytes,
  packMagic,
  packRecordBytes,
  packTrailerBytes,
} from "./pack-layout.ts";
import { refuseNewer } from "./repository-config.ts";
import { seal, sealOverhead, unseal } from "./sealing.ts";

const directoryAad = Buffer.from("dbgov-1/pack-directory\0", "utf8");
const directoryKey = (indexKey: Uint8Array): Uint8Array => deriveKey("dbgov-1/pack-directory", indexKey);

/** A view of `bytes` with Buffer's readers. */
const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Throws `ObjectCorrupt` when `id` is not SHA-256 of `bytes`. */
export const verifyPack = (bytes: Uint8Array, id: string): void => {
  if (hash("sha256", bytes, "hex") !== id) {
    throw new Failure("ObjectCorrupt", `pack ${id} (${bytes.length} bytes) is not the bytes that were written: its SHA-256 differs`);
  }
};

/** The leaves of a pack's Merkle tree: the hashes of its blocks of 64 KiB, of which the last may be shorter. */
export const packBlockHashes = (bytes: Uint8Array): Buffer[] => {
  const leaves: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += packBlockBytes) leaves.push(leafHash(bytes.subarray(from, from + packBlockBytes)));
  return leaves;
};

/** RFC 6962 Merkle root over blocks of 64 KiB (the last may be shorter), hex. */
export const packRoot = (bytes: Uint8Array): string => merkleRoot(packBlockHashes(bytes)).toString("hex");

/** The audit path of one 64 KiB block, hex, for a reader that has the whole pack. */
export const packBlockProof = (bytes: Uint8Array, block: number): string[] =>
  merklePath(packBlockHashes(bytes), block).map((node) => node.toString("hex"));

/** Whether `content` is block number `block` of the pack of `packBytes` bytes with this root. */
export const verifyPackBlock = (root: string, packBytes: number, block: number, content: Uint8Array, proof: readonly string[]): boolean => {
  const count = Math.ceil(packBytes / packBlockBytes);
  const length = Math.min(packBlockBytes, packBytes - block * packBlockBytes);
  const path = proof.map((node) => Buffer.from(node, "hex"));
  if (content.length !== length || path.some((node) => node.length !== 32)) return false;
  return rootFromPath(leafHash(content), block, count, path)?.toString("hex") === root;
};

/** Directory and trailer of a pack whose chunks end at `offset`. */
export const sealPackEnd = (chunks: readonly PackedChunk[], offset: number, indexKey: Uint8Array): Buffer => {
  const records = Buffer.alloc(chunks.length * packRecordBytes);
  chunks.forEach((chunk, n) => {
    records.set(chunk.id, n * packRecordBytes);
    [chunk.offset, chunk.storedBytes, chunk.plainBytes].forEach((value, field) => {
      records.writeUInt32LE(value, n * packRecordBytes + 32 + field * 4);
    });
  });
  const directory = seal(directoryKey(indexKey), directoryAad, records);
  const trailer = Buffer.alloc(packTrailerBytes);
  trailer.set(hash("sha256", directory, "buffer"), 0);
  [offset, directory.length, 1, 0].forEach((value, field) => {
    trailer.writeUInt32LE(value, 32 + field * 4);
  });
  trailer.set(packEndMagic, 48);
  return Buffer.concat([directory, trailer]);
};

/** The most bytes that `sealPackEnd` makes of this many chunks. */
export const packEndBytes = (chunks: number): number => chunks * packRecordBytes + sealOverhead + packTrailerBytes;

interface Trailer {
  readonly offset: number;
  readonly length: number;
  readonly checksum: Uint8Array;
}

const readTrailer = (trailer: Buffer, packBytes: number, what: string): Trailer => {
  if (trailer.length !== packTrailerBytes || !trailer.subarray(48).equals(packEndMagic)) {
    throw new Failure("ObjectCorrupt", `${what} (${packBytes} bytes) is cut off or altered: it has no trailer`);
  }
  refuseNewer(trailer.readUInt32LE(40), what);
  const offset = trailer.readUInt32LE(32);
  const length = trailer.readUInt32LE(36);
  if (
    trailer.readUInt32LE(44) !== 0 ||
    packBytes > packLimitBytes ||
    offset < packHeadBytes ||
    offset + length + packTrailerBytes !== packBytes
  ) {
    throw new Failure("ObjectCorrupt", `${what} (${packBytes} bytes) is cut off or altered: its trailer does not fit it`);
  }
  return { offset, length, checksum: trailer.subarray(0, 32) };
};

const parseDirectory = (sealed: Uint8Array, trailer: Trailer, indexKey: Uint8Array, what: string): PackedChunk[] => {
  if (!hash("sha256", sealed, "buffer").equals(trailer.checksum)) {
    throw new Failure("ObjectCorrupt", `the directory of ${what} at offset ${trailer.offset} was altered`);
  }
  const records = unseal(directoryKey(indexKey), directoryAad, sealed);
  if (records === undefined) throw new Failure("WrongKey", `the directory of ${what} does not open with this index key`);
  const chunks: PackedChunk[] = [];
  for (let at = 0; at + packRecordBytes <= records.length; at += packRecordBytes) {
    const [offset, storedBytes, plainBytes] = [32, 36, 40].map((field) => records.readUInt32LE(at + field)) as [number, number, number];
    chunks.push({ id: new Uint8Array(records.subarray(at, at + 32)), offset, storedBytes, plainBytes });
  }
  return chunks;
};

/** What a pack holds, from its sealed directory. Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. Does not hash the pack. */
export const openPackDirectory = (bytes: Uint8Array, indexKey: Uint8Array, id?: string): readonly PackedChunk[] => {
  const what = id === undefined ? "a pack" : `pack ${id}`;
  const pack = view(bytes);
  if (pack.length < packHeadBytes + packTrailerBytes || !pack.subarray(0, 8).equals(packMagic)) {
    throw new Failure("ObjectCorrupt", `${what} (${pack.length} bytes) is cut off or not a pack`);
  }
  refuseNewer(pack.readUInt32LE(8), what);
  if (pack.readUInt32LE(12) !== 0) throw new Failure("ObjectCorrupt", `the head of ${what} was altered`);
  const trailer = readTrailer(pack.subarray(pack.length - packTrailerBytes), pack.length, what);
  return parseDirectory(pack.subarray(trailer.offset, trailer.offset + trailer.length), trailer, indexKey, what);
};

/** The same with two ranged reads, for a pack of `packBytes` that stays in its store. */
export const readPackDirectory = async (
  read: (range: { readonly offset: number; readonly length: number }) => Promise<Uint8Array>,
  packBytes: number,
  indexKey: Uint8Array,
  id: string,
): Promise<readonly PackedChunk[]> => {
  const what = `pack ${id}`;
  if (packBytes < packHeadBytes + packTrailerBytes) throw new Failure("ObjectCorrupt", `${what} (${packBytes} bytes) is cut off`);
  const end = view(await read({ offset: packBytes - packTrailerBytes, length: packTrailerBytes }));
  const trailer = readTrailer(end, packBytes, what);
  return parseDirectory(await read({ offset: trailer.offset, length: trailer.length }), trailer, indexKey, what);
};

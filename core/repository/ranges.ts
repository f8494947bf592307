import { hash, randomBytes } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import type { ChunkLocation, ChunkRef, RangeDraft } from "./capture-writer.ts";
import { deriveKey } from "./derive.ts";
import { type Envelope, wrapKey } from "./envelopes.ts";
import type { Recipient, RepositoryKeys } from "./keys.ts";
import { bodyRecordBytes, rangeChecksumBytes, rangeHeadBytes, rangeMagic, refRecordBytes } from "./range-layout.ts";
import { formatVersion, refuseNewer } from "./repository-config.ts";
import { seal, sealOverhead, unseal } from "./sealing.ts";

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
  /** In the order of the content. Locations are hints: the directory of a pack decides. */
  readonly chunks: readonly ChunkRef[];
}

const refsKey = (indexKey: Uint8Array): Uint8Array => deriveKey("dbgov-1/range-refs", indexKey);
const refsAad = (head: Uint8Array): Buffer => Buffer.concat([Buffer.from("dbgov-1/range-refs\0", "utf8"), head]);
/** Binds the body to the very refs that lie before it. */
const bodyAad = (head: Uint8Array, refs: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from("dbgov-1/range-body\0", "utf8"), head, hash("sha256", refs, "buffer")]);

const encode = (draft: RangeDraft, packs: readonly string[], withKeys: boolean): Buffer => {
  const recordBytes = withKeys ? bodyRecordBytes : refRecordBytes;
  const numbers = new Map(packs.map((pack, n) => [pack, n]));
  const out = Buffer.alloc(4 + packs.length * 32 + draft.chunks.length * recordBytes);
  out.writeUInt32LE(packs.length, 0);
  packs.forEach((pack, n) => {
    out.write(pack, 4 + n * 32, "hex");
  });
  let at = 4 + packs.length * 32;
  for (const { id, key, location } of draft.chunks) {
    out.set(id, at);
    if (withKeys) out.set(key, at + 32);
    at += recordBytes;
    out.writeUInt32LE(numbers.get(location.pack)!, at - 16);
    out.writeUInt32LE(location.offset, at - 12);
    out.writeUInt32LE(location.storedBytes, at - 8);
    out.writeUInt32LE(location.plainBytes, at - 4);
  }
  return out;
};

/** The range object of a draft, and its key's envelopes. Throws `Unexpected` when the draft's packs were not flushed before. */
export const sealRange = async (
  draft: RangeDraft,
  { recipients, keys }: { readonly recipients: readonly Recipient[]; readonly keys: RepositoryKeys },
): Promise<SealedRange> => {
  const packs = [...new Set(draft.chunks.map((chunk) => chunk.location.pack))].sort();
  if (packs.includes("")) throw new Failure("Unexpected", "a range was sealed before the packs that it refers to");
  const refs = encode(draft, packs, false);
  const body = encode(draft, packs, true);
  const head = Buffer.alloc(rangeHeadBytes);
  head.set(rangeMagic);
  [formatVersion, refs.length + sealOverhead, body.length + sealOverhead].forEach((value, field) => {
    head.writeUInt32LE(value, 8 + field * 4);
  });
  const rangeKey = randomBytes(32);
  const sealedRefs = seal(refsKey(keys.indexKey), refsAad(head), refs);
  const sealedBody = seal(rangeKey, bodyAad(head, sealedRefs), body);
  const content = Buffer.concat([head, sealedRefs, sealedBody]);
  const bytes = new Uint8Array(Buffer.concat([content, hash("sha256", content, "buffer")]));
  const id = hash("sha256", bytes, "hex");
  const envelopes = await wrapKey("range", id, rangeKey, recipients);
  rangeKey.fill(0);
  body.fill(0);
  return { id, bytes, envelopes, packs };
};

/** Throws `ObjectCorrupt` when `id` is not SHA-256 of `bytes`. */
export const verifyRange = (bytes: Uint8Array, id: string): void => {
  if (hash("sha256", bytes, "hex") !== id) {
    throw new Failure("ObjectCorrupt", `range ${id} (${bytes.length} bytes) is not the bytes that were written: its SHA-256 differs`);
  }
};

const sections = (bytes: Uint8Array): { head: Buffer; refs: Buffer; body: Buffer; what: string } => {
  const range = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const what = `range ${hash("sha256", range, "hex")} (${range.length} bytes)`;
  if (range.length < rangeHeadBytes + rangeChecksumBytes || !range.subarray(0, 8).equals(rangeMagic)) {
    throw new Failure("ObjectCorrupt", `${what} is cut off or not a range`);
  }
  refuseNewer(range.readUInt32LE(8), what);
  const [refsBytes, bodyBytes] = [range.readUInt32LE(12), range.readUInt32LE(16)];
  const end = rangeHeadBytes + refsBytes + bodyBytes;
  if (end + rangeChecksumBytes !== range.length || !hash("sha256", range.subarray(0, end), "buffer").equals(range.subarray(end))) {
    throw new Failure("ObjectCorrupt", `${what} is cut off or altered`);
  }
  const middle = rangeHeadBytes + refsBytes;
  return { head: range.subarray(0, rangeHeadBytes), refs: range.subarray(rangeHeadBytes, middle), body: range.subarray(middle, end), what };
};

const decode = (plain: Buffer, withKeys: boolean, what: string): { packs: string[]; chunks: ChunkRef[] } => {
  const malformed = () => new Failure("ObjectCorrupt", `${what} opens, but does not hold what a range holds`);
  const recordBytes = withKeys ? bodyRecordBytes : refRecordBytes;
  if (plain.length < 4) throw malformed();
  const packCount = plain.readUInt32LE(0);
  const first = 4 + packCount * 32;
  if (first > plain.length || (plain.length - first) % recordBytes !== 0) throw malformed();
  const packs = Array.from({ length: packCount }, (_, n) => plain.toString("hex", 4 + n * 32, 36 + n * 32));
  const chunks: ChunkRef[] = [];
  for (let at = first; at < plain.length; at += recordBytes) {
    const end = at + recordBytes;
    const pack = packs[plain.readUInt32LE(end - 16)];
    if (pack === undefined) throw malformed();
    chunks.push({
      id: new Uint8Array(plain.subarray(at, at + 32)),
      key: new Uint8Array(plain.subarray(at + 32, at + (withKeys ? 64 : 32))),
      location: {
        pack,
        offset: plain.readUInt32LE(end - 12),
        storedBytes: plain.readUInt32LE(end - 8),
        plainBytes: plain.readUInt32LE(end - 4),
      },
    });
  }
  return { packs, chunks };
};

/** What retention and an index read. Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. */
export const openRangeIndex = (bytes: Uint8Array, indexKey: Uint8Array): RangeIndex => {
  const { head, refs, what } = sections(bytes);
  const plain = unseal(refsKey(indexKey), refsAad(head), refs);
  if (plain === undefined) throw new Failure("WrongKey", `${what} does not open with this index key`);
  const { packs, chunks } = decode(plain, false, what);
  return { packs, chunks: chunks.map(({ id, location }) => ({ id, location })) };
};

/** Throws `WrongKey`, `ObjectCorrupt`, `FormatUnsupported`. */
export const openRange = (bytes: Uint8Array, rangeKey: Uint8Array): OpenRange => {
  const { head, refs, body, what } = sections(bytes);
  const plain = unseal(rangeKey, bodyAad(head, refs), body);
  if (plain === undefined) throw new Failure("WrongKey", `${what} does not open with the key of its envelope`);
  return { chunks: decode(plain, true, what).chunks };
};

import { hash } from "node:crypto";
import { Failure } from "../domain/failure.ts";
import { encodeParity, rebuildStripe } from "./reed-solomon.ts";
import { refuseNewer } from "./repository-config.ts";

/**
 * A parity piece, byte by byte (`docs/format.md`, "Parity"; all integers little-endian):
 *   "DBGVPRTY" | version u32, packs u32, pieces u32, number of this piece u32, bytes of parity u32, zero u32 |
 *   of each pack: id 32, bytes u32 | parity.
 */
const magic = Buffer.from("DBGVPRTY", "latin1");
const headBytes = 32;
const memberBytes = 36;

export interface ParityMember {
  /** A pack's id, 64 hex digits. */
  readonly id: string;
  readonly bytes: number;
}

export interface ParityGroup {
  /** In the order in which they were encoded. */
  readonly packs: readonly ParityMember[];
  /** How many pieces there are. */
  readonly pieces: number;
}

/** Reads part of an object. What lies behind its end is zero. */
export type ReadPart = (offset: number, length: number) => Promise<Uint8Array>;

/** So much of each pack is in memory at once. */
const stripeBytes = 1024 * 1024;

const shardBytes = ({ packs }: ParityGroup): number => Math.max(...packs.map(({ bytes }) => bytes));
const offsetOfParity = ({ packs }: ParityGroup): number => headBytes + packs.length * memberBytes;

const sealHead = (group: ParityGroup, piece: number): Buffer => {
  const head = Buffer.alloc(offsetOfParity(group));
  head.set(magic, 0);
  [1, group.packs.length, group.pieces, piece, shardBytes(group), 0].forEach((value, field) => {
    head.writeUInt32LE(value, 8 + field * 4);
  });
  group.packs.forEach(({ id, bytes }, at) => {
    head.set(Buffer.from(id, "hex"), headBytes + at * memberBytes);
    head.writeUInt32LE(bytes, headBytes + at * memberBytes + 32);
  });
  return head;
};

export interface ParityPiece {
  /** SHA-256 of its bytes, which names it. */
  readonly id: string;
  readonly content: Uint8Array;
}

/** Every piece of a group; `read` has one way to read for each pack. In memory: the pieces, and a stripe of each pack. */
export const makeParity = async (group: ParityGroup, read: readonly ReadPart[]): Promise<ParityPiece[]> => {
  const [length, start] = [shardBytes(group), offsetOfParity(group)];
  const contents = Array.from({ length: group.pieces }, (_, piece) => {
    const content = Buffer.alloc(start + length);
    content.set(sealHead(group, piece), 0);
    return content;
  });
  for (let offset = 0; offset < length; offset += stripeBytes) {
    const wanted = Math.min(stripeBytes, length - offset);
    const stripes: Uint8Array[] = [];
    for (const [at, { bytes }] of group.packs.entries()) stripes.push(await padded(read[at]!, bytes, offset, wanted));
    encodeParity(stripes, group.pieces).forEach((stripe, piece) => {
      contents[piece]!.set(stripe, start + offset);
    });
  }
  return contents.map((content) => ({ id: hash("sha256", content, "hex"), content }));
};

const padded = async (read: ReadPart, bytes: number, offset: number, wanted: number): Promise<Uint8Array> => {
  const there = Math.max(0, Math.min(wanted, bytes - offset));
  const stripe = new Uint8Array(wanted);
  if (there > 0) stripe.set(await read(offset, there), 0);
  return stripe;
};

/**
 * A pack from others of its group and the group's pieces; `packs` and `pieces` say how to read those that are there. Throws `ObjectCorrupt` when
 * too few are there, or what comes out is not the pack: one of those that were read is not what it should be.
 */
export const rebuildPack = async (
  group: ParityGroup,
  wanted: string,
  packs: readonly (ReadPart | undefined)[],
  pieces: readonly (ReadPart | undefined)[],
): Promise<Uint8Array> => {
  const at = group.packs.findIndex(({ id }) => id === wanted);
  const { bytes = 0 } = group.packs[at] ?? {};
  const there = [...packs, ...pieces].filter((read) => read !== undefined).length;
  if (at < 0 || there < group.packs.length) {
    throw new Failure(
      "ObjectCorrupt",
      `pack ${wanted} cannot be rebuilt from parity: ${there} of the ${group.packs.length} that it takes are there`,
    );
  }
  const start = offsetOfParity(group);
  const pack = new Uint8Array(bytes);
  for (let offset = 0; offset < bytes; offset += stripeBytes) {
    const length = Math.min(stripeBytes, shardBytes(group) - offset);
    const stripes: (Uint8Array | undefined)[] = [];
    let needed = group.packs.length;
    for (const [n, { bytes: size }] of group.packs.entries()) {
      const read = packs[n];
      stripes.push(read === undefined ? undefined : await padded(read, size, offset, length));
      if (read !== undefined) needed -= 1;
    }
    for (const read of pieces) {
      // No more than are needed.
      stripes.push(read === undefined || needed <= 0 ? undefined : await read(start + offset, length));
      if (read !== undefined) needed -= 1;
    }
    pack.set(rebuildStripe(stripes, group.pieces, at).subarray(0, Math.min(length, bytes - offset)), offset);
  }
  if (hash("sha256", pack, "hex") === wanted) return pack;
  throw new Failure("ObjectCorrupt", `what parity makes of pack ${wanted} is not that pack: a copy or a piece that was read for it is bad`);
};

/** No head of 64 packs, twice as many as a policy can ask for, is longer. */
export const longestParityHead = headBytes + 64 * memberBytes;

/** Whose parity a piece is, and its number, as its own head says. Throws `ObjectCorrupt`, `FormatUnsupported`. */
export const readParityHead = (bytes: Uint8Array, what: string): ParityGroup & { readonly piece: number } => {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.length < headBytes || !head.subarray(0, 8).equals(magic)) throw new Failure("ObjectCorrupt", `${what} is no parity`);
  const [version, count, pieces, piece, length] = [8, 12, 16, 20, 24].map((at) => head.readUInt32LE(at)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  refuseNewer(version, what);
  if (head.length < headBytes + count * memberBytes) throw new Failure("ObjectCorrupt", `${what} is cut off`);
  const packs = Array.from({ length: count }, (_, at) => {
    const from = headBytes + at * memberBytes;
    return { id: head.subarray(from, from + 32).toString("hex"), bytes: head.readUInt32LE(from + 32) };
  });
  if (piece >= pieces || length !== Math.max(0, ...packs.map(({ bytes }) => bytes)))
    throw new Failure("ObjectCorrupt", `the head of ${what} was altered`);
  return { packs, pieces, piece };
};

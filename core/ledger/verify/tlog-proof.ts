import { fromBase64, toBase64 } from "./bytes.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type Hash, leafHash } from "./hash.ts";
import { longestProof, verifyInclusion } from "./merkle.ts";
import type { NoteKey } from "./note.ts";

/**
 * The proof that an entry is in a log as other transparency tools read it, https://c2sp.org/tlog-proof: index, inclusion proof and
 * signed checkpoint. It says less than a bundle: no anchors, and not the entry itself.
 */
export interface TlogProof {
  readonly index: number;
  readonly inclusion: readonly Hash[];
  /** The signed note, with its cosignatures. */
  readonly checkpoint: string;
}

const firstLine = "c2sp.org/tlog-proof@v1";

export const formatTlogProof = ({ index, inclusion, checkpoint }: TlogProof): string =>
  [firstLine, `index ${index}`, ...inclusion.map((hash) => toBase64(hash)), "", checkpoint].join("\n");

/** The proof in `content`, which nothing of is verified yet; undefined when it is none. Extra data, which proves nothing, is passed over. */
export const parseTlogProof = (content: string): TlogProof | undefined => {
  const split = content.indexOf("\n\n");
  const [first, ...lines] = content.slice(0, Math.max(0, split)).split("\n");
  if (first !== firstLine) return undefined;
  if (lines[0]?.startsWith("extra ")) {
    if (bytesOf(lines.shift()!.slice("extra ".length)) === undefined) return undefined;
  }
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1];
  const inclusion = lines.map(bytesOf);
  const sound = inclusion.length <= longestProof && inclusion.every((hash) => hash?.length === 32);
  if (index === undefined || !Number.isSafeInteger(Number(index)) || !sound) return undefined;
  return { index: Number(index), inclusion: inclusion as Hash[], checkpoint: content.slice(split + 2) };
};

/** The checkpoint that `entry` is proven to be under, when the log `origin` of `key` signed it; otherwise the reason why not. */
export const openTlogProof = (
  content: string,
  entry: Uint8Array,
  origin: string,
  key: NoteKey,
): (Checkpoint & { readonly index: number }) | { readonly reason: string } => {
  const proof = parseTlogProof(content);
  if (proof === undefined) return { reason: "is not a tlog-proof" };
  const checkpoint = openCheckpoint(proof.checkpoint, origin, key);
  if ("reason" in checkpoint) return checkpoint;
  const { index, inclusion } = proof;
  if (!verifyInclusion(leafHash(entry), index, checkpoint.size, inclusion, checkpoint.root)) {
    return { reason: `does not lead from the entry, at index ${index}, to the checkpoint's root` };
  }
  return { ...checkpoint, index };
};

const bytesOf = (text: string): Uint8Array | undefined => {
  const bytes = fromBase64(text);
  return bytes !== undefined && bytes.length > 0 ? bytes : undefined;
};

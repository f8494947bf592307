import { fromBase64, toBase64 } from "./bytes.ts";
import { type Hash, toHex } from "./hash.ts";
import { isSignedBy, type NoteKey, parseNote } from "./note.ts";

/** A signed head of the log, as https://c2sp.org/tlog-checkpoint describes it: origin, size and root, one a line. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  /** The whole signed note. */
  readonly note: string;
}

/** The text that is signed. */
export const checkpointText = (origin: string, size: number, root: Hash): string => `${origin}\n${size}\n${toBase64(root)}\n`;

/**
 * The checkpoint in `note` once its origin and its signature are checked against `origin` and `key`; otherwise the reason why not.
 * Extension lines are refused: this log writes none, and a verifier must not call what it cannot read verified.
 */
export const openCheckpoint = (note: string, origin: string, key: NoteKey): Checkpoint | { readonly reason: string } => {
  const parsed = parseNote(note);
  if (parsed === undefined) return { reason: "is not a signed note" };
  const lines = parsed.text.split("\n");
  const [name, sizeText, rootText] = lines;
  if (lines.length !== 4 || name === undefined || sizeText === undefined || rootText === undefined) {
    return { reason: "does not have exactly the lines origin, size and root" };
  }
  const size = Number(sizeText);
  if (!/^(0|[1-9]\d{0,15})$/.test(sizeText) || !Number.isSafeInteger(size)) return { reason: "names a size that is not a whole number" };
  const root = fromBase64(rootText);
  if (root?.length !== 32) return { reason: "names a root that is not 32 bytes" };
  if (name !== origin) return { reason: `is of the log ${JSON.stringify(name)}, not of ${JSON.stringify(origin)}` };
  if (!isSignedBy(parsed, key)) return { reason: `carries no valid signature of the key ${key.name}` };
  return { origin: name, size, root, note };
};

/** What people and the registry call a checkpoint. */
export const headOf = (checkpoint: Checkpoint): { readonly size: number; readonly root: string } => ({
  size: checkpoint.size,
  root: toHex(checkpoint.root),
});

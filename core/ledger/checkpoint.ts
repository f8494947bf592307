import { Failure } from "../domain/failure.ts";
import { type Checkpoint, checkpointText, openCheckpoint } from "./verify/checkpoint.ts";
import { type Hash, utf8 } from "./verify/hash.ts";
import { formatNoteSignature } from "./verify/note.ts";

/** The log's Ed25519 key. Without `sign` the log can be read and not appended to. */
export interface LogSigner {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The 64-byte Ed25519 signature. */
  sign?(message: Uint8Array): Uint8Array;
}

/** Ed25519 is deterministic: the same head always gives the same note. Throws `UsageInvalid` for a key that cannot sign. */
export const signCheckpoint = (origin: string, size: number, root: Hash, signer: LogSigner): Checkpoint => {
  if (signer.sign === undefined)
    throw new Failure("UsageInvalid", `the log ${origin} was opened with a public key only and cannot be signed`);
  const text = checkpointText(origin, size, root);
  const note = `${text}\n${formatNoteSignature({ name: origin, publicKey: signer.publicKey }, signer.sign(utf8(text)))}`;
  return { origin, size, root, note };
};

/** The checkpoint that `note` is. Throws `LedgerCorrupt` saying what is wrong with the object `where`. */
export const readCheckpoint = (note: Uint8Array, origin: string, publicKey: Uint8Array, where: string): Checkpoint => {
  const opened = openCheckpoint(Buffer.from(note).toString("utf8"), origin, { name: origin, publicKey });
  if ("reason" in opened) throw new Failure("LedgerCorrupt", `${where} ${opened.reason}`);
  return opened;
};

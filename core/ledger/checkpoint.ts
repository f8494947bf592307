import { Failure } from "../domain/failure.ts";
import { type Checkpoint, checkpointText, headOf, openCheckpoint } from "./verify/checkpoint.ts";
import { type Hash, utf8 } from "./verify/hash.ts";
import { formatNoteSignature, parseNote, signaturesOf } from "./verify/note.ts";

/** A key whose signature under a head of the log is believed. */
export interface LogKey {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Alone it signs for no larger log: it was replaced when the log was so long. */
  readonly upTo?: number;
  /** ISO 8601, UTC, with milliseconds: before that, `upTo` does not hold yet. A process that reads the log for long goes by it, too. */
  readonly until?: string;
}

/** The log's Ed25519 key. Without `sign` the log can be read and not appended to. */
export interface LogSigner extends LogKey {
  /** The 64-byte Ed25519 signature. */
  sign?(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Keys that signed before. One with `sign` still signs beside the new one, for those who do not know that yet. */
  readonly earlier?: readonly LogSigner[];
}

/** All keys that the log's heads may be signed with, the present one first. */
export const keysOf = (signer: LogSigner): LogKey[] => [signer, ...(signer.earlier ?? [])];

/** Ed25519 is deterministic: the same head and keys always give the same note. Throws `UsageInvalid` for a key that cannot sign. */
export const signCheckpoint = async (origin: string, size: number, root: Hash, signer: LogSigner): Promise<Checkpoint> => {
  if (signer.sign === undefined)
    throw new Failure("UsageInvalid", `the log ${origin} was opened with a public key only and cannot be signed`);
  const text = checkpointText(origin, size, root);
  return { origin, size, root, note: `${text}\n${await signatureLines(text, origin, signer)}` };
};

/** The lines of all keys that sign now. */
const signatureLines = async (text: string, origin: string, signer: LogSigner): Promise<string> => {
  const lines: string[] = [];
  for (const key of [signer, ...(signer.earlier ?? [])]) {
    if (key.sign !== undefined) lines.push(formatNoteSignature({ name: origin, publicKey: key.publicKey }, await key.sign(utf8(text))));
  }
  return lines.join("");
};

/**
 * The note with the present key's signature, too: one that only a worker with the key of before had signed is refused once the time of both
 * is over. To be asked only of a head that was found to be the log's own.
 */
export const signedToday = async (note: string, signer: LogSigner): Promise<string> => {
  const [origin = "", size = "", root = ""] = note.split("\n");
  const own = { name: origin, publicKey: signer.publicKey };
  if (signer.sign === undefined || signaturesOf(parseNote(note)!, own).length > 0) return note;
  return note + (await signatureLines(`${origin}\n${size}\n${root}\n`, origin, { ...signer, earlier: [] }));
};

/**
 * A kept note of this very head, as it is shown today; undefined when it is none. However long the log was when the key that signed it was
 * retired: that bounds what is believed of a key alone, and here the log itself has that root.
 */
export const keptNoteOf = async (note: string, head: Checkpoint, signer: LogSigner): Promise<string | undefined> => {
  const keys = keysOf(signer).map(({ publicKey }) => ({ publicKey }));
  const opened = openLogCheckpoint(note, head.origin, keys);
  if ("reason" in opened || headOf(opened).root !== headOf(head).root || opened.size !== head.size) return undefined;
  return await signedToday(opened.note, signer);
};

/** The checkpoint that `note` is. Throws `LedgerCorrupt` saying what is wrong with the object `where`. */
export const readCheckpoint = (note: Uint8Array, origin: string, keys: readonly LogKey[], where: string): Checkpoint => {
  const opened = openLogCheckpoint(Buffer.from(note).toString("utf8"), origin, keys);
  if ("reason" in opened) throw new Failure("LedgerCorrupt", `${where} ${opened.reason}`);
  return opened;
};

/** The checkpoint that `note` is, signed by one of the keys as far as that one goes; or why it is none. */
export const openLogCheckpoint = (note: string, origin: string, keys: readonly LogKey[]): Checkpoint | { readonly reason: string } => {
  let refusal = { reason: "is signed by no key of the log" };
  const now = new Date().toISOString();
  for (const [at, { publicKey, upTo = Number.POSITIVE_INFINITY, until = "" }] of keys.entries()) {
    const opened = openCheckpoint(note, origin, { name: origin, publicKey });
    if (!("reason" in opened) && (opened.size <= upTo || now <= until)) return opened;
    if ("reason" in opened) refusal = at === 0 ? opened : refusal;
    else refusal = { reason: `of size ${opened.size} is signed only by a key that was retired when the log had ${upTo} entries` };
  }
  return refusal;
};

import { concat } from "./bytes.ts";
import { verifyEd25519 } from "./crypto.ts";
import { utf8 } from "./hash.ts";
import { formatNoteKey, formatNoteSignature, type NoteKey, parseNote, parseNoteKey, signaturesOf } from "./note.ts";

/**
 * Cosignatures of witnesses, https://c2sp.org/tlog-cosignature, of the Ed25519 type: a witness says that at a time this was the largest
 * head of the log that it had seen, and that every head before it was a beginning of this one.
 */
const cosignatureType = 0x04;
const timestampBytes = 8;
/** The end of the year 9999. */
const latestTime = 253_402_300_799;

export interface Cosignature {
  readonly witness: string;
  /** Seconds since 1970, by the witness's clock. */
  readonly time: number;
}

/** The vkey of a witness, `name+0a1b2c3d+BA…`. */
export const formatWitnessKey = (key: NoteKey): string => formatNoteKey(key, cosignatureType);

/** The key of a witness's vkey; undefined when it is none. */
export const parseWitnessKey = (text: string): NoteKey | undefined => parseNoteKey(text, cosignatureType);

/** What a witness signs: `text` is that of the checkpoint, with its last newline. */
export const cosignedMessage = (text: string, time: number): Uint8Array => utf8(`cosignature/v1\ntime ${time}\n${text}`);

/** The signature line of a cosignature; `signature` is Ed25519 over `cosignedMessage`. */
export const formatCosignature = (key: NoteKey, time: number, signature: Uint8Array): string => {
  const seconds = new Uint8Array(timestampBytes);
  new DataView(seconds.buffer).setBigUint64(0, BigInt(time));
  return formatNoteSignature(key, concat(seconds, signature), cosignatureType);
};

/** The valid cosignatures that the signed note carries of `witnesses`: at most one of each, its newest. Lines of other keys say nothing here. */
export const cosignaturesOf = (note: string, witnesses: readonly NoteKey[]): Cosignature[] => {
  const parsed = parseNote(note);
  if (parsed === undefined) return [];
  return witnesses.flatMap((key) => {
    const times = signaturesOf(parsed, key, cosignatureType).flatMap((bytes) => timeOf(parsed.text, key, bytes) ?? []);
    return times.length === 0 ? [] : [{ witness: key.name, time: Math.max(...times) }];
  });
};

/** How many lines of the note claim to be of the witness. A witness signs a checkpoint once; more than one says that something is wrong. */
export const namedIn = (note: string, key: NoteKey): number => {
  const parsed = parseNote(note);
  return parsed === undefined ? 0 : signaturesOf(parsed, key, cosignatureType).length;
};

/** When the witness signed; undefined when the signature is not right. */
const timeOf = (text: string, key: NoteKey, bytes: Uint8Array): number | undefined => {
  if (bytes.length !== timestampBytes + 64) return undefined;
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  if (!(time <= latestTime)) return undefined;
  return verifyEd25519(key.publicKey, cosignedMessage(text, time), bytes.subarray(timestampBytes)) ? time : undefined;
};

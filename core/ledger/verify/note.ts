import { concat, fromBase64, toBase64 } from "./bytes.ts";
import { verifyEd25519 } from "./crypto.ts";
import { equalBytes, sha256, toHex, utf8 } from "./hash.ts";

/** Signed notes with Ed25519 keys, as https://c2sp.org/signed-note describes them. */

export interface NoteKey {
  readonly name: string;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** Key id (4 bytes) and signature. */
  readonly bytes: Uint8Array;
}

export interface Note {
  /** What is signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** The signature type of a log's own key: Ed25519 over the text. */
const ed25519 = 0x01;
const keyIdBytes = 4;
const largestNote = 16_384;
const mostSignatures = 16;

const isKeyName = (name: string): boolean => /^[^\s+]{1,256}$/u.test(name);

/** The first four bytes of SHA-256(name, newline, signature type, public key). */
export const noteKeyId = (key: NoteKey, type = ed25519): Uint8Array =>
  sha256(utf8(key.name), Uint8Array.of(0x0a, type), key.publicKey).subarray(0, keyIdBytes);

/** `name+0a1b2c3d+AY…`: the text that a verifier is given, called vkey. */
export const formatNoteKey = (key: NoteKey, type = ed25519): string =>
  `${key.name}+${toHex(noteKeyId(key, type))}+${toBase64(concat(Uint8Array.of(type), key.publicKey))}`;

/** The key of a vkey text; undefined when the text is no vkey of a 32-byte key of this type, or its key id does not match its key. */
export const parseNoteKey = (text: string, type = ed25519): NoteKey | undefined => {
  const match = /^([^\s+]{1,256})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(text);
  if (match === null) return undefined;
  const [, name, id, encoded] = match as unknown as [string, string, string, string];
  const bytes = fromBase64(encoded);
  if (bytes?.length !== 33 || bytes[0] !== type) return undefined;
  const key = { name, publicKey: bytes.slice(1) };
  return toHex(noteKeyId(key, type)) === id ? key : undefined;
};

/** The line that `signature` (64 bytes, over the note's text) becomes. */
export const formatNoteSignature = (key: NoteKey, signature: Uint8Array, type = ed25519): string =>
  `\u2014 ${key.name} ${toBase64(concat(noteKeyId(key, type), signature))}\n`;

/** Text and signature lines of a note; undefined when it is malformed. Nothing is verified. */
export const parseNote = (note: string): Note | undefined => {
  if (note.length > largestNote || !isPlainText(note)) return undefined;
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) return undefined;
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > mostSignatures) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const match = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line);
    if (match === null || !isKeyName(match[1]!)) return undefined;
    const bytes = fromBase64(match[2]!);
    if (bytes === undefined || bytes.length <= keyIdBytes) return undefined;
    signatures.push({ name: match[1]!, bytes });
  }
  return { text: note.slice(0, split + 1), signatures };
};

/** No control characters but newlines, and nothing that UTF-8 could not carry. */
const isPlainText = (text: string): boolean => {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if ((code < 0x20 && code !== 0x0a) || code === 0x7f || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
};

/** What the lines that claim to be signed by exactly this key carry. */
export const signaturesOf = (note: Note, key: NoteKey, type = ed25519): Uint8Array[] => {
  const id = noteKeyId(key, type);
  return note.signatures
    .filter(({ name, bytes }) => name === key.name && equalBytes(bytes.subarray(0, keyIdBytes), id))
    .map(({ bytes }) => bytes.subarray(keyIdBytes));
};

/** Whether the note carries one signature that claims to be of exactly this key, and it is right. */
export const isSignedBy = (note: Note, key: NoteKey): boolean => {
  const own = signaturesOf(note, key);
  return own.length === 1 && verifyEd25519(key.publicKey, utf8(note.text), own[0]!);
};

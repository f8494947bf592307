import { createPublicKey, verify } from "node:crypto";
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

const ed25519 = 0x01;
const keyIdBytes = 4;
const largestNote = 16_384;
const mostSignatures = 16;
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

const isKeyName = (name: string): boolean => /^[^\s+]{1,256}$/u.test(name);

/** The first four bytes of SHA-256(name, newline, algorithm, public key). */
export const noteKeyId = (key: NoteKey): Uint8Array =>
  sha256(utf8(key.name), Uint8Array.of(0x0a, ed25519), key.publicKey).subarray(0, keyIdBytes);

/** `name+0a1b2c3d+AY…`: the text that a verifier is given, called vkey. */
export const formatNoteKey = (key: NoteKey): string =>
  `${key.name}+${toHex(noteKeyId(key))}+${Buffer.concat([Uint8Array.of(ed25519), key.publicKey]).toString("base64")}`;

/** The key of a vkey text; undefined when the text is no Ed25519 vkey, or its key id does not match its key. */
export const parseNoteKey = (text: string): NoteKey | undefined => {
  const match = /^([^\s+]{1,256})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(text);
  if (match === null) return undefined;
  const [, name, id, encoded] = match as unknown as [string, string, string, string];
  const bytes = new Uint8Array(Buffer.from(encoded, "base64"));
  if (bytes.length !== 33 || bytes[0] !== ed25519 || Buffer.from(bytes).toString("base64") !== encoded) return undefined;
  const key = { name, publicKey: bytes.slice(1) };
  return toHex(noteKeyId(key)) === id ? key : undefined;
};

/** The line that `signature` (64 bytes, over the note's text) becomes. */
export const formatNoteSignature = (key: NoteKey, signature: Uint8Array): string =>
  `\u2014 ${key.name} ${Buffer.concat([noteKeyId(key), signature]).toString("base64")}\n`;

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
    const bytes = new Uint8Array(Buffer.from(match[2]!, "base64"));
    if (bytes.length <= keyIdBytes || Buffer.from(bytes).toString("base64") !== match[2]) return undefined;
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

/** Whether the note carries a signature of exactly this key, and every signature that claims to be of it is right. */
export const isSignedBy = (note: Note, key: NoteKey): boolean => {
  const id = noteKeyId(key);
  const own = note.signatures.filter(({ name, bytes }) => name === key.name && equalBytes(bytes.subarray(0, keyIdBytes), id));
  return own.length > 0 && own.every(({ bytes }) => verifyEd25519(key.publicKey, utf8(note.text), bytes.subarray(keyIdBytes)));
};

const verifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
};

import { type Checkpoint, openCheckpoint } from "./verify/checkpoint.ts";
import { cosignedMessage, formatCosignature } from "./verify/cosignature.ts";
import { emptyRoot, equalBytes, type Hash } from "./verify/hash.ts";
import { longestProof, verifyConsistency } from "./verify/merkle.ts";
import { type NoteKey, parseNote } from "./verify/note.ts";

/** The witness's side of https://c2sp.org/tlog-witness, without HTTP and without a disk. */
export interface Witness {
  readonly key: NoteKey;
  /** Ed25519. */
  sign(message: Uint8Array): Uint8Array;
}

/** The last head of a log that the witness has cosigned. */
export interface SeenHead {
  readonly size: number;
  readonly root: Hash;
}

/** An answer to `add-checkpoint`; `seen` is to be made durable before a cosignature leaves the house. */
export type WitnessAnswer =
  | { readonly status: 200; readonly body: string; readonly seen: SeenHead }
  | { readonly status: 400 | 403 | 404 | 409 | 422; readonly body: string; readonly type?: "text/x.tlog.size" };

interface Request {
  readonly old: number;
  readonly proof: readonly Hash[];
  readonly note: string;
}

/** The log whose head a request is about; undefined when it cannot be told. */
export const originOf = (body: string): string | undefined => {
  const note = parseRequest(body)?.note;
  return note === undefined ? undefined : parseNote(note)?.text.split("\n", 1)[0];
};

/** Cosigns the head in `body` when it extends `seen`, the last one of that log; `log` is the key that the witness knows it by. `time` is in seconds. */
export const considerHead = (body: string, log: NoteKey, seen: SeenHead | undefined, witness: Witness, time: number): WitnessAnswer => {
  const request = parseRequest(body);
  if (request === undefined) return refused(400, "the request is not one of add-checkpoint");
  const checkpoint = openCheckpoint(request.note, log.name, log);
  if ("reason" in checkpoint) {
    return checkpoint.reason.startsWith("carries no valid signature")
      ? refused(403, `the checkpoint ${checkpoint.reason}`)
      : refused(400, `the checkpoint ${checkpoint.reason}`);
  }
  const before = seen ?? { size: 0, root: emptyRoot() };
  if (request.old > checkpoint.size) return refused(400, "the old size is larger than the checkpoint's");
  if (request.old !== before.size) return { status: 409, body: `${before.size}\n`, type: "text/x.tlog.size" };
  if (checkpoint.size === before.size && !equalBytes(checkpoint.root, before.root)) {
    return refused(409, `another root was cosigned for size ${before.size}: the log has forked`);
  }
  if (!verifyConsistency(before, checkpoint, request.proof))
    return refused(422, `the checkpoint is not shown to extend the one of size ${before.size}`);
  return { status: 200, body: cosignatureLine(checkpoint, witness, time), seen: { size: checkpoint.size, root: checkpoint.root } };
};

const cosignatureLine = ({ note }: Checkpoint, { key, sign }: Witness, time: number): string =>
  formatCosignature(key, time, sign(cosignedMessage(parseNote(note)!.text, time)));

const refused = (status: 400 | 403 | 404 | 409 | 422, reason: string): WitnessAnswer => ({ status, body: `${reason}\n` });

/** The body of a request to cosign `note`, whose log the witness last saw at size `old`. */
export const formatWitnessRequest = ({ old, proof, note }: Request): string =>
  [`old ${old}`, ...proof.map((hash) => Buffer.from(hash).toString("base64")), "", note].join("\n");

const parseRequest = (body: string): Request | undefined => {
  const split = body.indexOf("\n\n");
  const [first = "", ...lines] = body.slice(0, Math.max(0, split)).split("\n");
  const old = /^old (0|[1-9]\d{0,15})$/.exec(first)?.[1];
  const proof = lines.map((line) => {
    const bytes = Buffer.from(line, "base64");
    return bytes.length === 32 && bytes.toString("base64") === line ? new Uint8Array(bytes) : undefined;
  });
  if (old === undefined || !Number.isSafeInteger(Number(old)) || proof.length >= longestProof || proof.includes(undefined))
    return undefined;
  return { old: Number(old), proof: proof as Hash[], note: body.slice(split + 2) };
};

/** A head as the witness's state keeps it. */
export const formatSeen = ({ size, root }: SeenHead): string => `${size}\n${Buffer.from(root).toString("base64")}\n`;

/** Undefined when the text is none: a state that cannot be read must stop the witness, not make it forget. */
export const parseSeen = (text: string): SeenHead | undefined => {
  const match = /^(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text);
  return match === null ? undefined : { size: Number(match[1]), root: new Uint8Array(Buffer.from(match[2]!, "base64")) };
};

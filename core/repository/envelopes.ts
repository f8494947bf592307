import { hkdfSync } from "node:crypto";
import sodium from "libsodium-wrappers";
import { Failure } from "../domain/failure.ts";
import { canonicalBytes, decodeBase64, encodeBase64 } from "./canonical-json.ts";
import type { Recipient, RecipientSecret } from "./keys.ts";
import { refuseNewer } from "./repository-config.ts";
import { seal, unseal } from "./sealing.ts";

export type EnvelopeKind = "range" | "manifest" | "report";

/** One object's key, wrapped to one recipient. About 1.7 KB as JSON. */
export interface Envelope {
  readonly version: 1;
  readonly kind: EnvelopeKind;
  /** A range's id, a manifest's snapshot id, or a report's id. */
  readonly object: string;
  /** The recipient's id. */
  readonly recipient: string;
  /** X-Wing ciphertext, base64 of 1120 bytes. */
  readonly kem: string;
  /** The sealed key, base64 of 72 bytes: nonce, 32 bytes, tag. */
  readonly wrapped: string;
}

const kemBytes = 1120;
const wrappedBytes = 72;

const contextOf = (kind: EnvelopeKind, object: string, recipient: string): Buffer =>
  Buffer.from(`dbgov-1/envelope\0${kind}\0${object}\0${recipient}`, "utf8");

const wrappingKey = (shared: Uint8Array, context: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", shared, new Uint8Array(0), context, 32));

/** Wraps `key` (32 bytes) to every recipient, under a fresh X-Wing encapsulation each. */
export const wrapKey = async (
  kind: EnvelopeKind,
  object: string,
  key: Uint8Array,
  recipients: readonly Recipient[],
): Promise<Envelope[]> => {
  await sodium.ready;
  return recipients.map((recipient) => {
    const { ciphertext, sharedSecret } = sodium.crypto_kem_xwing_enc(recipient.publicKey);
    const context = contextOf(kind, object, recipient.id);
    const wrapped = seal(wrappingKey(sharedSecret, context), context, key);
    sharedSecret.fill(0);
    return { version: 1, kind, object, recipient: recipient.id, kem: encodeBase64(ciphertext), wrapped: encodeBase64(wrapped) };
  });
};

/**
 * The key in the envelope for `secret`. Throws `EnvelopeMissing` when there is no envelope at all, `WrongKey` when none is
 * for this recipient, `ObjectCorrupt` when it was altered.
 */
export const unwrapKey = async (envelopes: readonly Envelope[], secret: RecipientSecret): Promise<Uint8Array> => {
  const first = envelopes[0];
  if (first === undefined) throw new Failure("EnvelopeMissing", "there is no envelope for this object: its key is not in this keyring");
  const mine = envelopes.find((envelope) => envelope.recipient === secret.id);
  if (mine === undefined) {
    throw new Failure("WrongKey", `${first.kind} ${first.object} is not sealed to recipient ${secret.id}, whose key was given`);
  }
  const { kind, object, recipient } = checkEnvelope(mine, `an envelope of ${String(first.object)}`);
  await sodium.ready;
  const context = contextOf(kind, object, recipient);
  let shared: Uint8Array;
  try {
    shared = sodium.crypto_kem_xwing_dec(Buffer.from(mine.kem, "base64"), secret.secretKey);
  } catch (error) {
    throw new Failure("ObjectCorrupt", `the envelope of ${kind} ${object} for recipient ${recipient} was altered`, { cause: error });
  }
  const key = unseal(wrappingKey(shared, context), context, Buffer.from(mine.wrapped, "base64"));
  if (key === undefined || key.length !== 32) {
    throw new Failure("ObjectCorrupt", `the envelope of ${kind} ${object} for recipient ${recipient} was altered`);
  }
  return new Uint8Array(key);
};

/** The object `envelopes/<object id>`: a canonical JSON array. */
export const encodeEnvelopes = (envelopes: readonly Envelope[]): Uint8Array => new Uint8Array(canonicalBytes(envelopes));

/** Throws `ObjectCorrupt` (also when one is of another object) or `FormatUnsupported`. */
export const parseEnvelopes = (bytes: Uint8Array, objectId: string): Envelope[] => {
  const what = `envelopes/${objectId}`;
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new Failure("ObjectCorrupt", `${what} is not JSON`, { cause: error });
  }
  if (!Array.isArray(list)) throw new Failure("ObjectCorrupt", `${what} is not a list of envelopes`);
  return list.map((item) => {
    const envelope = checkEnvelope(item, what);
    if (envelope.object !== objectId) throw new Failure("ObjectCorrupt", `${what} holds an envelope of another object`);
    return envelope;
  });
};

/** Whether `value` has the shape of an envelope. Throws `ObjectCorrupt` or `FormatUnsupported`, naming `what`. */
export const checkEnvelope = (value: unknown, what: string): Envelope => {
  const { version, kind, object, recipient, kem, wrapped } = (value ?? {}) as Record<string, unknown>;
  refuseNewer(version, what);
  const sound =
    (kind === "range" || kind === "manifest" || kind === "report") &&
    typeof object === "string" &&
    typeof recipient === "string" &&
    decodeBase64(kem, kemBytes) !== undefined &&
    decodeBase64(wrapped, wrappedBytes) !== undefined;
  if (!sound) throw new Failure("ObjectCorrupt", `${what} is not an envelope`);
  return { version: 1, kind, object, recipient, kem: kem as string, wrapped: wrapped as string };
};

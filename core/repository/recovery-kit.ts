import type { Envelope } from "./envelopes.ts";
import type { RecipientSecret } from "./keys.ts";

/** What goes on the printable page and into kit.json. */
export interface RecoveryKitContent {
  readonly organization: string;
  /** ISO 8601, UTC. */
  readonly generatedAt: string;
  /** `dbgov-secret-1:…` */
  readonly secretText: string;
  /** Addresses only, no secrets. */
  readonly stores: readonly { readonly name: string; readonly kind: string; readonly address: string }[];
  /** Ed25519, 32 bytes each. */
  readonly signingKeys: readonly Uint8Array[];
  readonly log: { readonly origin: string; readonly publicKey: Uint8Array };
}

export interface RecoveryKit {
  readonly organization: string;
  readonly secret: RecipientSecret;
  readonly signingKeys: readonly Uint8Array[];
  readonly stores: RecoveryKitContent["stores"];
  readonly log: RecoveryKitContent["log"];
  envelopesOf(objectId: string): Envelope[];
}

export const writeRecoveryKit = async (
  _folder: string,
  _content: RecoveryKitContent,
  _envelopes: Iterable<Envelope> | AsyncIterable<Envelope>,
): Promise<void> => {
  throw new Error("being written");
};

export const refreshKeyring = async (_folder: string, _envelopes: Iterable<Envelope> | AsyncIterable<Envelope>): Promise<void> => {
  throw new Error("being written");
};

export const readRecoveryKit = async (_path: string): Promise<RecoveryKit> => {
  throw new Error("being written");
};

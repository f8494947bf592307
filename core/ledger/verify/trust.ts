import { AuditInputError } from "./input-error.ts";
import { type NoteKey, parseNoteKey } from "./note.ts";
import { address, type Check, chainHash, count, flag, hash, listOf, object, positive, text, time } from "./shape.ts";

/** What an auditor believes beforehand, and got another way than the bundle. `docs/proof.md` describes the file. */
export interface Trust {
  readonly log: {
    readonly origin: string;
    /** The log's vkey. */
    readonly publicKey: string;
  };
  /** Public keys, as hex, one of which must be the `signer` of a sealed snapshot. Anything goes when it is missing. */
  readonly signingKeys?: readonly string[];
  readonly chains?: readonly TrustedChain[];
  readonly require?: {
    /** Whether one anchor at least must be verified. @default true */
    readonly anchor?: boolean;
    /** The latest block time that counts. */
    readonly anchorBy?: string;
    /** The most seconds that may lie between the entry's own time and the block's. */
    readonly anchorWithinSeconds?: number;
  };
  /** The head that the last audit ended with: the log must extend it. */
  readonly since?: { readonly size: number; readonly root: string };
}

export interface TrustedChain {
  readonly chainId: number;
  /** The registry's address, in lowercase. */
  readonly contract: string;
  /** Blocks of this chain that the auditor knows to be final, from a node or an explorer of their choice. */
  readonly finalizedBlocks?: readonly { readonly number: number; readonly hash: string }[];
}

const vkey: Check = (value, part) =>
  typeof value === "string" && parseNoteKey(value) !== undefined
    ? undefined
    : { part, reason: "must be an Ed25519 key as name+id+base64, with the right id" };

const checkTrust = object(
  { log: object({ origin: text(/^[^\s+]{1,256}$/u, "the log's origin"), publicKey: vkey }) },
  {
    signingKeys: listOf(hash, 256),
    chains: listOf(
      object({ chainId: positive, contract: address }, { finalizedBlocks: listOf(object({ number: count, hash: chainHash }), 100_000) }),
      64,
    ),
    require: object({}, { anchor: flag, anchorBy: time, anchorWithinSeconds: positive }),
    since: object({ size: positive, root: hash }),
  },
);

const largestTrust = 16 * 1024 * 1024;

/** The trust policy that `content` (JSON) is. Throws `AuditInputError` saying what is wrong where. */
export const parseTrust = (content: string): Trust => {
  if (content.length > largestTrust) throw new AuditInputError("trust policy", "is larger than 16 MiB");
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new AuditInputError("trust policy", "is not JSON");
  }
  const misfit = checkTrust(value, "");
  if (misfit !== undefined) throw new AuditInputError("trust policy", `is not usable: ${misfit.part || "it"} ${misfit.reason}`);
  const trust = value as Trust;
  if (trustedKey(trust).name !== trust.log.origin) {
    throw new AuditInputError("trust policy", "is not usable: log.publicKey is of another name than log.origin");
  }
  return trust;
};

/** For a policy that was parsed. */
export const trustedKey = (trust: Trust): NoteKey => parseNoteKey(trust.log.publicKey)!;

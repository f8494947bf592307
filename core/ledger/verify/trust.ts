import { readPemCertificates } from "./certificates.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { parseWitnessKey } from "./cosignature.ts";
import { AuditInputError } from "./input-error.ts";
import { readJson } from "./json.ts";
import { type NoteKey, parseNote, parseNoteKey, signaturesOf } from "./note.ts";
import { checkObjectives, type Objectives } from "./period-facts.ts";
import { address, type Check, chainHash, count, flag, hash, listOf, object, positive, text, time } from "./shape.ts";

/** What an auditor believes beforehand, and got another way than the bundle. `docs/proof.md` describes the file. */
export interface Trust {
  readonly log: {
    readonly origin: string;
    /** The log's vkey. */
    readonly publicKey: string;
    /**
     * Keys that signed before, as vkeys. What one of them signed counts only when an anchor or a time stamp shows that it was there by `until`: the
     * day on which the key was replaced, or on which somebody else may have had it.
     */
    readonly retiredKeys?: readonly { readonly publicKey: string; readonly until: string }[];
  };
  /**
   * Public keys, as hex, one of which must be the `signer` of a sealed snapshot: at any time, or of an entry whose time lies between `from` and `until`. Anything goes
   * when it is missing.
   */
  readonly signingKeys?: readonly (string | { readonly publicKey: string; readonly from?: string; readonly until?: string })[];
  readonly chains?: readonly TrustedChain[];
  /** Who must have cosigned the checkpoint: `quorum` of these witnesses, by their vkeys. */
  readonly witnesses?: { readonly publicKeys: readonly string[]; readonly quorum: number };
  /** PEM: root certificates that the signer of a time-stamp token must lead to. */
  readonly authorities?: readonly string[];
  readonly require?: {
    /** Whether one anchor at least must be verified. @default true */
    readonly anchor?: boolean;
    /** Whether one RFC 3161 time stamp at least must be verified. @default false */
    readonly timestamp?: boolean;
    /** The latest time of a block, or of a time stamp, that counts. */
    readonly anchorBy?: string;
    /** The most seconds that may lie between the entry's own time and the block's, or the time stamp's. */
    readonly anchorWithinSeconds?: number;
  };
  /** What a period statement is judged by, before what it says itself. */
  readonly objectives?: Objectives;
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

const witnessKey: Check = (value, part) =>
  typeof value === "string" && parseWitnessKey(value) !== undefined
    ? undefined
    : { part, reason: "must be a witness's Ed25519 key as name+id+base64, with the right id" };

const keyInWindow = object({ publicKey: hash }, { from: time, until: time });
const signingKey: Check = (value, part) => (typeof value === "string" ? hash(value, part) : keyInWindow(value, part));

const pem: Check = (value, part) => {
  try {
    if (typeof value === "string" && value.length <= largestPem && readPemCertificates(value).length > 0) return undefined;
  } catch {
    // Said below.
  }
  return { part, reason: "must be PEM with one certificate at least, each of them readable" };
};

const largestPem = 262_144;

const checkTrust = object(
  {
    log: object(
      { origin: text(/^[^\s+]{1,256}$/u, "the log's origin"), publicKey: vkey },
      { retiredKeys: listOf(object({ publicKey: vkey, until: time }), 64) },
    ),
  },
  {
    signingKeys: listOf(signingKey, 256),
    chains: listOf(
      object({ chainId: positive, contract: address }, { finalizedBlocks: listOf(object({ number: count, hash: chainHash }), 100_000) }),
      64,
    ),
    require: object({}, { anchor: flag, timestamp: flag, anchorBy: time, anchorWithinSeconds: positive }),
    since: object({ size: positive, root: hash }),
    objectives: checkObjectives,
    witnesses: object({ publicKeys: listOf(witnessKey, 64), quorum: positive }),
    authorities: listOf(pem, 64),
  },
);

const largestTrust = 16 * 1024 * 1024;

/** The trust policy that `content` (JSON) is. Throws `AuditInputError` saying what is wrong where. */
export const parseTrust = (content: string): Trust => {
  const read = readJson(content, { characters: largestTrust, depth: 8, values: 500_000 });
  if ("reason" in read) throw new AuditInputError("trust policy", read.reason);
  const { value } = read;
  const misfit = checkTrust(value, "");
  if (misfit !== undefined) throw new AuditInputError("trust policy", `is not usable: ${misfit.part || "it"} ${misfit.reason}`);
  const trust = value as Trust;
  const keys = [trustedKey(trust), ...retiredKeys(trust).map(({ key }) => key)];
  if (keys.some(({ name }) => name !== trust.log.origin)) {
    throw new AuditInputError("trust policy", "is not usable: a key of the log is of another name than log.origin");
  }
  if (
    trust.witnesses !== undefined &&
    new Set(trust.witnesses.publicKeys).size < Math.max(trust.witnesses.publicKeys.length, trust.witnesses.quorum)
  ) {
    throw new AuditInputError("trust policy", "is not usable: witnesses must name each key once, and at least as many as quorum asks for");
  }
  return trust;
};

/** For a policy that was parsed. */
export const trustedKey = (trust: Trust): NoteKey => parseNoteKey(trust.log.publicKey)!;

const retiredKeys = ({ log }: Trust): { key: NoteKey; until: string }[] =>
  (log.retiredKeys ?? []).map(({ publicKey, until }) => ({ key: parseNoteKey(publicKey)!, until }));

/**
 * The checkpoint in `note` when a key of the log has signed it: the present one, or a retired one, and then `until` says by when that must have
 * been: of several that have signed it, the one that counts longest. A signature that claims to be of the present key and is wrong is not made up
 * for by an older one.
 */
export const openTrustedCheckpoint = (
  note: string,
  trust: Trust,
): (Checkpoint & { readonly until?: string }) | { readonly reason: string } => {
  const present = trustedKey(trust);
  const opened = openCheckpoint(note, trust.log.origin, present);
  const parsed = parseNote(note);
  if (!("reason" in opened) || parsed === undefined || signaturesOf(parsed, present).length > 0) return opened;
  for (const { key, until } of retiredKeys(trust).toSorted((a, b) => Date.parse(b.until) - Date.parse(a.until))) {
    const older = openCheckpoint(note, trust.log.origin, key);
    if (!("reason" in older)) return { ...older, until };
  }
  return opened;
};

import { checkEntry, type LogEntry } from "./entry.ts";
import { checkEvmEvidence, type EvmEvidence } from "./evm-evidence.ts";
import { AuditInputError } from "./input-error.ts";
import { readJson } from "./json.ts";
import { longestProof } from "./merkle.ts";
import { count, exactly, hash, listOf, type Misfit, object, text, word } from "./shape.ts";

/** The one file that lets an outsider check an entry of the log offline. `docs/proof.md` describes each field. */
export interface ProofBundle {
  readonly format: "dbgov-proof";
  readonly version: 1;
  /** The entry; its canonical JSON (RFC 8785) is what the log holds. */
  readonly entry: LogEntry;
  readonly index: number;
  /** Hashes, as hex, from the entry's leaf up to the checkpoint's root. */
  readonly inclusion: readonly string[];
  /** The signed note. */
  readonly checkpoint: string;
  /** From or to a checkpoint that the auditor knows; which of the two is the older one, their sizes say. */
  readonly consistency?: { readonly checkpoint: string; readonly proof: readonly string[] };
  /** Discloses which database the entry is of. */
  readonly database?: { readonly name: string; readonly salt: string };
  /** The snapshot's manifest, as it is stored, and its key for one recipient: the auditor. */
  readonly manifest?: {
    /** Base64. */
    readonly content: string;
    readonly envelope: { readonly recipient: string; readonly kem: string; readonly wrapped: string };
  };
  readonly anchors: readonly EvmEvidence[];
  /** RFC 3161 tokens (DER, in base64) over SHA-256 of the text of the checkpoint that is signed. */
  readonly timestamps?: readonly { readonly kind: "rfc3161"; readonly token: string }[];
}

const note = text(/^[\s\S]{1,16384}$/, "a signed note");
const proof = listOf(hash, longestProof);

/** What of a bundle attests a checkpoint, whatever is under it. */
export const checkAttestation = {
  required: { version: exactly(1), checkpoint: note, anchors: listOf(checkEvmEvidence, 8) },
  optional: {
    timestamps: listOf(object({ kind: exactly("rfc3161"), token: text(/^[A-Za-z0-9+/=]{1,90000}$/, "base64") }), 8),
    consistency: object({ checkpoint: note, proof }),
  },
  database: object({ name: text(/^[\s\S]{1,1000}$/, "a name"), salt: hash }),
};

const base64 = text(/^[A-Za-z0-9+/]+={0,2}$/, "base64");
const openedManifest = object({ content: base64, envelope: object({ recipient: word, kem: base64, wrapped: base64 }) });

const checkBundle = object(
  { format: exactly("dbgov-proof"), ...checkAttestation.required, entry: checkEntry, index: count, inclusion: proof },
  { ...checkAttestation.optional, database: checkAttestation.database, manifest: openedManifest },
);

/** Room for eight anchors with the largest nodes that a block can have. */
export const largestBundle = 8 * 1024 * 1024;

/** Where and why `value` is not a bundle; undefined when it is one. Nothing is verified. */
export const misfitOfBundle = (value: unknown): Misfit | undefined => checkBundle(value, "");

/**
 * The JSON in `content`, for `auditBundle`, or for what else `formats` names. Throws `AuditInputError` when it is too large, no JSON, or nothing that calls itself
 * a dbgov proof of a version that this verifier knows. All else that can be wrong with it is a finding of the audit.
 */
export const parseBundle = (content: string, formats: readonly string[] = ["dbgov-proof"]): unknown => {
  const read = readJson(content, { characters: largestBundle, depth: 8, values: 300_000 });
  if ("reason" in read) throw new AuditInputError("bundle", read.reason);
  const { value } = read;
  const { format, version } = (typeof value === "object" && value !== null ? value : {}) as { format?: unknown; version?: unknown };
  if (!formats.some((one) => one === format)) throw new AuditInputError("bundle", 'is not a dbgov proof: its format is not "dbgov-proof"');
  if (version !== 1)
    throw new AuditInputError("bundle", `is of version ${JSON.stringify(version)?.slice(0, 20)}; this verifier knows version 1`);
  return value;
};

import { Failure } from "../domain/failure.ts";
import type { Log } from "./log.ts";
import type { ProofBundle } from "./verify/bundle.ts";
import { toBase64 } from "./verify/bytes.ts";
import type { EvmEvidence } from "./verify/evm-evidence.ts";
import { fromHex, toHex } from "./verify/hash.ts";
import { formatTlogProof } from "./verify/tlog-proof.ts";

/**
 * The file for the auditor. `published` is the note of the checkpoint as it was published, with its cosignatures; without it, the one that the log signs
 * alone. `timestamps` are tokens for that checkpoint. `size` is that of the checkpoint that the anchors recorded, and defaults to the log's; `since` is the size of the
 * checkpoint that the auditor has from last time; `database` discloses the database's name. Throws what the log throws.
 */
export const buildProofBundle = async (options: {
  readonly log: Log;
  readonly index: number;
  readonly size?: number;
  readonly anchors?: readonly EvmEvidence[];
  readonly timestamps?: readonly Uint8Array[];
  readonly published?: string;
  readonly since?: number;
  readonly database?: { readonly name: string; readonly salt: string };
}): Promise<ProofBundle> => {
  const { log, index, size = log.size, anchors = [], timestamps = [], published, since, database } = options;
  if (index >= size) throw new Failure("UsageInvalid", `entry ${index} of the log ${log.origin} is not in its checkpoint of size ${size}`);
  const { entry } = await log.entry(index);
  const checkpoint = await log.checkpointAt(size);
  return {
    format: "dbgov-proof",
    version: 1,
    entry,
    index,
    inclusion: (await log.inclusionProof(index, size)).map(toHex),
    checkpoint: published ?? checkpoint.note,
    ...(since === undefined || since === size ? {} : { consistency: await consistencyBetween(log, size, since) }),
    ...(database === undefined ? {} : { database }),
    anchors,
    ...(timestamps.length === 0 ? {} : { timestamps: timestamps.map((token) => ({ kind: "rfc3161" as const, token: toBase64(token) })) }),
  };
};

const consistencyBetween = async (log: Log, size: number, since: number): Promise<NonNullable<ProofBundle["consistency"]>> => ({
  checkpoint: (await log.checkpointAt(since)).note,
  proof: (await log.consistencyProof(Math.min(size, since), Math.max(size, since))).map(toHex),
});

/** As it is written to a file: JSON that people can look into. */
export const formatProofBundle = (bundle: ProofBundle): string => `${JSON.stringify(bundle, null, 2)}\n`;

/** What of a bundle other transparency tools read: index, inclusion and checkpoint as a `.tlog-proof` file. */
export const formatTlogProofOf = ({ index, inclusion, checkpoint }: ProofBundle): string =>
  formatTlogProof({ index, inclusion: inclusion.map(fromHex), checkpoint });

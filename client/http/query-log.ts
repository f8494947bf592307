import type { EntryFilter } from "../../core/catalog/page-log-entries.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { Fail } from "../../core/ledger/verify/audit-anchors.ts";
import { auditCosignatures } from "../../core/ledger/verify/audit-cosignatures.ts";
import { type Checkpoint, openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { checkEntry, commit, entryBytes, type LogEntry } from "../../core/ledger/verify/entry.ts";
import { fromHex, leafHash } from "../../core/ledger/verify/hash.ts";
import { longestProof, verifyConsistency, verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { type Check, count, hash, listOf, object, text } from "../../core/ledger/verify/shape.ts";
import { type Trust, trustedKey } from "../../core/ledger/verify/trust.ts";
import { type AuditApi, askApi } from "./audit-client.ts";
import { sequenceGaps } from "./sequence-gaps.ts";

/** An entry that is proven to be in the log. */
export interface ProvenEntry {
  readonly index: number;
  readonly entry: LogEntry;
  /** Proven by the salt, where the API told it. */
  readonly database: string | null;
}

export interface QueriedLog {
  readonly verified: boolean;
  /** The newest checkpoint that was shown and holds; null when none does. */
  readonly checkpoint: Checkpoint | null;
  /** The last note that was shown, also one that does not hold: beside the one that was seen before it may be a proof of misbehavior. */
  readonly shown: string | null;
  readonly entries: readonly ProvenEntry[];
  /** Whether these are all entries of the log, from its first to the checkpoint's last. */
  readonly complete: boolean;
  readonly failures: readonly { readonly part: string; readonly reason: string }[];
}

interface Page {
  readonly checkpoint: string;
  readonly entries: readonly {
    readonly index: number;
    readonly entry: LogEntry;
    readonly inclusion: readonly string[];
    readonly database?: { readonly name: string; readonly salt: string };
  }[];
  readonly next: number | null;
}

const note = text(/^[\s\S]{1,16384}$/, "a signed note");
const proof = listOf(hash, longestProof);
const disclosed = object({ name: text(/^[\s\S]{1,1000}$/, "a name"), salt: hash });
const nextPage: Check = (value, part) => (value === null ? undefined : count(value, part));
const checkPage = object({
  checkpoint: note,
  entries: listOf(object({ index: count, entry: checkEntry, inclusion: proof }, { database: disclosed }), 100),
  next: nextPage,
});
const checkConsistency = object({ from: count, to: count, proof });

/**
 * All entries that fit, each proven, under checkpoints that the policy's key signed and that extend `known`, the last one this auditor saw.
 * The API is not believed in anything: what it tells wrong is in `failures`, and what is not proven is not in `entries`.
 */
export const queryLog = async (api: AuditApi, trust: Trust, filter: EntryFilter, known: Checkpoint | undefined): Promise<QueriedLog> => {
  const failures: { part: string; reason: string }[] = [];
  const fail: Fail = (part, reason) => void failures.push({ part, reason });
  const entries: ProvenEntry[] = [];
  let head = known;
  let checkpoint: Checkpoint | null = null;
  let shown: string | null = null;
  for (let from: number | null = 0; from !== null && failures.length === 0; ) {
    const value = await askApi(api, `/v1/entries?${new URLSearchParams({ ...defined(filter), from: String(from), limit: "100" })}`);
    const misfit = checkPage(value, "answer");
    if (misfit !== undefined) {
      fail(misfit.part, misfit.reason);
      break;
    }
    const page = value as Page;
    shown = page.checkpoint;
    head = await extended(api, shown, head, trust, fail);
    if (head === undefined) break;
    checkpoint = head;
    for (const one of page.entries) {
      const flaw = refuteEntry(one, checkpoint, filter, entries.at(-1)?.index ?? -1);
      if (flaw === undefined) entries.push({ index: one.index, entry: one.entry, database: one.database?.name ?? null });
      else fail(`entries[${one.index}]${flaw.part}`, flaw.reason);
    }
    if (page.next !== null && page.next <= Math.max(from, page.entries.at(-1)?.index ?? from)) {
      fail("next", "does not lead on");
    }
    from = page.next;
  }
  if (failures.length === 0 && filter.kind === undefined) for (const gap of sequenceGaps(entries, filter)) fail("entries", gap);
  const complete = failures.length === 0 && checkpoint !== null && entries.length === checkpoint.size;
  return { verified: failures.length === 0, checkpoint, shown, entries, complete, failures };
};

const defined = (filter: EntryFilter): Record<string, string> =>
  Object.fromEntries(Object.entries(filter).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** The checkpoint in `shown` once it is signed, cosigned as the policy asks, and shown to extend `before`; undefined after a failure. */
const extended = async (
  api: AuditApi,
  shown: string,
  before: Checkpoint | undefined,
  trust: Trust,
  fail: Fail,
): Promise<Checkpoint | undefined> => {
  const failures: string[] = [];
  const refuse: Fail = (part, reason) => {
    failures.push(reason);
    fail(part, reason);
  };
  const checkpoint = openCheckpoint(shown, trust.log.origin, trustedKey(trust));
  if ("reason" in checkpoint) {
    fail("checkpoint", checkpoint.reason);
    return undefined;
  }
  auditCosignatures(checkpoint, trust, refuse);
  if (before !== undefined && checkpoint.size < before.size) {
    refuse(
      "checkpoint",
      `is of ${checkpoint.size} entries, and one of ${before.size} was seen before: entries were taken back, or the API shows an old log`,
    );
  } else if (before !== undefined) {
    const proofs = checkpoint.size === before.size || before.size === 0 ? [] : await consistency(api, before.size, checkpoint.size, refuse);
    if (failures.length === 0 && !verifyConsistency(before, checkpoint, proofs)) {
      refuse(
        "consistency",
        `does not show that the log of size ${checkpoint.size} extends the one of size ${before.size} that was seen before: the log was rewritten, or there are two`,
      );
    }
  }
  return failures.length === 0 ? checkpoint : undefined;
};

/** An API that shows two checkpoints and cannot show that one extends the other has not proven them. */
const consistency = async (api: AuditApi, from: number, to: number, fail: Fail): Promise<Uint8Array[]> => {
  let value: unknown;
  try {
    value = await askApi(api, `/v1/consistency?from=${from}&to=${to}`);
  } catch (error) {
    if (!isFailure(error, "NameUnknown") && !isFailure(error, "UsageInvalid")) throw error;
    fail("consistency", `is not shown between size ${from}, which was seen before, and ${to}: ${error.message}`);
    return [];
  }
  const misfit = checkConsistency(value, "consistency");
  if (misfit === undefined) return (value as { proof: string[] }).proof.map(fromHex);
  fail(misfit.part, misfit.reason);
  return [];
};

/** Why an entry does not count: it is not in the log, or not what was asked for. */
const refuteEntry = (
  { index, entry, inclusion, database }: Page["entries"][number],
  { size, root }: Checkpoint,
  { database: wanted, kind, since, until }: EntryFilter,
  before: number,
): { part: string; reason: string } | undefined => {
  if (index <= before) return { part: "", reason: "is not in the log's order" };
  if (!verifyInclusion(leafHash(entryBytes(entry)), index, size, inclusion.map(fromHex), root))
    return { part: ".inclusion", reason: "does not lead from the entry to the checkpoint's root" };
  const commitment = "database" in entry ? entry.database : undefined;
  if (database !== undefined && commit(database.name, database.salt) !== commitment)
    return { part: ".database", reason: "does not open the entry's commitment to a database" };
  const fits =
    (wanted === undefined || database?.name === wanted) &&
    (kind === undefined || entry.kind === kind) &&
    (since === undefined || entry.time >= since) &&
    (until === undefined || entry.time < until);
  return fits ? undefined : { part: "", reason: "is not one that was asked for" };
};

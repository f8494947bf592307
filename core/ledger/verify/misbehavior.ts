import type { AuditFailure } from "./audit.ts";
import { type Checkpoint, headOf } from "./checkpoint.ts";
import { checkEntry, entryBytes, type LogEntry } from "./entry.ts";
import { fromHex, leafHash, toHex } from "./hash.ts";
import { longestProof, verifyInclusion } from "./merkle.ts";
import { count, exactly, hash, listOf, object, text } from "./shape.ts";
import { openTrustedCheckpoint, type Trust } from "./trust.ts";

/**
 * Proof that the log's keys signed two views that cannot both be true: two roots for one size, or two entries for one place. Anybody who
 * knows the key can check it, and nobody without the key can make one.
 */
export interface Misbehavior {
  readonly format: "dbgov-misbehavior";
  readonly version: 1;
  readonly views: readonly SignedView[];
}

export interface SignedView {
  /** The signed note. */
  readonly checkpoint: string;
  /** An entry that is in the log by this checkpoint. */
  readonly entry?: { readonly entry: LogEntry; readonly index: number; readonly inclusion: readonly string[] };
}

export interface MisbehaviorReport {
  /** Whether the misbehavior is proven. */
  readonly verified: boolean;
  /** What the log did, in words; null unless it is proven. */
  readonly misbehavior: string | null;
  readonly failures: readonly AuditFailure[];
}

const checkMisbehavior = object({
  format: exactly("dbgov-misbehavior"),
  version: exactly(1),
  views: listOf(
    object(
      { checkpoint: text(/^[\s\S]{1,16384}$/, "a signed note") },
      { entry: object({ entry: checkEntry, index: count, inclusion: listOf(hash, longestProof) }) },
    ),
    2,
  ),
});

/** Checks a proof of misbehavior against the keys that the auditor trusts to be, or to have been, the log's. Never throws. */
export const auditMisbehavior = (value: unknown, trust: Trust): MisbehaviorReport => {
  const no = (part: string, reason: string): MisbehaviorReport => ({ verified: false, misbehavior: null, failures: [{ part, reason }] });
  const misfit = checkMisbehavior(value, "");
  if (misfit !== undefined) return no(misfit.part || "misbehavior", misfit.reason);
  const { views } = value as Misbehavior;
  if (views.length !== 2) return no("views", "must be two");
  const heads: SignedHead[] = [];
  for (const [at, view] of views.entries()) {
    const head = openTrustedCheckpoint(view.checkpoint, trust);
    if ("reason" in head) return no(`views[${at}].checkpoint`, head.reason);
    if (view.entry !== undefined && !isIncluded(view.entry, head))
      return no(`views[${at}].entry`, "is not in the log by this view's checkpoint");
    heads.push(head);
  }
  const misbehavior = contradictionOf(views as [SignedView, SignedView], heads as [SignedHead, SignedHead]);
  if (misbehavior === undefined) return no("views", "do not contradict each other");
  return { verified: true, misbehavior: misbehavior + ofRetired(heads), failures: [] };
};

type SignedHead = Checkpoint & { readonly until?: string };

/** A retired key may have been in other hands when it signed; the proof does not say when that was. */
const ofRetired = (heads: readonly SignedHead[]): string => {
  const until = heads.flatMap((head) => (head.until === undefined ? [] : [head.until])).toSorted();
  return until.length === 0
    ? ""
    : `; ${until.length === 1 ? "one of them" : "both"} with a key that was retired at ${until.join(" and ")}, by whoever had it`;
};

const isIncluded = ({ entry, index, inclusion }: NonNullable<SignedView["entry"]>, { size, root }: Checkpoint): boolean =>
  verifyInclusion(leafHash(entryBytes(entry)), index, size, inclusion.map(fromHex), root);

const contradictionOf = ([one, two]: [SignedView, SignedView], [first, second]: [Checkpoint, Checkpoint]): string | undefined => {
  const [a, b] = [headOf(first), headOf(second)];
  if (a.size === b.size && a.root !== b.root) return `the log ${first.origin} signed two roots for size ${a.size}: ${a.root} and ${b.root}`;
  if (one.entry === undefined || two.entry === undefined || one.entry.index !== two.entry.index) return undefined;
  const [here, there] = [one.entry, two.entry].map(({ entry }) => toHex(leafHash(entryBytes(entry))));
  return here === there ? undefined : `the log ${first.origin} signed two entries at index ${one.entry.index}: ${here} and ${there}`;
};

import type { AuditFailure } from "./audit.ts";
import type { ProofBundle } from "./bundle.ts";
import { type Checkpoint, headOf } from "./checkpoint.ts";
import { fromHex } from "./hash.ts";
import { verifyConsistency } from "./merkle.ts";
import { auditMisbehavior, type Misbehavior, type SignedView } from "./misbehavior.ts";
import { openTrustedCheckpoint, type Trust } from "./trust.ts";

/** What one auditor was shown: a signed checkpoint, or a bundle of the right shape. */
export type Shown = { readonly note: string } | { readonly bundle: ProofBundle };

export interface Comparison {
  /** Whether both were shown one log, as far as the one who was shown less can tell. */
  readonly verified: boolean;
  /** The largest size at which both were shown the same; null when there is none. */
  readonly common: number | null;
  /** What two views of the log's own signing contradict each other in; a third person can check it. */
  readonly misbehavior: Misbehavior | null;
  readonly failures: readonly AuditFailure[];
}

interface View {
  readonly view: SignedView;
  readonly head: Checkpoint;
}

/** Compares what two auditors of one log were shown. Never throws. */
export const compareViews = (first: Shown, second: Shown, trust: Trust): Comparison => {
  const failures: AuditFailure[] = [];
  const [here, there] = [viewsOf(first, "first", trust, failures), viewsOf(second, "second", trust, failures)];
  for (const one of here) {
    for (const other of there) {
      const views = [one.view, other.view];
      const misbehavior: Misbehavior = { format: "dbgov-misbehavior", version: 1, views };
      const found = auditMisbehavior(misbehavior, trust).misbehavior;
      if (found !== null)
        return { verified: false, common: commonSize(here, there), misbehavior, failures: [{ part: "log", reason: found }] };
    }
  }
  const common = commonSize(here, there);
  const [seen, alsoSeen] = [largest(here), largest(there)];
  if (failures.length === 0 && seen !== undefined && alsoSeen !== undefined && common !== Math.min(seen, alsoSeen)) {
    const upTo = common === null ? "share no checkpoint" : `share the log up to size ${common} only`;
    const [less, more] = [Math.min(seen, alsoSeen), Math.max(seen, alsoSeen)];
    failures.push({ part: "heads", reason: `${upTo}; ask for a proof at size ${more} or beyond from size ${less}` });
  }
  return { verified: failures.length === 0, common, misbehavior: null, failures };
};

const largest = (views: readonly View[]): number | undefined =>
  views.length === 0 ? undefined : Math.max(...views.map(({ head }) => head.size));

const commonSize = (here: readonly View[], there: readonly View[]): number | null => {
  const heads = new Set(there.map(({ head }) => JSON.stringify(headOf(head))));
  const sizes = here.filter(({ head }) => heads.has(JSON.stringify(headOf(head)))).map(({ head }) => head.size);
  return sizes.length === 0 ? null : Math.max(...sizes);
};

const viewsOf = (shown: Shown, part: string, trust: Trust, failures: AuditFailure[]): View[] => {
  const open = (note: string, where: string): Checkpoint | undefined => {
    const head = openTrustedCheckpoint(note, trust);
    if (!("reason" in head)) return head;
    failures.push({ part: where, reason: head.reason });
    return undefined;
  };
  if ("note" in shown) {
    const head = open(shown.note, part);
    return head === undefined ? [] : [{ head, view: { checkpoint: shown.note } }];
  }
  const { checkpoint, consistency, entry, index, inclusion } = shown.bundle;
  const head = open(checkpoint, `${part}.checkpoint`);
  if (head === undefined) return [];
  const alone: View = { head, view: { checkpoint } };
  const withEntry: View = { head, view: { checkpoint, entry: { entry, index, inclusion } } };
  const views = [alone, withEntry];
  const other = consistency === undefined ? undefined : open(consistency.checkpoint, `${part}.consistency.checkpoint`);
  if (consistency === undefined || other === undefined) return views;
  const [older, newer] = other.size <= head.size ? [other, head] : [head, other];
  if (!verifyConsistency(older, newer, consistency.proof.map(fromHex))) {
    failures.push({ part: `${part}.consistency.proof`, reason: `does not show that size ${newer.size} extends size ${older.size}` });
  }
  return [...views, { head: other, view: { checkpoint: consistency.checkpoint } }];
};

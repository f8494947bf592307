/**
 * What is found wrong with a copy or a store, and how far a store is believed because of it. Pure arithmetic.
 *
 * `missing`: the object is not there. `changed`: other bytes than were written, also when asked again. `length`: of another size.
 * `unsteady`: other bytes now than a moment ago. `unreachable`, `throttled`, `refused`: the store as a whole did not answer, or not us.
 * `ending`, `unfunded`: what its service ends soon is not renewed, or the money for that runs out.
 */
export const findingKinds = [
  "missing",
  "changed",
  "length",
  "unsteady",
  "unreachable",
  "throttled",
  "refused",
  "ending",
  "unfunded",
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** A copy that is one of these counts no longer, and is replaced. */
export const badCopyKinds: readonly FindingKind[] = ["missing", "changed", "length"];

/** Answers of one kind that a store gave on one day; `proven` are copies whose blocks were all right. */
export interface StoreEvidence {
  readonly kind: FindingKind | "proven";
  /** How long ago that day was, in days. */
  readonly ageDays: number;
  readonly answers: number;
}

/** How much one such answer weighs against a store. One that lies is worse than one that loses, and that is worse than one that is away. */
const weights: Readonly<Record<FindingKind, number>> = {
  changed: 50,
  length: 50,
  unsteady: 50,
  missing: 25,
  unreachable: 2,
  refused: 2,
  throttled: 1,
  ending: 0,
  unfunded: 0,
};

/** So much is believed of a store that nobody has asked yet, and no number of right answers makes up for more. */
const credit = 10;
const mostCredit = 100;
/** What was found weighs half after so many days. */
const halfLifeDays = 30;

/**
 * Between 0 and 1: right answers (10 are given in advance, 100 count at most), against those and what weighs against the store. One changed
 * object makes 0.67 of 1; ten missing ones 0.29; they are forgiven by half every 30 days.
 */
export const trustOf = (evidence: readonly StoreEvidence[]): number => {
  let right = credit;
  let against = 0;
  for (const { kind, ageDays, answers } of evidence) {
    const faded = answers * 2 ** (-Math.max(0, ageDays) / halfLifeDays);
    if (kind === "proven") right += faded;
    else against += faded * weights[kind];
  }
  const counted = Math.min(mostCredit, right);
  return counted / (counted + against);
};

/** A store below this is read last, and challenged more densely. */
export const doubtedBelow = 0.9;

/** A store that is doubted is covered in less time: never less than an eighth of the period. */
const densest = 1 / 8;

export interface ChallengeShare {
  /** Copies to challenge in this pass. */
  readonly copies: number;
  /** Blocks of each pack. */
  readonly blocks: number;
}

export interface Cover {
  /** How long the pass before this one is ago, or will be when the next one comes, in milliseconds. */
  readonly everyMs: number;
  /** Within which every copy is to be challenged, in milliseconds. */
  readonly coverMs: number;
  /** Blocks of a pack of a store that is fully believed. */
  readonly blocks: number;
}

/**
 * How many of a store's copies a pass challenges: an equal share, so that all are covered in time; and of those that are overdue as many as
 * make the pass four times as long at most, so that a store that was away, or a young catalog, does not burst its traffic.
 */
export const shareOf = (total: number, overdue: number, trust: number, { everyMs, coverMs, blocks }: Cover): ChallengeShare => {
  const factor = trust >= doubtedBelow ? 1 : Math.max(densest, trust);
  const share = Math.ceil((total * Math.min(everyMs, coverMs)) / (coverMs * factor));
  return { copies: Math.min(total, Math.max(share, Math.min(overdue, 4 * share))), blocks: Math.ceil(blocks / factor) };
};

/** The names, those of doubted stores last; otherwise in the order in which they came. */
export const inOrderOfTrust = (names: readonly string[], trust: ReadonlyMap<string, number>): string[] => {
  const doubt = (name: string): number => ((trust.get(name) ?? 1) >= doubtedBelow ? 0 : 1 - (trust.get(name) ?? 1));
  return [...names].sort((a, b) => doubt(a) - doubt(b));
};

/**
 * Packs of which little is needed, and which of them are worth emptying. What the newest snapshots need of a pack is captured again by
 * the next ones, once captures may not refer to the pack any more: it is then retiring, and goes with the last older snapshot that needs
 * it. What only older snapshots need cannot be moved: it goes with them. Pure; equal facts give equal plans.
 */

export interface PackFacts {
  readonly id: string;
  /** As it is stored. */
  readonly bytes: number;
  /** Of a pack that had only the chunks which living snapshots need. */
  readonly liveBytes: number;
  /** Of one that had only those which the newest snapshots of databases need. */
  readonly neededBytes: number;
  /** Ranges of the newest snapshots that refer to it, with the bytes of their whole content: a range is captured again as a whole. */
  readonly ranges: readonly { readonly id: string; readonly bytes: number }[];
  readonly writtenAt: Date;
  /** It is retiring since an earlier run. */
  readonly retiring: boolean;
  /** A legal hold names a snapshot that needs it, or a store holds it. */
  readonly held: boolean;
  /** A snapshot that needs it stays for longer than a rewriting may take to pay. */
  readonly stays: boolean;
  /** The newest snapshot of a database that nobody backs up any more needs it. */
  readonly abandoned: boolean;
  /** A store that has it deletes nothing. */
  readonly forever: boolean;
  readonly lockedUntil: Date | null;
  /** Until when stores bill it, deleted or not. */
  readonly billedUntil: Date | null;
}

export interface SparseRules {
  /** A pack is sparse when less than this share of it is needed; 0 to 1. */
  readonly below: number;
  /** Content that captures read again on account of one run, in bytes. 0 rewrites nothing. */
  readonly bytesPerRun: number;
  /** What may be stored anew while the old packs are still there, in bytes. */
  readonly room: number;
  /** What was written after this is left alone. */
  readonly youngAfter: Date;
  /** By when a pack must be gone for its rewriting to pay. */
  readonly paysBy: Date;
  readonly now: Date;
}

/**
 * `rewrite`: the next snapshots capture again what is needed of it. `moved`: they did, and it waits for older snapshots. The others are left as they
 * are. `old`: only older snapshots need it. `off`: nothing is to be rewritten. `young`, `locked`, `billed`: not yet. `held`: a hold stands. `stays`: a
 * snapshot keeps it for too long. `abandoned`: no capture will come. `forever`: a store keeps it anyway. `costly`: too much would be read for it.
 * `budget`: it is a later run's. `room`: a store is too full to have both for a while.
 */
export type SparseVerdict =
  | ("rewrite" | "moved" | "old" | "off" | "young" | "held" | "stays" | "abandoned")
  | ("forever" | "locked" | "billed" | "costly" | "budget" | "room");

export interface SparsePack {
  readonly id: string;
  readonly bytes: number;
  readonly liveBytes: number;
  readonly neededBytes: number;
  readonly verdict: SparseVerdict;
  /** Until when it waits, where that is known. */
  readonly until: Date | null;
}

/** The packs of one verdict. */
export interface SparseSummary {
  readonly verdict: SparseVerdict;
  readonly packs: number;
  /** As they are stored. */
  readonly bytes: number;
  /** Of these, what no living snapshot needs. */
  readonly deadBytes: number;
  /** Of these, what the newest snapshots need. */
  readonly neededBytes: number;
  /** When the last of them need wait no longer, where that is known. */
  readonly until: string | null;
}

/** Captures refer to it no more. */
export const isRetiring = (verdict: SparseVerdict): boolean => verdict === "rewrite" || verdict === "moved";

/** Of what is read, at least so much must be freed. */
const leastFreed = 1 / 16;

/** Of these packs those that are sparse, by id, each with what becomes of it. */
export const planSparsePacks = (packs: readonly PackFacts[], rules: SparseRules): SparsePack[] => {
  const sparse = packs.filter(({ bytes, liveBytes }) => liveBytes < rules.below * bytes);
  const obstacles = new Map(sparse.map((pack) => [pack.id, obstacleOf(pack, rules)]));
  const chosen = choose(
    sparse.filter(({ id }) => obstacles.get(id) === undefined),
    rules,
  );
  return sparse
    .map((pack): SparsePack => {
      const { id, bytes, liveBytes, neededBytes } = pack;
      const { verdict, until } = obstacles.get(id) ?? { verdict: chosen.get(id)!, until: null };
      return { id, bytes, liveBytes, neededBytes, verdict, until };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
};

/** What decides about the pack by itself; undefined when it may be rewritten. */
const obstacleOf = (
  pack: PackFacts,
  { bytesPerRun, youngAfter, paysBy, now }: SparseRules,
): Pick<SparsePack, "verdict" | "until"> | undefined => {
  const alone = (verdict: SparseVerdict, until: Date | null = null) => ({ verdict, until });
  if (bytesPerRun === 0) return alone("off");
  // What was moved stays out of captures' sight, whatever else there is: else they would refer to it again.
  if (pack.ranges.length === 0) return alone(pack.retiring ? "moved" : "old");
  if (pack.writtenAt > youngAfter) return alone("young");
  if (pack.held) return alone("held");
  if (pack.forever) return alone("forever");
  if (pack.abandoned) return alone("abandoned");
  if (pack.stays) return alone("stays");
  if (pack.lockedUntil !== null && pack.lockedUntil > paysBy) return alone("locked", pack.lockedUntil);
  if (pack.billedUntil !== null && pack.billedUntil > now) return alone("billed", pack.billedUntil);
  return undefined;
};

/** The packs that free most for what is read go first. A range that is read anyway costs the next pack nothing. */
const choose = (candidates: readonly PackFacts[], { bytesPerRun, room }: SparseRules): Map<string, SparseVerdict> => {
  const costOf = ({ ranges }: PackFacts, read: ReadonlySet<string>): number =>
    [...new Map(ranges.filter(({ id }) => !read.has(id)).map(({ id, bytes }) => [id, bytes])).values()].reduce(
      (sum, bytes) => sum + bytes,
      0,
    );
  const freed = ({ bytes, neededBytes }: PackFacts): number => bytes - neededBytes;
  const none = new Set<string>();
  const rankOf = new Map(candidates.map((pack) => [pack.id, freed(pack) / Math.max(costOf(pack, none), 1)]));
  const ranked = candidates.toSorted((a, b) => rankOf.get(b.id)! - rankOf.get(a.id)! || (a.id < b.id ? -1 : 1));
  const verdicts = new Map<string, SparseVerdict>();
  const read = new Set<string>();
  let [spent, stored] = [0, 0];
  const judge = (pack: PackFacts): SparseVerdict => {
    const cost = costOf(pack, read);
    if (freed(pack) < cost * leastFreed) return "costly";
    if (spent + cost > bytesPerRun) return "budget";
    if (stored + pack.neededBytes > room) return "room";
    spent += cost;
    stored += pack.neededBytes;
    for (const { id } of pack.ranges) read.add(id);
    return "rewrite";
  };
  for (const pack of ranked) verdicts.set(pack.id, judge(pack));
  // What is read by now may have made others cheaper.
  for (const pack of ranked) if (verdicts.get(pack.id) !== "rewrite") verdicts.set(pack.id, judge(pack));
  return verdicts;
};

/**
 * Which snapshots count. A run by hand, or a thousand forged ones, must not push those of the schedule out of the places that
 * a policy has: what comes closer to a snapshot that counts than the spacing is an extra one, and has places of its own.
 */

export interface SpacedSnapshot {
  readonly snapshot: string;
  readonly capturedAt: Date | string;
  /** When it was sealed: the two must fit, or whoever writes snapshots could put them into any month. */
  readonly sealedAt: Date | string;
}

/** Longer than a run takes, or waits for its reset: what is older, and not done, will not be. */
export const longestRunMs = 7 * 24 * 60 * 60_000;

/** The time that a snapshot counts at: when it was captured, or when it was sealed if that cannot be. */
export const countedAt = ({ capturedAt, sealedAt }: Omit<SpacedSnapshot, "snapshot">): Date => {
  const [captured, sealed] = [new Date(capturedAt), new Date(sealedAt)];
  const believable = captured <= sealed && sealed.getTime() - captured.getTime() <= longestRunMs;
  return believable ? captured : sealed;
};

/**
 * The snapshots that count. Judged in the order in which they were sealed, removed ones among them, so that neither a later
 * snapshot nor a removal changes what an earlier one is: the first of a night counts, whatever comes after it.
 */
export const regularSnapshots = (all: readonly SpacedSnapshot[], spacingMs: number): ReadonlySet<string> => {
  const inOrder = all.map((one) => ({ ...one, sealed: new Date(one.sealedAt).getTime(), at: countedAt(one).getTime() }));
  inOrder.sort((a, b) => a.sealed - b.sealed || (a.snapshot < b.snapshot ? -1 : 1));
  const times: number[] = []; // of those that count, ascending
  const regular = new Set<string>();
  for (const { snapshot, at } of inOrder) {
    const place = firstNotBefore(times, at);
    const [before, after] = [times[place - 1], times[place]];
    if ((before !== undefined && at - before < spacingMs) || (after !== undefined && after - at < spacingMs)) continue;
    times.splice(place, 0, at);
    regular.add(snapshot);
  }
  return regular;
};

const firstNotBefore = (ascending: readonly number[], value: number): number => {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

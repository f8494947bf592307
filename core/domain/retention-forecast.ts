import { planRetention, type RetainedSnapshot } from "./retention.ts";
import type { RetentionRules } from "./retention-rules.ts";

/** What the rules will have let go of by a later time, if backups go on as they do. */

/** So many snapshots to come are enough to tell: with more, the pause between them is reckoned longer. */
const mostToCome = 2_000;

/**
 * Those of a database's live snapshots that are gone by `until`, as `planRetention` would say at that time, with a snapshot every
 * `pauseMs` between `now` and then. What is held stays.
 */
export const goneBy = (
  snapshots: readonly RetainedSnapshot[],
  rules: RetentionRules,
  timeZone: string,
  { now, until, pauseMs }: { readonly now: Date; readonly until: Date; readonly pauseMs: number },
): Set<string> => {
  const span = Math.max(until.getTime() - now.getTime(), 0);
  const pause = Math.max(pauseMs, span / mostToCome, 1);
  const toCome = Array.from({ length: Math.floor(span / pause) }, (_, n): RetainedSnapshot => {
    const at = new Date(now.getTime() + (n + 1) * pause);
    return { snapshot: `to come ${n}`, capturedAt: at, replicated: true, verified: true, held: false };
  });
  const { deletions } = planRetention([...snapshots, ...toCome], { ...rules, mostPerRun: Number.MAX_SAFE_INTEGER }, timeZone, until);
  const gone = new Set(deletions);
  return new Set(snapshots.map(({ snapshot }) => snapshot).filter((snapshot) => gone.has(snapshot)));
};

const dayMs = 86_400_000;

/** Whether backups still come: the newest snapshot is no older than twice the pause before it, or two days. */
export const isBackedUp = (capturedAt: readonly Date[], now: Date): boolean => {
  const [newest, before] = capturedAt.map((at) => at.getTime()).sort((a, b) => b - a);
  if (newest === undefined) return false;
  return now.getTime() - newest <= 2 * Math.max(dayMs, newest - (before ?? newest));
};

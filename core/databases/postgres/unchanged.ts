import { eachLimited } from "../../domain/each-limited.ts";
import { Failure, isFailure } from "../../domain/failure.ts";
import type { EarlierContent } from "../engine.ts";
import type { Address } from "./address.ts";
import { type TableMark, tableOf } from "./marks.ts";
import type { Session } from "./session.ts";
import { closeIdleSessions, withLeasedSession } from "./snapshot-session.ts";
import type { RowsSelector, RowsTarget } from "./targets.ts";

/**
 * How the server tells, without reading a value, that a part's rows are what they were. A committed row version never changes, and
 * every new one carries the number of the transaction that made it. So if no visible row of the same blocks was made by a transaction
 * that was running or unborn at the earlier snapshot, then all of them were visible there, too; and if there are as many of them as
 * there were, then they are the same ones. What else this rests on is in `marks.ts` and decision 10.
 */

/** What a row keeps of its transaction's number wraps at 2^32, and `age` counts up to 2^31: the rest is for what begins while this is looked at. */
const farthest = 2n ** 30n;

/** Whether a part can be told at all: all that its mark stands for is as it was. Asks the server nothing. */
const comparable = ({ stream, part, mark }: EarlierContent): boolean => {
  const [before, now] = [mark as TableMark, stream.mark as TableMark | undefined];
  const table = tableOf(stream.target as RowsTarget, part.selector as RowsSelector);
  if (now === undefined || table === undefined || before.tables[table] === undefined) return false;
  const apart = BigInt(now.unborn) - BigInt(before.running);
  return before.server === now.server && before.tables[table] === now.tables[table] && apart >= 0n && apart < farthest;
};

/** What one statement looks at: less where that gives two sessions something to do, and no less than is worth a statement. */
const partsPerStatement = 50;
const bytesPerStatement = { least: 2 ** 26, most: 2 ** 30, share: 1 / 4 } as const;
/** As a capture reads. Where the server allows one only, they take turns. */
const sessionsAtOnce = 2;

/** Which parts are unchanged under the held snapshot: one scan of what can be told. */
export const findUnchanged = async (
  address: Address,
  token: string,
  parts: readonly EarlierContent[],
  report: (done: number) => void,
  signal: AbortSignal,
): Promise<boolean[]> => {
  const unchanged = parts.map(() => false);
  const toAsk = parts.map((part, index) => ({ ...part, index })).filter(comparable);
  let done = parts.length - toAsk.length;
  await eachLimited(statementsOf(toAsk), sessionsAtOnce, async (some) => {
    // The answer counts only if the hold, and so its locks, still stand when the session is given back.
    const found = await withLeasedSession(address, token, signal, (session) => lookForChanges(session, some));
    some.forEach(({ index }, at) => {
      unchanged[index] = found[at] === true;
    });
    done += some.length;
    report(done);
  });
  // What captures comes from other threads, and finds no room where the server allows few connections.
  await closeIdleSessions(address);
  return unchanged;
};

/** Exported for its tests. */
export const statementsOf = <T extends Pick<EarlierContent, "part">>(parts: readonly T[]): T[][] => {
  const { least, most, share } = bytesPerStatement;
  const wanted = Math.min(most, Math.max(least, share * parts.reduce((sum, { part }) => sum + part.estimatedBytes, 0)));
  const statements: T[][] = [];
  let bytes = 0;
  for (const part of parts) {
    const last = statements.at(-1);
    bytes += part.part.estimatedBytes;
    if (last !== undefined && last.length < partsPerStatement && bytes <= wanted) last.push(part);
    else {
      statements.push([part]);
      bytes = part.part.estimatedBytes;
    }
  }
  return statements;
};

/** Which of these comparable parts are unchanged, as the session's snapshot sees them: one statement for all. */
const lookForChanges = async (session: Session, parts: readonly EarlierContent[]): Promise<boolean[]> => {
  try {
    const found = await session.query<Found>(parts.map(partSql).join(" UNION ALL "));
    const byPart = new Map(found.map((row) => [row.part, row]));
    return parts.map(({ rows }, index) => {
      const now = byPart.get(index);
      // Negative: more than 2^31 transactions began, and `age` has wrapped.
      return now !== undefined && now.since >= 0 && now.fresh === "0" && now.rows === String(rows);
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
    const [first] = parts;
    throw new Failure(error.type, `${error.message}, while looking whether ${first?.stream.name} or what comes after it has changed`, {
      cause: error,
    });
  }
};

interface Found {
  readonly part: number;
  /** How many transactions ago the earlier snapshot's first one was that is not known to have been over. */
  readonly since: number;
  /** Visible rows, and how many of them are not older than that. */
  readonly rows: string;
  readonly fresh: string;
}

/**
 * `age` is how many transactions ago, the same all through a statement; negative for a row frozen so long ago that its number has
 * come to mean a transaction that is not born yet. One whose number means a recent one again only costs a read. This is the
 * cheapest of what was tried: 0.06 s of CPU for a million rows (decision 10).
 */
const partSql = ({ stream, part, mark }: EarlierContent, index: number): string => {
  const selector = part.selector as Exclude<RowsSelector, { objects: unknown }>;
  const running = BigInt.asUintN(32, BigInt((mark as TableMark).running));
  const blocks =
    "whole" in selector ? "" : `WHERE ctid >= '(${selector.from},0)'${selector.to === undefined ? "" : ` AND ctid < '(${selector.to},0)'`}`;
  const since = `(SELECT age('${running}'::xid))`;
  return `SELECT ${index} AS part, ${since} AS since, count(*)::text AS rows,
      count(*) FILTER (WHERE age(xmin) <= ${since} AND age(xmin) >= 0)::text AS fresh
    FROM ONLY ${tableOf(stream.target as RowsTarget, selector)} ${blocks}`;
};

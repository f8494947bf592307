import { type Catalog, query } from "./catalog.ts";

/** What the last drills of a database measured, taken together. */
export interface DrillRate {
  readonly drills: number;
  readonly bytesPerSecond: number;
}

const drillsAsked = 5;

/** Of the last drills that succeeded; undefined when there was none. Seconds until the last index stood, without the comparison. */
export const drillRate = async (catalog: Catalog, database: string): Promise<DrillRate | undefined> => {
  const [found] = await query<{ drills: number; bytes: number; seconds: number }>(
    catalog,
    `reading the rate of the drills of ${database}`,
    `SELECT count(*)::int AS drills, coalesce(sum(bytes), 0)::float8 AS bytes, coalesce(sum(seconds), 0)::float8 AS seconds
     FROM (SELECT bytes, seconds FROM dbgov.drill WHERE database = $1 AND identical ORDER BY at DESC LIMIT ${drillsAsked}) recent`,
    [database],
  );
  return found === undefined || found.seconds <= 0 ? undefined : { drills: found.drills, bytesPerSecond: found.bytes / found.seconds };
};

import { type Catalog, query } from "./catalog.ts";

/**
 * The size of the checkpoint that proves most about the log entry at `index`: among the first hundred over it that a final transaction recorded or an
 * authority time-stamped, the earliest of those with the most of such evidence. Undefined when there is none yet.
 */
export const attestedSize = async (catalog: Catalog, index: number): Promise<number | undefined> => {
  const [found] = await query<{ size: number }>(
    catalog,
    `finding what attests log entry ${index}`,
    `SELECT size FROM (
       SELECT size, count(*) AS evidence FROM (
         SELECT size, anchor AS by FROM dbgov.anchor WHERE status = 'finalized' AND size > $1
         UNION SELECT size, authority FROM dbgov.timestamp_token WHERE size > $1
       ) AS attested GROUP BY size ORDER BY size LIMIT 100
     ) AS nearest ORDER BY evidence DESC, size LIMIT 1`,
    [index],
  );
  return found?.size;
};

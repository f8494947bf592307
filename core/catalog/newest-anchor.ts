import { type Catalog, query } from "./catalog.ts";

/** A final anchor: a checkpoint, and the block of a chain that it is recorded in. */
export interface FinalAnchor {
  readonly size: number;
  readonly root: string;
  readonly chainId: number;
  readonly blockHash: string;
}

/** The final anchor of the largest checkpoint that covers the log entry at `index`. */
export const newestAnchor = async (catalog: Catalog, index: number): Promise<FinalAnchor | undefined> => {
  const [found] = await query<FinalAnchor>(
    catalog,
    `finding the newest anchor over log entry ${index}`,
    `SELECT size, encode(root, 'hex') AS root, chain_id AS "chainId", block_hash AS "blockHash" FROM dbgov.anchor
     WHERE status = 'finalized' AND size > $1 AND block_hash IS NOT NULL ORDER BY size DESC, anchor, at LIMIT 1`,
    [index],
  );
  return found;
};

import { type Catalog, query } from "./catalog.ts";
import type { AnchorRecord } from "./records.ts";
import type { TimestampRecord } from "./timestamps.ts";

/** What is final on any chain for checkpoints of more than `after` entries, smallest first: `limit` rows, and those that share the last one's size. */
export const pageAnchors = (catalog: Catalog, after: number, limit: number): Promise<AnchorRecord[]> =>
  query<AnchorRecord>(
    catalog,
    "listing anchors",
    `SELECT * FROM (
       SELECT anchor, size, encode(root, 'hex') AS root, chain_id AS "chainId", contract, transaction, block, block_hash AS "blockHash", status, at
       FROM dbgov.anchor WHERE status = 'finalized' AND size > $1 ORDER BY size FETCH FIRST $2 ROWS WITH TIES) page
     ORDER BY size, anchor, at`,
    [after, limit],
  );

/** The same of the tokens of time-stamping authorities. */
export const pageTimestamps = (catalog: Catalog, after: number, limit: number): Promise<TimestampRecord[]> =>
  query<TimestampRecord>(
    catalog,
    "listing time stamps",
    `SELECT * FROM (
       SELECT authority, size, encode(root, 'hex') AS root, token, time FROM dbgov.timestamp_token
       WHERE size > $1 ORDER BY size FETCH FIRST $2 ROWS WITH TIES) page
     ORDER BY size, authority`,
    [after, limit],
  );

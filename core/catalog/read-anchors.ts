import { type Catalog, query } from "./catalog.ts";
import type { AnchorRecord } from "./records.ts";

const select = `SELECT anchor, size, encode(root, 'hex') AS root, chain_id AS "chainId", contract, transaction, block,
  block_hash AS "blockHash", status, at FROM dbgov.anchor`;

/** The smallest finalized anchor that covers the log entry at `index`; of one anchor by name, or of any. */
export const anchorCovering = async (catalog: Catalog, index: number, anchor?: string): Promise<AnchorRecord | undefined> => {
  const [found] = await query<AnchorRecord>(
    catalog,
    `finding the anchor of log entry ${index}`,
    `${select} WHERE status = 'finalized' AND size > $1 AND ($2::text IS NULL OR anchor = $2) ORDER BY size, at LIMIT 1`,
    [index, anchor ?? null],
  );
  return found;
};

/** What is final on any chain for the checkpoint of exactly this size. */
export const finalAnchorsOf = (catalog: Catalog, size: number): Promise<AnchorRecord[]> =>
  query<AnchorRecord>(
    catalog,
    `finding the anchors of size ${size}`,
    `${select} WHERE status = 'finalized' AND size = $1 ORDER BY anchor, at`,
    [size],
  );

/** The record of an anchor with the largest size, whatever its status; with `status`, among those of it. */
export const latestAnchor = async (
  catalog: Catalog,
  anchor: string,
  status?: AnchorRecord["status"],
): Promise<AnchorRecord | undefined> => {
  const [found] = await query<AnchorRecord>(
    catalog,
    `reading the latest record of anchor ${anchor}`,
    `${select} WHERE anchor = $1 AND ($2::text IS NULL OR status = $2) ORDER BY size DESC, status = 'finalized' DESC, at DESC LIMIT 1`,
    [anchor, status ?? null],
  );
  return found;
};

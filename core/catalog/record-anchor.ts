import { type Catalog, query } from "./catalog.ts";
import type { AnchorRecord, Instant } from "./records.ts";

/**
 * How far a checkpoint's transaction has come; the last word stays, so that a reorganization can take `mined` back,
 * but `finalized` is final.
 */
export const recordAnchor = async (catalog: Catalog, anchor: Omit<AnchorRecord, "at"> & { readonly at: Instant }): Promise<void> => {
  await query(
    catalog,
    `recording anchor ${anchor.anchor} of size ${anchor.size}`,
    `INSERT INTO dbgov.anchor AS a (anchor, size, transaction, root, chain_id, contract, block, block_hash, status, at)
     VALUES ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, $8, $9, $10)
     ON CONFLICT (anchor, size, transaction) DO UPDATE SET
       block = excluded.block, block_hash = excluded.block_hash, status = excluded.status, at = excluded.at
     WHERE a.status <> 'finalized'`,
    [
      ...[anchor.anchor, anchor.size, anchor.transaction, anchor.root, anchor.chainId, anchor.contract],
      ...[anchor.block, anchor.blockHash, anchor.status, anchor.at],
    ],
  );
};

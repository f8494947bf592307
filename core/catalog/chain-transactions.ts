import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** A transaction as the catalog keeps it. Amounts are wei, as decimal text. */
export interface ChainTransactionRecord {
  readonly chainId: number;
  readonly account: string;
  readonly nonce: number;
  readonly transaction: string;
  readonly anchor: string;
  readonly size: number;
  readonly root: string;
  readonly raw: string;
  readonly fee: string;
  readonly tip: string;
  readonly maxCost: string;
  readonly sentAt: string;
}

/** Written down before any node hears of it: what a killed worker has sent is known to the next. Idempotent. */
export const recordSent = async (
  catalog: Catalog,
  sent: Omit<ChainTransactionRecord, "sentAt"> & { readonly sentAt: Instant },
): Promise<void> => {
  await query(
    catalog,
    `recording the transaction ${sent.transaction}`,
    `INSERT INTO dbgov.chain_transaction (chain_id, account, nonce, transaction, anchor, size, root, raw, fee, tip, max_cost, status, sent_at)
     VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8, $9, $10, $11, 'sent', $12)
     ON CONFLICT (chain_id, transaction) DO UPDATE SET status = 'sent' WHERE chain_transaction.status = 'dropped'`,
    [
      ...[sent.chainId, sent.account, sent.nonce, sent.transaction, sent.anchor, sent.size, sent.root],
      ...[sent.raw, sent.fee, sent.tip, sent.maxCost, sent.sentAt],
    ],
  );
};

/** The newest transaction on the chain that is not known to be over, whatever anchor it is of. */
export const openTransaction = async (catalog: Catalog, chainId: number): Promise<ChainTransactionRecord | undefined> => {
  const [open] = await query<ChainTransactionRecord>(
    catalog,
    `finding what is on its way on chain ${chainId}`,
    `SELECT chain_id AS "chainId", account, nonce, transaction, anchor, size, encode(root, 'hex') AS root, raw, fee::text, tip::text,
       max_cost::text AS "maxCost", sent_at AS "sentAt"
     FROM dbgov.chain_transaction WHERE chain_id = $1 AND status = 'sent' ORDER BY nonce DESC, sent_at DESC, fee DESC LIMIT 1`,
    [chainId],
  );
  return open;
};

/** The chain knows the transaction no longer, or took another of its nonce. */
export const recordDropped = async (catalog: Catalog, chainId: number, transaction: string): Promise<void> => {
  await query(
    catalog,
    `recording the loss of ${transaction}`,
    "UPDATE dbgov.chain_transaction SET status = 'dropped' WHERE chain_id = $1 AND transaction = $2 AND status = 'sent'",
    [chainId, transaction],
  );
};

/** The transaction is final and has cost this much; others of its account with its nonce, or an earlier one, will never be. */
export const recordFinal = async (catalog: Catalog, chainId: number, transaction: string, cost: string): Promise<void> => {
  await query(
    catalog,
    `recording the end of ${transaction}`,
    `UPDATE dbgov.chain_transaction t
     SET status = CASE WHEN t.transaction = $2 THEN 'final' ELSE 'dropped' END, cost = CASE WHEN t.transaction = $2 THEN $3::numeric ELSE 0 END
     FROM dbgov.chain_transaction f
     WHERE f.chain_id = $1 AND f.transaction = $2 AND t.chain_id = $1 AND t.account = f.account AND t.nonce <= f.nonce
       AND (t.status = 'sent' OR t.nonce = f.nonce)`,
    [chainId, transaction, cost],
  );
};

/**
 * What an anchor's transactions of a month have cost, or may still cost, in wei: of those with one nonce only one can be mined.
 * `except` is a nonce that is not counted, because its transaction is about to be replaced.
 */
export const spentSince = async (catalog: Catalog, anchor: string, since: Instant, except?: number): Promise<bigint> => {
  const [row] = await query<{ spent: string }>(
    catalog,
    `adding up what anchor ${anchor} has cost`,
    `SELECT coalesce(sum(most), 0)::text AS spent FROM (
       SELECT max(coalesce(cost, CASE WHEN status = 'dropped' THEN 0 ELSE max_cost END)) AS most FROM dbgov.chain_transaction
       WHERE anchor = $1 AND sent_at >= $2 AND nonce IS DISTINCT FROM $3 GROUP BY chain_id, account, nonce
     ) nonces`,
    [anchor, since, except ?? null],
  );
  return BigInt(row?.spent ?? "0");
};

import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface TimestampRecord {
  readonly authority: string;
  readonly size: number;
  readonly root: string;
  /** RFC 3161, DER. */
  readonly token: Uint8Array;
  readonly time: string;
}

/** An authority's token for a checkpoint. Idempotent: the first one of a size stays. */
export const recordTimestamp = async (
  catalog: Catalog,
  stamp: Omit<TimestampRecord, "time"> & { readonly time: Instant },
): Promise<void> => {
  await query(
    catalog,
    `recording the time stamp of ${stamp.authority} for size ${stamp.size}`,
    `INSERT INTO dbgov.timestamp_token (authority, size, root, token, time) VALUES ($1, $2, decode($3, 'hex'), $4, $5) ON CONFLICT DO NOTHING`,
    [stamp.authority, stamp.size, stamp.root, Buffer.from(stamp.token), stamp.time],
  );
};

/** The token of the largest checkpoint. */
export const latestTimestamp = async (catalog: Catalog, authority: string): Promise<TimestampRecord | undefined> => {
  const [found] = await query<TimestampRecord>(
    catalog,
    `reading the latest time stamp of ${authority}`,
    `SELECT authority, size, encode(root, 'hex') AS root, token, time FROM dbgov.timestamp_token WHERE authority = $1 ORDER BY size DESC LIMIT 1`,
    [authority],
  );
  return found;
};

/** The tokens of all authorities for the checkpoint of exactly this size. */
export const timestampsOf = (catalog: Catalog, size: number): Promise<TimestampRecord[]> =>
  query<TimestampRecord>(
    catalog,
    `reading the time stamps for size ${size}`,
    `SELECT authority, size, encode(root, 'hex') AS root, token, time FROM dbgov.timestamp_token WHERE size = $1 ORDER BY authority`,
    [size],
  );

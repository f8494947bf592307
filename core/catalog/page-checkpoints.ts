import { type Catalog, query } from "./catalog.ts";
import type { CheckpointRecord } from "./records.ts";

/** Published checkpoints of more than `after` entries, smallest first. */
export const pageCheckpoints = (catalog: Catalog, origin: string, after: number, limit: number): Promise<CheckpointRecord[]> =>
  query<CheckpointRecord>(
    catalog,
    "listing checkpoints",
    `SELECT origin, size, encode(root, 'hex') AS root, published_note AS note, published_at AS at FROM dbgov.checkpoint
     WHERE origin = $1 AND size > $2 AND published_note IS NOT NULL ORDER BY size LIMIT $3`,
    [origin, after, limit],
  );

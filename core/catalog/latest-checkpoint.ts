import { type Catalog, query } from "./catalog.ts";
import type { CheckpointRecord } from "./records.ts";

/** The largest checkpoint, of one log or of the only one. */
export const latestCheckpoint = async (catalog: Catalog, origin?: string): Promise<CheckpointRecord | undefined> => {
  const [checkpoint] = await query<CheckpointRecord>(
    catalog,
    "reading the latest checkpoint",
    `SELECT origin, size, encode(root, 'hex') AS root, note, at FROM dbgov.checkpoint
     WHERE $1::text IS NULL OR origin = $1 ORDER BY size DESC LIMIT 1`,
    [origin ?? null],
  );
  return checkpoint;
};

/** The checkpoint of exactly that size, with its signed note. */
export const checkpointOfSize = async (catalog: Catalog, origin: string, size: number): Promise<CheckpointRecord | undefined> => {
  const [checkpoint] = await query<CheckpointRecord>(
    catalog,
    `reading the checkpoint of size ${size}`,
    "SELECT origin, size, encode(root, 'hex') AS root, note, at FROM dbgov.checkpoint WHERE origin = $1 AND size = $2",
    [origin, size],
  );
  return checkpoint;
};

/** The largest checkpoint that was published: what auditors see, and what is anchored. `note` has the cosignatures of its witnesses. */
export const latestPublished = async (catalog: Catalog, origin: string): Promise<CheckpointRecord | undefined> => {
  const [checkpoint] = await query<CheckpointRecord>(
    catalog,
    "reading the latest published checkpoint",
    `SELECT origin, size, encode(root, 'hex') AS root, published_note AS note, at FROM dbgov.checkpoint
     WHERE origin = $1 AND published_note IS NOT NULL ORDER BY size DESC LIMIT 1`,
    [origin],
  );
  return checkpoint;
};

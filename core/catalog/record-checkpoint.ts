import { Failure } from "../domain/failure.ts";
import { type Catalog, query, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

export interface CheckpointFacts {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  /** The signed note, whole. */
  readonly note: string;
  readonly at: Instant;
}

/** A checkpoint was signed. Idempotent; `LedgerCorrupt` when one of the same size has another root: the log would have forked. */
export const recordCheckpoint = async (catalog: Catalog, { origin, size, root, note, at }: CheckpointFacts): Promise<void> =>
  await transaction(catalog, `recording the checkpoint of size ${size}`, async (db) => {
    await run(
      db,
      "INSERT INTO dbgov.checkpoint (origin, size, root, note, at) VALUES ($1, $2, decode($3, 'hex'), $4, $5) ON CONFLICT DO NOTHING",
      [origin, size, root, note, at],
    );
    const [stored] = await run<{ root: string }>(
      db,
      "SELECT encode(root, 'hex') AS root FROM dbgov.checkpoint WHERE origin = $1 AND size = $2",
      [origin, size],
    );
    if (stored?.root !== root)
      throw new Failure("LedgerCorrupt", `two roots were signed for size ${size} of log ${origin}: the log has forked`);
  });

/** A checkpoint was published, with the cosignatures that `note` has. The last note of a size stays. */
export const recordPublished = async (catalog: Catalog, origin: string, size: number, note: string, at: Instant): Promise<void> => {
  await query(
    catalog,
    `recording that the checkpoint of size ${size} is published`,
    "UPDATE dbgov.checkpoint SET published_note = $3, published_at = coalesce(published_at, $4) WHERE origin = $1 AND size = $2",
    [origin, size, note, at],
  );
};

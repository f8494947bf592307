import { Failure } from "../domain/failure.ts";
import { type Catalog, query } from "./catalog.ts";

/** The landing store has the pack: from here on lookups find its chunks. Idempotent. `PacksReclaimed` when it is unknown or deleted. */
export const markPackWritten = async (catalog: Catalog, id: string): Promise<void> => {
  const rows = await query(
    catalog,
    `marking pack ${id} as written`,
    "UPDATE dbgov.pack SET written_at = coalesce(written_at, now()) WHERE id = decode($1, 'hex') AND deleted_at IS NULL RETURNING pack_no",
    [id],
  );
  if (rows.length === 0) throw new Failure("PacksReclaimed", `pack ${id} is not registered, or was deleted before it was written`);
};

import { Failure } from "../domain/failure.ts";
import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** The hold stands no longer. Idempotent, the first lifting stays. `NameUnknown` when there never was one. */
export const liftHold = async (catalog: Catalog, id: string, by: string, at: Instant): Promise<void> => {
  const rows = await query(
    catalog,
    `lifting hold ${id}`,
    `UPDATE dbgov.hold SET lifted_by = CASE WHEN lifted_at IS NULL THEN $2 ELSE lifted_by END, lifted_at = coalesce(lifted_at, $3)
     WHERE id = $1 RETURNING 1`,
    [id, by, at],
  );
  if (rows.length === 0) throw new Failure("NameUnknown", `there is no hold ${id}`);
};

import { Failure } from "../domain/failure.ts";
import { type Catalog, type Queryable, run, transaction } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** The hold stands no longer. Idempotent, the first lifting stays. `NameUnknown` when there never was one. Returns the database that it concerned. */
export const liftHold = async (catalog: Catalog, id: string, by: string, at: Instant): Promise<string | null> =>
  await transaction(catalog, `lifting hold ${id}`, (db) => liftHoldIn(db, id, by, at));

/** The same within a transaction. */
export const liftHoldIn = async (db: Queryable, id: string, by: string, at: Instant): Promise<string | null> => {
  const [row] = await run<{ database: string | null }>(
    db,
    `UPDATE dbgov.hold h SET lifted_by = CASE WHEN lifted_at IS NULL THEN $2 ELSE lifted_by END, lifted_at = coalesce(lifted_at, $3)
     WHERE id = $1 RETURNING coalesce(h.database, (SELECT s.database FROM dbgov.snapshot s WHERE s.id = h.snapshot)) AS database`,
    [id, by, at],
  );
  if (row === undefined) throw new Failure("NameUnknown", `there is no hold ${id}`);
  return row.database;
};

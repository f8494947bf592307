import { type Catalog, query } from "./catalog.ts";
import type { PackInfo } from "./records.ts";

export interface SnapshotObjects {
  readonly packs: readonly PackInfo[];
  readonly ranges: readonly string[];
}

/** Every pack and range that a live snapshot needs, sorted by id; empty for one that is unknown or removed. */
export const snapshotObjects = async (catalog: Catalog, snapshot: string): Promise<SnapshotObjects> => {
  const during = `listing the objects of snapshot ${snapshot}`;
  const packs = await query<PackInfo>(
    catalog,
    during,
    `SELECT DISTINCT encode(p.id, 'hex') AS id, p.bytes, encode(p.root, 'hex') AS root
     FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no) JOIN dbgov.range_pack USING (range_no)
     JOIN dbgov.pack p USING (pack_no) WHERE s.id = $1 ORDER BY 1`,
    [snapshot],
  );
  const ranges = await query<{ id: string }>(
    catalog,
    during,
    `SELECT encode(r.id, 'hex') AS id FROM dbgov.snapshot s JOIN dbgov.snapshot_range USING (snapshot_no)
     JOIN dbgov.range r USING (range_no) WHERE s.id = $1 ORDER BY 1`,
    [snapshot],
  );
  return { packs, ranges: ranges.map((range) => range.id) };
};

import { type Catalog, query } from "./catalog.ts";
import type { PackInfo } from "./records.ts";

/** Size and Merkle root of the packs that are known among `ids`; in no particular order. */
export const packInfo = (catalog: Catalog, ids: readonly string[]): Promise<PackInfo[]> =>
  query(
    catalog,
    "reading packs",
    `SELECT encode(id, 'hex') AS id, bytes, encode(root, 'hex') AS root FROM dbgov.pack
     WHERE id IN (SELECT decode(hex, 'hex') FROM unnest($1::text[]) AS hex)`,
    [ids],
  );

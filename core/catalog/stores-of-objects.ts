import { type Catalog, query } from "./catalog.ts";

/** In which stores objects of these keys are, or may be. */
export const storesOfObjects = (catalog: Catalog, keys: readonly string[]): Promise<{ object: string; store: string }[]> =>
  query(catalog, "looking where objects are", "SELECT object, store FROM dbgov.replica WHERE object = ANY ($1::text[])", [keys]);

import type { StoreConfig } from "../config/schema.ts";
import type { Store } from "./store.ts";
import { openStore } from "./stores.ts";

/** A store to read from: as a configuration describes it, or by the address that a recovery kit has. Crosses into job threads. */
export type StoreSource = StoreConfig | { readonly address: string };

export const openSource = async (source: StoreSource): Promise<Store> =>
  "address" in source ? (await import("./store-address.ts")).openStoreByUrl(source.address, process.env) : await openStore(source);

import type { StoreKind } from "../../core/stores/store.ts";

/**
 * How often copies are lost, by kind of store: events in a year. Where nobody publishes a rate it is an assumption, said to be one, and
 * rather too high. What a service promises of single objects is not what it can lose as a whole: an account that is closed or taken over,
 * a company that ends.
 */

export interface LossRate {
  readonly rate: number;
  readonly from: string;
}

export interface LossRates {
  /** The store with all that it holds for this organization. */
  readonly store: LossRate;
  /** One pack of it, unnoticed. */
  readonly pack: LossRate;
}

const diskPack: LossRate = {
  rate: 1e-5,
  from: "assumed: in three years 9.4 % of cheap disks had unreadable sectors (Bairavasundaram 2007), here on 10 of the 30,000 packs of a terabyte",
};

const account = (rate: number): LossRate => ({ rate, from: "assumed: the account closed, taken over, or emptied by mistake" });

const network = (rate: number): LossRate => ({
  rate,
  from: "assumed: the service or network ends, contracts lapse, or the account is lost",
});

const elevenNines = (who: string): LossRate => ({ rate: 1e-11, from: `stated: ${who} promises eleven nines for a year` });

export const lossRates: Readonly<Record<StoreKind | "storj" | "sia" | "filecoin", LossRates>> = {
  directory: { store: { rate: 0.0157, from: "stated: disks that failed in 2024 at Backblaze: 1.57 % of some 300,000" }, pack: diskPack },
  "azure-blob": { store: account(0.002), pack: elevenNines("Microsoft, for locally redundant storage,") },
  s3: { store: account(0.002), pack: elevenNines("Amazon") },
  ipfs: {
    store: { rate: 0.01, from: "assumed: all own peers lose their pins by one mistake; each has every pack" },
    pack: { rate: 1e-8, from: "assumed: the same pack damaged on every peer; a peer that has it damaged gets it from another" },
  },
  storj: { store: network(0.01), pack: elevenNines("Storj") },
  sia: { store: network(0.03), pack: { rate: 1e-5, from: "assumed: a slab whose hosts leave faster than it is repaired" } },
  filecoin: { store: network(0.03), pack: { rate: 1e-4, from: "assumed: a provider that loses a piece or stops proving it" } },
  arweave: { store: network(0.01), pack: { rate: 1e-6, from: "assumed: a transaction that no gateway serves" } },
};

/** What takes every store of one failure domain: fire, theft, a region or a provider that is gone. */
export const domainLosses: LossRate = { rate: 0.002, from: "assumed: fire, flood, theft, a provider's region" };

import type { Config, PolicyConfig } from "../../core/config/schema.ts";
import type { CopyPlace, DurabilityModel } from "../../core/domain/durability.ts";
import { domainLosses, type LossRates, lossRates } from "./loss-rates.ts";
import { type Circumstances, timesOf } from "./times.ts";

export interface Case {
  readonly name: string;
  /** The stores that are counted on. */
  readonly stores: readonly string[];
  readonly model: DurabilityModel;
}

const packBytes = 32 * 2 ** 20;

/**
 * Each policy twice: with all of its stores, as it is after every night without trouble; and with only the copies that make a snapshot
 * `replicated`, in those of its stores where they are least safe, as if every night had been degraded. Where the planner chooses among the
 * stores there are no more copies than these.
 */
export const casesOf = (config: Config, circumstances: Circumstances): Case[] =>
  config.policies.flatMap((policy) => {
    const all = [policy.landing, ...policy.stores];
    const fewest = leastSafe(config, policy);
    const caseOf = (name: string, stores: readonly string[]): Case => ({ name, stores, model: modelOf(config, stores, circumstances) });
    if (policy.placement === "planned") return [caseOf(policy.name, fewest)];
    const whole = caseOf(policy.name, all);
    return fewest.length < all.length ? [whole, caseOf(`${policy.name}, degraded for good`, fewest)] : [whole];
  });

const leastSafe = (config: Config, policy: PolicyConfig): string[] => {
  const stores = [policy.landing, ...policy.stores];
  const choices = choose(stores, policy.copies).filter(
    (chosen) => new Set(chosen.map((name) => storeOf(config, name).domain)).size >= policy.domains,
  );
  const risk = (chosen: readonly string[]): number =>
    chosen.reduce((product, name) => product * lossRates[storeOf(config, name).kind].store.rate, 1);
  return choices.reduce((worst, chosen) => (risk(chosen) > risk(worst) ? chosen : worst));
};

const choose = (names: readonly string[], count: number): string[][] =>
  count === 0 ? [[]] : names.flatMap((name, at) => choose(names.slice(at + 1), count - 1).map((rest) => [name, ...rest]));

const storeOf = (config: Config, name: string) => config.stores.find((store) => store.name === name)!;

export const ratesOf = (config: Config, name: string): LossRates => {
  const store = storeOf(config, name);
  const rates = lossRates[store.kind];
  return store.kind === "ipfs" && store.peers.length === 1 ? { ...rates, pack: lossRates.directory.pack } : rates;
};

const modelOf = (config: Config, stores: readonly string[], circumstances: Circumstances): DurabilityModel => {
  const packs = Math.max(1, Math.ceil(circumstances.estateBytes / packBytes));
  const places = stores.map((name): CopyPlace => {
    const { store, pack } = ratesOf(config, name);
    const { times } = timesOf(config, name, packs, circumstances);
    return { name, domain: storeOf(config, name).domain, placeLosses: store.rate, packLosses: pack.rate, times };
  });
  return {
    places,
    domains: [...new Set(places.map(({ domain }) => domain))].map((domain) => ({ domain, losses: domainLosses.rate })),
    packs,
  };
};

import { storeTrust } from "../catalog/store-trust.ts";
import { provenPacks, storeUsage } from "../catalog/store-usage.ts";
import { quotaOfStore } from "../config/allowances.ts";
import { isFailure } from "../domain/failure.ts";
import { fillingFrom } from "../domain/room.ts";
import { doubtedBelow } from "../domain/store-trust.ts";
import { configKey } from "../repository/object-keys.ts";
import type { StoreKind } from "../stores/store.ts";
import type { Site } from "./site.ts";

/**
 * In the order in which they matter: `unreachable` and `refusing` when it was asked just now, `unknown` where its secret is not here; `full` when
 * nothing more fits, `doubted` when its answers were wrong, `filling` from 85 % of the quota on.
 */
export type StoreHealth = "unreachable" | "refusing" | "unknown" | "full" | "doubted" | "filling" | "good";

/** One store at a glance. */
export interface StoreStatus {
  readonly name: string;
  readonly kind: StoreKind;
  /** Bytes that dbgov keeps there, announced ones among them. */
  readonly used: number;
  /** Bytes that may be kept there, by its account; null: no limit is known. */
  readonly allowance: number | null;
  readonly packs: number;
  /** Packs that were read back and found right, and the oldest of these proofs. */
  readonly proven: { readonly packs: number; readonly oldest: string | null };
  /** Packs in an archive tier, which cannot be read: how many, how many of them were looked at and there, and the oldest of these looks. Absent: none. */
  readonly archived?: { readonly packs: number; readonly present: number; readonly oldest: string | null };
  readonly health: StoreHealth;
}

/** Every configured store; each is asked for one small object, and that alone. */
export const readStoresStatus = async (site: Site, signal: AbortSignal): Promise<StoreStatus[]> => {
  const catalog = await site.catalog();
  const { config } = site.loaded;
  const [usage, proofs, trust] = await Promise.all([storeUsage(catalog), provenPacks(catalog), storeTrust(catalog)]);
  const bytesIn = (name: string): number => usage.find(({ store }) => store === name)?.bytes ?? 0;
  return await Promise.all(
    config.stores.map(async ({ name, kind }) => {
      const quota = quotaOfStore(config, name);
      const inAccount = quota.stores.reduce((sum, store) => sum + bytesIn(store), 0);
      const found = proofs.find(({ store }) => store === name);
      const { packs = 0, proven = 0, oldest = null, present = 0, oldestPresent = null } = found ?? {};
      const archivedPacks = found?.archived ?? 0;
      const archived = archivedPacks === 0 ? {} : { archived: { packs: archivedPacks, present, oldest: oldestPresent } };
      const share = quota.bytes === null ? 0 : quota.bytes === 0 ? 1 : inAccount / quota.bytes;
      const asked = await answerOf(site, name, signal);
      const health =
        asked ?? (share >= 1 ? "full" : (trust.get(name) ?? 1) < doubtedBelow ? "doubted" : share >= fillingFrom ? "filling" : "good");
      return { name, kind, used: bytesIn(name), allowance: quota.bytes, packs, proven: { packs: proven, oldest }, ...archived, health };
    }),
  );
};

/** What is wrong with the store's answer; undefined when it answers, whatever it has. */
const answerOf = async (site: Site, name: string, signal: AbortSignal): Promise<StoreHealth | undefined> => {
  try {
    await (await site.store(name)).stat(configKey, signal);
    return undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.type === "SecretMissing") return "unknown";
    return error.type === "StoreUnreachable" ? "unreachable" : "refusing";
  }
};

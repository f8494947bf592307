import { setTimeout as delay } from "node:timers/promises";
import type { MeasuredStore } from "../../client/durability/measured-times.ts";
import { proofTimes } from "../../core/catalog/proof-times.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { Store } from "../../core/stores/store.ts";
import type { TestSite } from "../sample/test-site.ts";
import type { LosableStore } from "./network.ts";

/** So many passes until all that a store's network takes its time for is there. */
const mostPasses = 60;

/** A provider that proves just now may refuse a removal. */
const mostRefusals = 20;

const deleteAtLast = async (store: Store, key: string): Promise<void> => {
  for (let refused = 0; ; refused += 1) {
    try {
      return await store.delete(key, new AbortController().signal);
    } catch (error) {
      if (!isFailure(error, "StoreUnreachable") || refused === mostRefusals) throw error;
      await delay(500);
    }
  }
};

interface Pass {
  readonly left: number;
  readonly stores: readonly { readonly store: string; readonly pass: { readonly asked: number; readonly found: number } | null }[];
}

/**
 * Before all is lost at once: each store loses every pack that it has, behind the catalog's back, is asked for everything, and gets them again from the
 * others. What that took, by store, is in the records that the product keeps of every site; this reads it there.
 */
export const loseAndRepair = async (
  site: TestSite,
  stores: readonly LosableStore[],
  say: (text: string) => void,
): Promise<Map<string, MeasuredStore>> => {
  const never = new AbortController().signal;
  const pass = async (store: string): Promise<Pass & { seconds: number; asked: number; found: number }> => {
    const started = performance.now();
    const { stdout, stderr, json } = await site.dbgov("repair", "--store", store);
    if (json?.stores === undefined) throw new Error(`repairing ${store}: ${stdout}${stderr}`);
    const { asked, found } = (json as Pass).stores.find((one) => one.store === store)?.pass ?? { asked: 0, found: 0 };
    return { ...(json as Pass), seconds: (performance.now() - started) / 1_000, asked, found };
  };
  const asking = new Map<string, { asked: number; askingSeconds: number }>();
  for (const { name } of stores) {
    const { asked, seconds } = await pass(name);
    asking.set(name, { asked, askingSeconds: seconds });
    const store = await site.site.store(name);
    const packs = (await Array.fromAsync(store.list("packs/", never))).map(({ key }) => key);
    for (const key of packs) await deleteAtLast(store, key);
    say(`${name} has lost its ${packs.length} packs; repairing`);
    const first = await pass(name);
    if (first.found !== packs.length) throw new Error(`${first.found} of the ${packs.length} packs that ${name} lost were found missing`);
    let { left } = first;
    for (let passes = 1; left > 0; passes += 1) {
      if (passes > mostPasses) throw new Error(`${left} packs are still missing in ${name} after ${passes} passes`);
      await delay(500);
      ({ left } = await pass(name));
    }
  }
  const records = new Map((await proofTimes(await site.site.catalog())).map((times) => [times.store, times]));
  return new Map(
    stores.map(({ name, stand, simulated }) => {
      const { replaced = 0, replacedBytes = 0, replacingSeconds = 0 } = records.get(name) ?? {};
      return [name, { stand, simulated, ...asking.get(name)!, replaced, replacedBytes, replacingSeconds }];
    }),
  );
};

import { z } from "zod";
import type { SiaApi } from "./sia-api.ts";
import { type Consensus, type Contract, contractRenewals, walletRenewal } from "./sia-contracts.ts";
import type { Renewal, Store } from "./store.ts";

const object = z.object({
  health: z.number(),
  slabs: z.array(z.object({ slab: z.object({ health: z.number(), shards: z.array(z.unknown()).nullish() }) })).nullish(),
});
const hastings = z.string().regex(/^\d+$/).transform(BigInt);
const consensus = z.object({ blockHeight: z.int(), lastBlockTime: z.string(), synced: z.boolean() });
const contracts = z
  .array(
    z.object({
      id: z.string(),
      state: z.string(),
      renewedFrom: z.string().optional(),
      startHeight: z.int(),
      windowStart: z.int(),
      contractPrice: hastings,
      initialRenterFunds: hastings,
    }),
  )
  .nullable();
const wallet = z.object({ spendable: hastings, unconfirmed: hastings });

/** What `renterd` (version 2) tells in its API. `objectName` is the object's name in the bucket. */
export const renterdState = (
  ask: SiaApi,
  bucket: string,
  objectName: (key: string) => string,
): Required<Pick<Store, "settled" | "renewals" | "renew" | "usage">> => {
  const inBucket = `bucket=${encodeURIComponent(bucket)}`;

  const look = async (signal: AbortSignal): Promise<{ chain: Consensus; active: readonly Contract[]; money: bigint }> => {
    const chain = await ask({ doing: "state of the chain", path: "/api/bus/consensus/state", answer: consensus }, signal);
    const active = await ask({ doing: "contracts", path: "/api/bus/contracts?filtermode=active", answer: contracts }, signal);
    const { spendable, unconfirmed } = await ask({ doing: "balance of the wallet", path: "/api/bus/wallet", answer: wallet }, signal);
    // What is being spent comes back in part, as change that no block holds yet.
    return { chain, active: active ?? [], money: spendable + unconfirmed };
  };

  const renewals = async (signal: AbortSignal): Promise<Renewal[]> => {
    const { chain, active, money } = await look(signal);
    const purse = walletRenewal(chain, active, money);
    return [...contractRenewals(chain, active, purse.fundedUntil), purse];
  };

  return {
    /**
     * An object that waits in a buffer for others to fill its slab has no shards, and yet is called healthy: health alone does not say
     * that any host has it.
     */
    settled: async (key, signal) => {
      const path = `/api/bus/object/${encodeURIComponent(objectName(key))}?${inBucket}`;
      const { health, slabs } = await ask({ doing: `health of ${key}`, path, answer: object }, signal);
      return health >= 1 && (slabs ?? []).every(({ slab }) => slab.health >= 1 && (slab.shards ?? []).length > 0);
    },

    renewals,

    /** The autopilot renews; it is woken where something ends within the margin, and what it has not renewed by then is said. */
    renew: async (signal, { days }) => {
      const before = Date.now() + days * 86_400_000;
      const due = (await renewals(signal)).filter(({ renewable, until }) => renewable && until !== null && Date.parse(until) < before);
      if (due.length === 0) return [];
      const triggered = z.object({ triggered: z.boolean() });
      await ask(
        { doing: "waking of the autopilot", path: "/api/autopilot/trigger", body: { forceScan: false }, answer: triggered },
        signal,
      );
      return due.map((renewal) => ({ ...renewal, what: `${renewal.what}: renterd was told to renew it` }));
    },

    usage: async (signal) => {
      const answer = z.object({ numObjects: z.int(), totalObjectsSize: z.int() });
      const { numObjects, totalObjectsSize } = await ask({ doing: "use", path: `/api/bus/stats/objects?${inBucket}`, answer }, signal);
      return { bytes: totalObjectsSize, objects: numObjects };
    },
  };
};

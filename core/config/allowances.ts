import { type Allowance, allowancesWith, type Free, knownAllowances, type Price } from "../domain/allowances.ts";
import { sizeBytes } from "../domain/size.ts";
import type { Config } from "./schema.ts";

/** What a kind of store costs where no `service` is named. Those that are not here have no price that is known. */
const serviceOfKind: Readonly<Record<string, string>> = {
  "azure-blob": "azure-blob-hot",
  storj: "storj-global",
  sia: "sia",
  filecoin: "filecoin",
  arweave: "arweave",
  ipfs: "ipfs-own-peers",
};

/** The table in force: what is known, with what the configuration says in its place. */
export const configuredAllowances = ({ allowances }: Pick<Config, "allowances">): readonly Allowance[] =>
  allowancesWith(
    allowances.map((own) => {
      const known = knownAllowances.find(({ service }) => service === own.service);
      const { bytes, objects, connections, requestUnits, months, perGBMonth, minimumPerMonth } = own;
      const free: Free = {
        ...known?.free,
        ...given({ bytes: bytes === undefined ? undefined : sizeBytes(bytes), objects, connections, requestUnits, months }),
      };
      const price = { ...known?.price, ...given({ perGBMonth, minimumPerMonth }) } as Partial<Price>;
      return {
        service: own.service,
        of: own.of,
        provider: own.provider ?? known?.provider ?? own.service,
        free: Object.keys(free).length === 0 ? null : free,
        price: price.perGBMonth === undefined ? null : { ...price, perGBMonth: price.perGBMonth },
        note: own.note ?? known?.note ?? "",
        source: own.source ?? (known === undefined ? "the configuration" : known.source),
        read: own.read ?? known?.read ?? "",
      };
    }),
  );

const given = <T extends object>(values: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<{ [K in keyof T]: NonNullable<T[K]> }>;

type StoreEntry = Config["stores"][number];

/** The line of the table that a store goes by; undefined when there is none. */
export const allowanceOfStore = (config: Config, store: StoreEntry): Allowance | undefined => {
  const service = store.service ?? serviceOfKind[store.kind];
  return service === undefined ? undefined : configuredAllowances(config).find((line) => line.of === "store" && line.service === service);
};

export interface StoreQuota {
  /** Its own name, or that of the account which it shares with others. */
  readonly account: string;
  /** All stores of that account. */
  readonly stores: readonly string[];
  /** Null: no limit that is known. */
  readonly bytes: number | null;
  readonly objects: number | null;
}

/** How much may be kept in a store, together with those that share its account. */
export const quotaOfStore = (config: Config, name: string): StoreQuota => {
  const store = config.stores.find((entry) => entry.name === name);
  if (store === undefined) return { account: name, stores: [name], bytes: null, objects: null };
  const { account } = store;
  const free = allowanceOfStore(config, store)?.free;
  return {
    account: account === undefined ? name : `account ${account}`,
    stores: account === undefined ? [name] : config.stores.filter((entry) => entry.account === account).map((entry) => entry.name),
    bytes: store.quota === undefined ? (free?.bytes ?? null) : sizeBytes(store.quota),
    objects: free?.objects ?? null,
  };
};

/** The plan that a database runs on; undefined when the configuration does not say. */
export const allowanceOfDatabase = (config: Config, name: string): Allowance | undefined => {
  const service = config.databases.find((entry) => entry.name === name)?.service;
  return service === undefined ? undefined : configuredAllowances(config).find((line) => line.of === "source" && line.service === service);
};

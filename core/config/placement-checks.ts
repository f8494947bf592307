import { allowanceOfStore, configuredAllowances, quotaOfStore } from "./allowances.ts";
import type { Path } from "./locate.ts";
import { nearest } from "./nearest.ts";
import type { Problem } from "./problems.ts";
import type { Config } from "./schema.ts";

/** What quotas, accounts, providers and services say that cannot be so. */
export const placementConfigProblems = (config: Config): Problem[] => [
  ...config.allowances.flatMap(({ service }, i) =>
    config.allowances.findIndex((other) => other.service === service) < i
      ? [{ path: ["allowances", i, "service"], message: `"${service}" is used twice` }]
      : [],
  ),
  ...config.stores.flatMap((store, i) => serviceProblem(config, store.service, "store", ["stores", i, "service"])),
  ...config.databases.flatMap((database, i) => serviceProblem(config, database.service, "source", ["databases", i, "service"])),
  ...accountProblems(config),
  ...providerProblems(config),
  ...regionProblems(config),
];

const serviceProblem = (config: Config, service: string | undefined, of: "store" | "source", path: Path): Problem[] => {
  if (service === undefined) return [];
  const known = configuredAllowances(config).filter((line) => line.of === of);
  if (known.some((line) => line.service === service)) return [];
  const names = known.map((line) => line.service);
  const close = nearest(service, names);
  return [
    {
      path,
      message: `no allowance "${service}" is known for a ${of}${close === undefined ? ` (known: ${names.join(", ")})` : `; did you mean "${close}"?`}`,
    },
  ];
};

/** An account has one quota: stores that share it cannot state two. */
const accountProblems = (config: Config): Problem[] =>
  config.stores.flatMap((store, i) => {
    const first = store.account === undefined ? undefined : config.stores.find((other) => other.account === store.account);
    if (first === undefined || first.name === store.name) return [];
    const same = quotaOfStore(config, first.name).bytes === quotaOfStore(config, store.name).bytes;
    return same
      ? []
      : [
          {
            path: ["stores", i, "account"],
            message: `shares the account of store "${first.name}" and has another quota; an account has one`,
          },
        ];
  });

/** Accounts of one provider fail together. */
const providerProblems = (config: Config): Problem[] =>
  config.stores.flatMap((store, i) => {
    const providerOf = (entry: Config["stores"][number]): string | undefined =>
      entry.provider ?? (entry.service === undefined ? undefined : allowanceOfStore(config, entry)?.provider);
    const provider = providerOf(store);
    if (provider === undefined || provider === "own") return [];
    const first = config.stores.find((other) => providerOf(other) === provider);
    return first === undefined || first.domain === store.domain
      ? []
      : [
          {
            path: ["stores", i, "domain"],
            message: `is of the same provider (${provider}) as store "${first.name}", which lies in domain "${first.domain}": accounts of one provider fail together`,
          },
        ];
  });

const regionProblems = (config: Config): Problem[] =>
  config.policies.flatMap((policy, i) => {
    if (policy.regions.length === 0) return [];
    return [policy.landing, ...policy.stores].flatMap((name, at): Problem[] => {
      const store = config.stores.find((entry) => entry.name === name);
      if (store === undefined || (store.region !== undefined && policy.regions.includes(store.region))) return [];
      const where = store.region === undefined ? "says no region" : `lies in ${store.region}`;
      const path: Path = at === 0 ? ["policies", i, "landing"] : ["policies", i, "stores", at - 1];
      return [{ path, message: `"${name}" ${where}, and policy ${policy.name} allows copies in ${policy.regions.join(", ")} only` }];
    });
  });

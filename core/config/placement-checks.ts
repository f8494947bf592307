import { placementProblems } from "../domain/placement.ts";
import { allowanceOfStore, configuredAllowances, quotaOfStore } from "./allowances.ts";
import type { Path } from "./locate.ts";
import { nearest } from "./nearest.ts";
import { archivingStores } from "./plan-inputs.ts";
import type { Problem } from "./problems.ts";
import type { Config, PolicyConfig } from "./schema.ts";

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

/** What is archived cannot be read for hours, so a policy must keep its promise without the stores that archive. */
export const archiveTierProblems = (config: Config, policy: PolicyConfig, path: Path): Problem[] => {
  if (policy.tiers.archive === undefined) return [];
  const archiving = archivingStores(config, policy);
  const problem = (message: string): Problem[] => [{ path, message: `policy ${policy.name} ${message}` }];
  if (archiving.length === 0) return problem("has nothing to archive: none of its stores beside the landing store is an azure-blob store");
  if (policy.placement === "planned")
    return problem("archives copies beside the promised ones, and its placement `planned` makes none: say `placement: all`");
  const landing = config.policies.find((other) => archiving.includes(other.landing));
  if (landing !== undefined)
    return problem(`would archive packs in "${landing.landing}", where captures of policy ${landing.name} land and refer to them`);
  const [short] = placementProblems({ ...policy, stores: policy.stores.filter((name) => !archiving.includes(name)) }, config.stores);
  return short === undefined
    ? []
    : problem(`${short.message}, as copies in ${archiving.join(" and ")} cannot be read once they are archived, and do not count`);
};

import { isTimeZone } from "../domain/calendar.ts";
import { cronProblem } from "../domain/cron.ts";
import { placementProblems } from "../domain/placement.ts";
import { rulesProblem } from "../domain/retention-rules.ts";
import { approverOf } from "../repository/approver-key.ts";
import { configuredRules } from "./configured-rules.ts";
import type { Path } from "./locate.ts";
import { nearest } from "./nearest.ts";
import { archiveTierProblems, placementConfigProblems } from "./placement-checks.ts";
import type { Problem } from "./problems.ts";
import type { Config, PolicyConfig } from "./schema.ts";
import { temporalProblems } from "./temporal-schema.ts";

/** What no single field shows: names that nothing declares, copies that cannot be reached, times that are none. */
export const crossChecks = (config: Config): Problem[] => [
  ...uniqueNames(config),
  ...uniqueAddresses(config),
  ...temporalProblems(config.temporal),
  ...config.databases.flatMap(({ policy }, i) => declared("policy", config.policies, policy, ["databases", i, "policy"])),
  ...config.databases.flatMap((database, i) => retentionProblems(config, database, i)),
  ...approverProblems(config),
  ...config.policies.flatMap((policy, i) => policyProblems(config, policy, i)),
  ...placementConfigProblems(config),
  ...logProblems(config),
  ...keyProblems(config),
  ...quorumProblems(config),
  ...cronProblems(config.retention.cron, ["retention", "cron"]),
  ...cronProblems(config.sweep.cron, ["sweep", "cron"]),
];

const keyProblems = ({ keys }: Config): Problem[] => [
  ...(keys.nameSecret === undefined && keys.retired.some(({ purpose }) => purpose === "log")
    ? [problem(["keys", "nameSecret"], "is missing: the salts of names derive from the log's first key, and must not change with it")]
    : []),
  ...("command" in keys.logKey && keys.nameSecret === undefined
    ? [problem(["keys", "nameSecret"], "is missing: a log key that never leaves its program gives no salts for names")]
    : []),
  ...keys.retired.flatMap(({ purpose, size }, i) =>
    purpose === "log" && size === undefined ? [problem(["keys", "retired", i, "size"], "is missing: a key of the log needs it")] : [],
  ),
  ...repeated(keys.retired.map(({ purpose, publicKey }) => `${purpose} ${publicKey}`)).map((i) =>
    problem(["keys", "retired", i, "publicKey"], "is named twice"),
  ),
];

const declared = (what: string, list: readonly { readonly name: string }[], name: string, path: Path): Problem[] => {
  const names = list.map((item) => item.name);
  if (names.includes(name)) return [];
  const close = nearest(name, names);
  return [
    {
      path,
      message: `no ${what} "${name}" is declared${close === undefined ? ` (declared: ${names.join(", ")})` : `; did you mean "${close}"?`}`,
    },
  ];
};

const uniqueNames = (config: Config): Problem[] => {
  const lists: (readonly [Path, readonly { readonly name: string }[]])[] = [
    ...(["databases", "stores", "policies", "recordClasses", "recipients", "anchors", "timestampAuthorities"] as const).map(
      (key) => [[key], config[key]] as const,
    ),
    [["approval", "approvers"], config.approval.approvers],
    ...config.stores.flatMap((store, i) => (store.kind === "ipfs" ? [[["stores", i, "peers"], store.peers] as const] : [])),
  ];
  return lists.flatMap(([path, list]) =>
    repeated(list.map((item) => item.name)).map((i) => problem([...path, i, "name"], `"${list[i]!.name}" is used twice`)),
  );
};

/** Rules that no set of snapshots can obey, and names and zones that are none. */
const retentionProblems = (config: Config, database: Config["databases"][number], index: number): Problem[] => {
  const { records, timeZone } = database;
  const at = (field: string): Path => ["databases", index, field];
  if (records !== undefined && !config.recordClasses.some(({ name }) => name === records))
    return declared("record class", config.recordClasses, records, at("records"));
  const zone =
    timeZone === undefined || isTimeZone(timeZone)
      ? []
      : [problem(at("timeZone"), `"${timeZone}" is not an IANA time zone, as Europe/Berlin`)];
  const policy = config.policies.find(({ name }) => name === database.policy);
  const wrong = policy === undefined ? undefined : rulesProblem(configuredRules(config, policy, database));
  return wrong === undefined ? zone : [...zone, problem(at("policy"), `database ${database.name} ${wrong}`)];
};

/** One person's key under two names would be two persons, and one approver alone can never be two. */
const approverProblems = ({ approval: { approvers } }: Config): Problem[] => [
  ...(approvers.length === 1 ? [problem(["approval", "approvers"], "names one person; it takes two, or none")] : []),
  // Compared as keys: the same one can be written in several ways.
  ...repeated(approvers.map((approver) => approverOf(approver).id)).map((i) =>
    problem(["approval", "approvers", i, "publicKey"], "is another approver's key: one person is not two"),
  ),
];

/** Two stores at one address would count as two copies, and be one. */
const uniqueAddresses = (config: Config): Problem[] => {
  const places = config.stores.flatMap((store, i) => addressesOf(store).map((place) => ({ ...place, store: i })));
  return repeated(places.map(({ address }) => address)).map((i) => {
    const { store, field, address } = places[i]!;
    const first = config.stores[places.find((place) => place.address === address)!.store]!;
    return problem(["stores", store, ...field], `is the same place as in store "${first.name}", so a copy there would be no copy`);
  });
};

const addressesOf = (store: Config["stores"][number]): { field: Path; address: string }[] => {
  switch (store.kind) {
    case "directory":
      return [{ field: ["path"], address: store.path.replace(/^\.\/|\/+$/g, "") }];
    case "azure-blob":
      return [{ field: ["container"], address: JSON.stringify([store.connection, store.container]) }];
    case "s3":
    case "storj":
    case "sia":
      return [{ field: ["bucket"], address: JSON.stringify([store.endpoint?.replace(/\/+$/, ""), store.bucket, store.prefix]) }];
    case "ipfs":
      return store.peers.map((peer, p) => ({ field: ["peers", p, "api"], address: peer.api.replace(/\/+$/, "") }));
    case "filecoin":
      return [{ field: ["dataSet"], address: JSON.stringify([store.network, store.rpc, store.wallet, store.dataSet]) }];
    case "arweave":
      return [{ field: ["wallet"], address: JSON.stringify([store.gateway, store.wallet]) }];
  }
};

const policyProblems = (config: Config, policy: PolicyConfig, index: number): Problem[] => {
  const at = (...path: Path): Path => ["policies", index, ...path];
  const named = [
    { name: policy.landing, path: at("landing") },
    ...policy.stores.map((name, i) => ({ name, path: at("stores", i) })),
    ...policy.archive.map((name, i) => ({ name, path: at("archive", i) })),
  ];
  const besides = [
    ...policy.envelopes.map((name, i) => ({ name, path: at("envelopes", i) })),
    ...(policy.parity?.stores ?? []).map((name, i) => ({ name, path: at("parity", "stores", i) })),
  ];
  const undeclared = [...named, ...besides].flatMap(({ name, path }) => declared("store", config.stores, name, path));
  const twice = repeated(named.map(({ name }) => name)).map((i) =>
    problem(
      named[i]!.path,
      `policy ${policy.name} names the store "${named[i]!.name}" twice; each is landing, one of stores, or one of archive`,
    ),
  );
  const permanent = [...named.slice(0, 1 + policy.stores.length), ...besides.slice(policy.envelopes.length)].flatMap(({ name, path }) => {
    const kind = config.stores.find((store) => store.name === name)?.kind;
    return kind === "arweave"
      ? [problem(path, `"${name}" is an arweave store, which takes the small permanent things only: name it under archive`)]
      : [];
  });
  const { timeZone, cron } = policy.schedule;
  const zone = isTimeZone(timeZone)
    ? []
    : [problem(at("schedule", "timeZone"), `"${timeZone}" is not an IANA time zone, as Europe/Berlin`)];
  // What is misspelled would only be complained of a second time.
  const placement = undeclared.length > 0 ? [] : placementProblems(policy, config.stores);
  return [
    ...undeclared,
    ...twice,
    ...permanent,
    ...zone,
    ...cronProblems(cron, at("schedule", "cron")),
    ...placement.map(({ field, message }) => problem(at(field), `policy ${policy.name} ${message}`)),
    ...(undeclared.length > 0 || placement.length > 0 ? [] : archiveTierProblems(config, policy, at("tiers", "archive"))),
  ];
};

const logProblems = (config: Config): Problem[] => {
  const path = ["log", "store"];
  const store = config.stores.find(({ name }) => name === config.log.store);
  if (store === undefined) return declared("store", config.stores, config.log.store, path);
  return store.kind === "arweave"
    ? [problem(path, `"${store.name}" is an arweave store, where the newest checkpoint cannot be rewritten`)]
    : [];
};

/** A quorum that can never be reached would stop everything without a word. */
const quorumProblems = ({ anchors, log: { witnesses, witnessQuorum } }: Config): Problem[] => {
  const nodes = anchors.flatMap(({ quorum, otherRpcs }, i) => {
    const all = 1 + otherRpcs.length;
    return quorum === undefined || quorum <= all
      ? []
      : [problem(["anchors", i, "quorum"], `asks for ${quorum} nodes, and ${all} are named in rpc and otherRpcs`)];
  });
  const keys = witnesses.map(({ publicKey }) => publicKey);
  const twice = repeated(keys).map((i) =>
    problem(["log", "witnesses", i, "publicKey"], "is another witness's key, so it would count once"),
  );
  return witnessQuorum <= witnesses.length
    ? [...nodes, ...twice]
    : [
        ...nodes,
        ...twice,
        problem(["log", "witnessQuorum"], `asks for ${witnessQuorum} witnesses, and ${witnesses.length} are named in witnesses`),
      ];
};

const cronProblems = (cron: string, path: Path): Problem[] => {
  const wrong = cronProblem(cron);
  return wrong === undefined ? [] : [problem(path, wrong)];
};

/** Indexes of the values that stood before. */
const repeated = (values: readonly string[]): number[] => values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));

const problem = (path: Path, message: string): Problem => ({ path, message });

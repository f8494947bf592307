import { archivingStores } from "../core/config/plan-inputs.ts";
import type { Config, PolicyConfig } from "../core/config/schema.ts";
import { durationMs } from "../core/domain/duration.ts";
import type { BackupInput, RunPolicy } from "../core/domain/run.ts";
import type { Site } from "../core/site/site.ts";

/** The part of a policy that goes into workflows. */
export const runPolicyOf = (policy: PolicyConfig, stores: Config["stores"]): RunPolicy => ({
  name: policy.name,
  landing: policy.landing,
  stores: policy.stores,
  archive: policy.archive,
  envelopes: policy.envelopes,
  copies: policy.copies,
  domains: policy.domains,
  ...extraOf(archivingStores({ stores }, policy)),
  ...(policy.placement === "planned" ? { placement: policy.placement } : {}),
  storeDomains: [policy.landing, ...policy.stores].map((name) => ({
    name,
    domain: stores.find((store) => store.name === name)?.domain ?? name,
  })),
  fullReadEvery: policy.fullReadEvery,
  patience: durationMs(policy.patience),
});

const extraOf = (extra: readonly string[]): Pick<RunPolicy, "extra"> => (extra.length > 0 ? { extra } : {});

export const backupInputOf = (site: Site, database: string): BackupInput => ({
  database,
  engine: site.database(database).engine,
  policy: runPolicyOf(site.policyOf(database), site.loaded.config.stores),
});

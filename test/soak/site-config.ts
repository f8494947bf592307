import type { EngineName } from "../../core/domain/snapshot.ts";

/** A small `dbgov.yaml`: two stores, of which the first has a disk of its own; little patience; what may go goes at once. */
export const siteConfig = ({
  name,
  engine,
  temporal,
  landing,
}: Record<"name" | "temporal" | "landing", string> & { engine: EngineName }): unknown => {
  return {
    organization: name,
    temporal: { address: temporal, namespace: name },
    catalog: { env: variableOf(name, "catalog") },
    keys: {
      dedupSecret: { file: "keys/dedup.secret" },
      indexKey: { file: "keys/index.secret" },
      signingKey: { file: "keys/signing.secret" },
      logKey: { file: "keys/log.secret" },
    },
    recipients: [{ name: "recovery", publicKey: "keys/recovery.public", secretKey: { file: "keys/recovery.secret" } }],
    recoveryKit: "recovery-kit",
    databases: [{ name: soakedDatabase, engine, url: { env: variableOf(name, "source") }, policy: "nightly" }],
    stores: [
      { name: "landing", kind: "directory", domain: "small-disk", path: landing },
      { name: "second", kind: "directory", domain: "other-disk", path: "second" },
    ],
    policies: [
      {
        ...{ name: "nightly", schedule: { cron: "15 2 * * *" }, landing: "landing", stores: ["second"], copies: 1, domains: 1 },
        ...{ envelopes: ["second"], patience: "8s", fullReadEvery: 5 },
        retention: { last: 2, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
      },
    ],
    retention: { grace: "0s" },
    log: { origin: `${name}.example/dbgov`, store: "second" },
  };
};

export const soakedDatabase = "shop";

/** The environment variable that has the URL of a lane's catalog or source. */
export const variableOf = (lane: string, what: "catalog" | "source"): string => `${lane}_${what}`.toUpperCase().replaceAll("-", "_");

import { endStoreFindings, recordFindings } from "../../core/catalog/copy-findings.ts";
import { recordRenewals } from "../../core/catalog/renewals.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { judgeRenewals, type RenewalVerdict } from "../../core/domain/renewal-verdict.ts";
import type { RenewalOutcome } from "../../core/domain/run.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { tellEnds } from "./durability-metrics.ts";

/** Contracts are formed on chains, whose blocks take their time. */
const standstill = { afterMs: 30 * 60_000, type: "StoreUnreachable" } as const;

export const createRenewStores = ({ site }: ActivityEnvironment) => ({
  /** The stores that the configuration has: which of them end anything, they say themselves. */
  storesToRenew: async (): Promise<readonly string[]> => (await site()).loaded.config.stores.map(({ name }) => name),

  /** Extends what ends within the margin in one store, writes down how it stands, and says what somebody must do. Undefined for a store that ends nothing. */
  renewStore: ({ store }: { store: string }): Promise<RenewalOutcome | null> =>
    keepAlive(
      { ...standstill, what: `renewing what ends in ${store}` },
      async (report, signal) => await renewStore(await site(), store, report, signal),
    ),
});

const renewStore = async (
  at: Site,
  name: string,
  report: (details: object) => void,
  signal: AbortSignal,
): Promise<RenewalOutcome | null> => {
  const store = await at.store(name);
  if (store.renewals === undefined) return null;
  const { marginDays } = at.loaded.config.durability.renewal;
  let renewed: readonly string[] = [];
  let refusal: string | undefined;
  try {
    renewed = ((await store.renew?.(signal, { days: marginDays })) ?? []).map(({ what }) => what);
  } catch (error) {
    signal.throwIfAborted();
    if (!isFailure(error) || error.type === "StoreUnreachable") throw error;
    // What stands without it is looked at all the same: that is what the alarm is about.
    refusal = error.message;
  }
  report({ store: name, renewed });
  const things = await store.renewals(signal);
  const catalog = await at.catalog();
  const now = new Date();
  await recordRenewals(catalog, name, things, renewed, now);
  const verdicts: RenewalVerdict[] = judgeRenewals(name, things, marginDays, now);
  if (refusal !== undefined) verdicts.push({ kind: "ending", message: `store ${name} did not renew what ends: ${refusal}` });
  await endStoreFindings(catalog, name, ["ending", "unfunded"]);
  const findings = (["unfunded", "ending"] as const).flatMap((kind) => {
    const messages = verdicts.filter((verdict) => verdict.kind === kind).map(({ message }) => message);
    return messages.length === 0 ? [] : [{ store: name, object: "", kind, message: messages.join("; ") }];
  });
  await recordFindings(catalog, findings, now);
  tellEnds(name, things, now);
  return { store: name, renewed, problems: findings.map(({ kind, message }) => ({ kind, message })) };
};

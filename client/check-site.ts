import { migrate } from "../core/catalog/migrate.ts";
import { redact } from "../core/config/redact.ts";
import { engineOf } from "../core/databases/engines.ts";
import { asFailure, Failure, failureTypes } from "../core/domain/failure.ts";
import { judgeLifecycle, type LifecycleRecord } from "../core/domain/lifecycle-rules.ts";
import { addressOfKey, probeAnchor } from "../core/ledger/evm.ts";
import { registryPlace } from "../core/site/registry-place.ts";
import type { Site } from "../core/site/site.ts";
import { lifecycleOf } from "../core/site/store-lifecycle.ts";
import { onTheSameDisk } from "../core/stores/shared-disks.ts";
import { formatBytes } from "./cli/terminal.ts";
import { connectSite } from "./connect.ts";

/** One thing that the configuration names, and whether it works. */
export interface CheckedThing {
  readonly kind: "keys" | "recipients" | "catalog" | "temporal" | "database" | "store" | "rules" | "anchor";
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong and what to do. */
  readonly details: readonly string[];
}

/** What a store's probe has shown, by how far the store can delete. */
const found = {
  real: "can be written, read and deleted from",
  unpin: "can be written and read; what is deleted here, others on the network may keep",
  impossible: "can be written and read; nothing there is ever deleted",
} as const;

/** Probes everything that the configuration names, one after the other, and tells of each as it is done. */
export async function* checkSite(site: Site, signal: AbortSignal, onStart: (what: string) => void): AsyncIterable<CheckedThing> {
  const { config } = site.loaded;
  const examine = async (kind: CheckedThing["kind"], name: string, look: () => Promise<string[]>): Promise<CheckedThing> => {
    onStart(`${kind} ${name}`);
    try {
      return { kind, name, ok: true, details: await look() };
    } catch (error) {
      const failure = asFailure(error, `the probe of ${kind} ${name} failed`);
      return { kind, name, ok: false, details: [redact(failure.message), failureTypes[failure.type].remedy] };
    }
  };

  yield await examine("keys", "repository", async () => {
    await site.repositoryKeys();
    const [signer, log] = await Promise.all([site.signer(), site.logSigner()]);
    // No head of a log and no manifest. A program that signs may want what is missing only when it is to sign.
    for (const key of [signer, log]) await key.sign(new TextEncoder().encode("dbgov check\n"));
    return [`signing key ${signer.keyId}, log key ${log.keyId}`];
  });
  yield await examine("recipients", config.recipients.map(({ name }) => name).join(", "), async () => {
    return [(await site.recipients()).map(({ name, id }) => `${name} has key ${id}`).join("; ")];
  });
  yield await examine("catalog", "postgres", async () => {
    const applied = await migrate(await site.catalog());
    return [applied.length > 0 ? `answers; ${applied.length} migrations applied` : "answers; up to date"];
  });
  yield await examine("temporal", config.temporal.namespace, async () => {
    const orchestrator = await connectSite(site);
    await orchestrator.close();
    return [`answers at ${config.temporal.address}`];
  });
  for (const { name, engine } of config.databases) {
    yield await examine("database", name, async () => {
      const probe = await (await engineOf(engine)).probe(await site.databaseUrl(name), signal);
      const [first] = probe.problems;
      if (first !== undefined) throw new Failure(first.type, probe.problems.map(({ message }) => message).join("; "));
      return [`${engine} ${probe.version}, ${probe.databaseName}, about ${formatBytes(probe.estimatedBytes)}`];
    });
  }
  for (const declared of config.stores) {
    const { name, kind } = declared;
    yield await examine("store", name, async () => {
      const store = await site.store(name);
      await store.probe(signal);
      const beside = declared.kind === "directory" ? await onTheSameDisk(declared, config.stores) : [];
      return [
        `${kind}: ${found[store.capabilities.deletion]}`,
        ...((await store.notices?.(signal)) ?? []),
        ...beside.map((other) => `it is on the same file system as ${other}, though of another domain: one disk that fails takes both`),
      ];
    });
  }
  for (const store of config.stores) {
    if (store.kind !== "azure-blob" || store.accountResourceId === undefined) continue;
    onStart(`the lifecycle rules of ${store.name}`);
    yield rulesOf(store.name, await lifecycleOf(config, store, new Date()));
  }
  for (const anchor of config.anchors) {
    yield await examine("anchor", anchor.name, async () => {
      const place = await registryPlace(site, anchor.name);
      const key = await site.secret(anchor.submitterKey);
      await probeAnchor({ ...place, key });
      const submitter = addressOfKey(key);
      return [`chain ${anchor.chainId}, registry ${anchor.contract}, submitter ${submitter}`];
    });
  }
}

/** What nobody could read is told, and breaks nothing. */
const rulesOf = (name: string, lifecycle: LifecycleRecord | undefined): CheckedThing => {
  if (lifecycle === undefined || "unknown" in lifecycle)
    return { kind: "rules", name, ok: true, details: [redact(`not known: ${lifecycle?.unknown ?? "nothing was asked"}`)] };
  const { harm, facts } = judgeLifecycle(lifecycle.rules, lifecycle.container, lifecycle.keepsDays);
  const well = `no lifecycle rule of the account deletes or archives anything in ${lifecycle.container}`;
  return { kind: "rules", name, ok: harm.length === 0, details: [...(harm.length === 0 ? [well] : harm), ...facts] };
};

import { type Catalog, query } from "../../catalog/catalog.ts";
import { migrate } from "../../catalog/migrate.ts";
import { recordPublished } from "../../catalog/record-checkpoint.ts";
import { Failure, isFailure } from "../../domain/failure.ts";
import { keysOf } from "../../ledger/checkpoint.ts";
import { openLog } from "../../ledger/log.ts";
import { readPemCertificates } from "../../ledger/verify/certificates.ts";
import { checkpointText } from "../../ledger/verify/checkpoint.ts";
import { checkpointHash, openTimestamp } from "../../ledger/verify/timestamp.ts";
import { readKeyring } from "../../repository/keyring.ts";
import { registryPlace } from "../registry-place.ts";
import type { Site } from "../site.ts";
import { readRoots } from "../trust-policy.ts";
import { readManifestDatabases } from "./manifest-databases.ts";
import { readWholeLog } from "./read-log.ts";
import { type AskChain, rebuildAttestation, rebuildEntries, rebuildHolds, restoreTimes } from "./rebuild-record.ts";
import { type RebuildPlace, rebuildOrphan, rebuildRemoved, rebuildSnapshot } from "./rebuild-snapshots.ts";
import { idsUnder, surveyStores } from "./survey-stores.ts";

export interface Rebuilt {
  readonly snapshots: number;
  readonly removed: number;
  readonly entries: number;
  readonly anchors: number;
  readonly timestamps: number;
  /** Holds that stand, under new ids. */
  readonly holds: readonly string[];
  /** Snapshots that could not be brought back, and evidence that does not hold or that no node has confirmed, each with the reason. */
  readonly missing: readonly { readonly what: string; readonly reason: string }[];
}

/**
 * Fills an empty catalog from the log, the stores and the recovery kit. Every pack of every live snapshot is read and checked. Throws
 * `UsageInvalid` when the catalog is not empty, and what the log and the stores throw.
 */
export const rebuildCatalog = async (site: Site, signal: AbortSignal, onStep: (what: string) => void): Promise<Rebuilt> => {
  const catalog = await site.catalog();
  await migrate(catalog);
  await refuseUnlessEmpty(site);
  onStep("listing the stores");
  const survey = await surveyStores(site, signal);
  const keys = await site.repositoryKeys();
  const place: RebuildPlace = {
    ...{ site, catalog, survey, keys },
    signingKeys: await site.signingKeys(),
    keyring: await readKeyring(site.loaded.config.recoveryKit),
  };
  onStep("reading the log");
  const configured = site.loaded.config.databases.map(({ name }) => name);
  const names = [...new Set([...configured, ...(await readManifestDatabases(survey, keys.indexKey))])];
  const entries = await readWholeLog(site, names, signal);
  const missing: { what: string; reason: string }[] = [];
  const live = new Set<string>();
  const removedAt = new Map(entries.flatMap(({ entry }) => (entry.kind === "deleted" ? [[entry.snapshot, entry.time] as const] : [])));
  for (const known of entries) {
    if (known.entry.kind !== "snapshot-sealed") continue;
    const { snapshot } = known.entry;
    const removed = removedAt.get(snapshot);
    try {
      onStep(`snapshot ${snapshot}`);
      if (removed === undefined) await rebuildSnapshot(place, known);
      else await rebuildRemoved(place, known, removed);
      live.add(snapshot);
    } catch (error) {
      if (!isFailure(error)) throw error;
      missing.push({ what: snapshot, reason: error.message });
    }
  }
  onStep("what no snapshot needs");
  for (const kind of ["pack", "range"] as const) {
    for (const id of await unknownTo(catalog, kind, idsUnder(survey, `${kind}s/`))) {
      try {
        await rebuildOrphan(place, kind, id);
      } catch (error) {
        if (!isFailure(error)) throw error;
        missing.push({ what: `${kind} ${id}`, reason: error.message });
      }
    }
  }
  await rebuildEntries(catalog, entries, live);
  await restoreTimes(catalog, entries);
  const attested = await attest(site, signal);
  for (const sentence of attested.refused) missing.push({ what: "evidence", reason: sentence });
  const removed = [...live].filter((snapshot) => removedAt.has(snapshot)).length;
  const { anchors, timestamps } = attested;
  const holds = await rebuildHolds(catalog, entries);
  return { snapshots: live.size - removed, removed, entries: entries.length, anchors, timestamps, holds, missing };
};

const unknownTo = async (catalog: Catalog, kind: "pack" | "range", ids: readonly string[]): Promise<string[]> => {
  const rows = await query<{ id: string }>(
    catalog,
    `looking for ${kind}s that no snapshot needs`,
    `SELECT hex AS id FROM unnest($1::text[]) AS hex WHERE NOT EXISTS (SELECT FROM dbgov.${kind} x WHERE x.id = decode(hex, 'hex'))`,
    [ids],
  );
  return rows.map(({ id }) => id);
};

const attest = async (site: Site, signal: AbortSignal) => {
  const { log: place, anchors } = site.loaded.config;
  const catalog = await site.catalog();
  const store = await site.store(place.store);
  const signer = await site.logSigner();
  const log = await openLog({ store, origin: place.origin, signer, signal, unpublished: true });
  const anchorOf = ({ chainId, contract }: { chainId: number; contract: string }): string | undefined =>
    anchors.find((one) => one.chainId === chainId && one.contract.toLowerCase() === contract)?.name;
  const openToken = async (size: number, authority: string, token: Uint8Array) => {
    const { roots } = site.authority(authority);
    const { root } = await log.checkpointAt(size);
    return openTimestamp(token, checkpointHash(checkpointText(place.origin, size, root)), readPemCertificates(await readRoots(roots)));
  };
  const found = await rebuildAttestation(catalog, log, store, anchorOf, openToken, askChainOf(site), keysOf(signer), signal);
  const { size, note } = log.checkpoint();
  if (place.witnessQuorum === 0 && size > 0) await recordPublished(catalog, place.origin, size, note, new Date());
  return found;
};

const askChainOf =
  (site: Site): AskChain =>
  async (anchor, { transaction }, head) => {
    try {
      const { anchorStatus } = await import("../../ledger/evm.ts");
      return await anchorStatus({ ...(await registryPlace(site, anchor)), ...head, transaction });
    } catch (error) {
      if (!isFailure(error)) throw error;
      return { unasked: error.message };
    }
  };

const refuseUnlessEmpty = async (site: Site): Promise<void> => {
  const [row] = await query<{ empty: boolean }>(
    await site.catalog(),
    "looking whether it is empty",
    "SELECT NOT EXISTS (SELECT FROM dbgov.snapshot) AND NOT EXISTS (SELECT FROM dbgov.log_entry) AND NOT EXISTS (SELECT FROM dbgov.pack) AS empty",
  );
  if (row?.empty === true) return;
  throw new Failure(
    "UsageInvalid",
    `the catalog that ${site.loaded.path} names is not empty: name a new database, and keep this one until the new one is right`,
  );
};

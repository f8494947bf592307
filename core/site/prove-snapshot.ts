import { anchorCovering } from "../catalog/read-anchors.ts";
import { findLogEntry } from "../catalog/read-log-entries.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import { Failure } from "../domain/failure.ts";
import { collectEvidence, type EvmEvidence } from "../ledger/evm.ts";
import { openLog } from "../ledger/log.ts";
import { buildProofBundle } from "../ledger/proof-bundle.ts";
import type { ProofBundle } from "../ledger/verify/audit.ts";
import { registryPlace } from "./registry-place.ts";
import type { Site } from "./site.ts";

/** The proof bundle of a snapshot's entry, with the evidence of every anchor that covers it. */
export const proveSnapshot = async (site: Site, snapshot: string, signal: AbortSignal): Promise<ProofBundle> => {
  const catalog = await site.catalog();
  const { config } = site.loaded;
  const record = await getSnapshot(catalog, snapshot);
  if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
  const entry = await findLogEntry(catalog, `snapshot-sealed/${snapshot}`);
  if (entry === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the log: its run did not get that far`);
  const anchors: EvmEvidence[] = [];
  let size: number | undefined;
  for (const { name } of config.anchors) {
    const covering = await anchorCovering(catalog, entry.index, name);
    // A bundle has one checkpoint: an anchor of another size would prove another one.
    if (covering === undefined || (size !== undefined && covering.size !== size)) continue;
    size = covering.size;
    const { root, transaction } = covering;
    anchors.push(await collectEvidence({ ...(await registryPlace(site, name)), size, root, transaction }));
  }
  const log = await openLog({
    store: await site.store(config.log.store),
    origin: config.log.origin,
    signer: await site.logSigner(),
    signal,
  });
  const database = { name: record.database, salt: await site.logNameSalt(record.database) };
  return await buildProofBundle({ log, index: entry.index, anchors, database, ...(size === undefined ? {} : { size }) });
};

import { attestedSize } from "../catalog/attested-size.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { finalAnchorsOf } from "../catalog/read-anchors.ts";
import { findLogEntry } from "../catalog/read-log-entries.ts";
import { getSnapshot } from "../catalog/read-snapshots.ts";
import type { AnchorRecord } from "../catalog/records.ts";
import { timestampsOf } from "../catalog/timestamps.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { keptNoteOf } from "../ledger/checkpoint.ts";
import { chainEvidenceKey, publishedNoteKey } from "../ledger/evidence-keys.ts";
import { collectEvidence, type EvmEvidence } from "../ledger/evm.ts";
import { type Log, openLog } from "../ledger/log.ts";
import { buildProofBundle } from "../ledger/proof-bundle.ts";
import { trimToken } from "../ledger/trim-token.ts";
import type { ProofBundle } from "../ledger/verify/audit.ts";
import { readPemCertificates } from "../ledger/verify/certificates.ts";
import { type Checkpoint, checkpointText, headOf } from "../ledger/verify/checkpoint.ts";
import { checkEvmEvidence, refuteEvmEvidence } from "../ledger/verify/evm-evidence.ts";
import { checkpointHash } from "../ledger/verify/timestamp.ts";
import type { Store } from "../stores/store.ts";
import { registryPlace } from "./registry-place.ts";
import type { Site } from "./site.ts";
import { readRoots } from "./trust-policy.ts";

/**
 * The proof bundle of a snapshot's entry, with all evidence of the checkpoint that most speaks for it. `since` leads there from a checkpoint
 * that the auditor has already. Throws `LedgerCorrupt` when that one is no beginning of this log: then the auditor was shown another.
 */
export const proveSnapshot = async (
  site: Site,
  snapshot: string,
  signal: AbortSignal,
  since?: { readonly size: number; readonly root?: string },
): Promise<ProofBundle> => {
  const catalog = await site.catalog();
  const { config } = site.loaded;
  const record = await getSnapshot(catalog, snapshot);
  if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
  const entry = await findLogEntry(catalog, `snapshot-sealed/${snapshot}`);
  if (entry === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the log: its run did not get that far`);
  const store = await site.store(config.log.store);
  const log = await openLog({ store, origin: config.log.origin, signer: await site.logSigner(), signal });
  return await proveEntry(site, log, entry.index, { database: record.database, signal, since });
};

/**
 * The same for any entry of the log; `database` is the name that is disclosed, if it is.
 */
export const proveEntry = async (
  site: Site,
  log: Log,
  index: number,
  {
    database,
    since,
    signal,
  }: {
    readonly database: string | null;
    readonly since?: { readonly size: number; readonly root?: string } | undefined;
    readonly signal: AbortSignal;
  },
): Promise<ProofBundle> => {
  const catalog = await site.catalog();
  const store = await site.store(site.loaded.config.log.store);
  const size = (await attestedSize(catalog, index)) ?? log.size;
  const checkpoint = await log.checkpointAt(size);
  if (since?.root !== undefined && (await log.rootAt(since.size)) !== since.root) {
    throw new Failure("LedgerCorrupt", `the checkpoint of size ${since.size} to start from is no beginning of the log ${log.origin}`);
  }
  const published = await publishedNote(site, store, checkpoint, signal);
  return await buildProofBundle({
    log,
    index,
    size,
    anchors: await evidenceOf(site, catalog, store, checkpoint, signal),
    timestamps: await tokensOf(site, catalog, checkpoint),
    ...(database === null ? {} : { database: { name: database, salt: await site.logNameSalt(database) } }),
    ...(published === undefined ? {} : { published }),
    ...(since === undefined ? {} : { since: since.size }),
  });
};

/** The note with its cosignatures; undefined where none was kept. */
const publishedNote = async (site: Site, store: Store, checkpoint: Checkpoint, signal: AbortSignal): Promise<string | undefined> => {
  const bytes = await kept(store, publishedNoteKey(checkpoint.size), signal);
  if (bytes === undefined) return undefined;
  const note = await keptNoteOf(new TextDecoder().decode(bytes), checkpoint, await site.logSigner());
  if (note !== undefined) return note;
  throw new Failure("LedgerCorrupt", `${publishedNoteKey(checkpoint.size)} in store ${store.name} is not of this log`);
};

/** As it lies beside the log, so that no node of the chain is needed; where it does not, or is not right, a node is asked. */
const evidenceOf = async (
  site: Site,
  catalog: Catalog,
  store: Store,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<EvmEvidence[]> => {
  const found: EvmEvidence[] = [];
  for (const anchor of await finalAnchorsOf(catalog, checkpoint.size)) {
    const evidence =
      (await keptEvidence(store, anchor, checkpoint, signal)) ??
      (await collectEvidence({ ...(await registryPlace(site, anchor.anchor)), ...headOf(checkpoint), transaction: anchor.transaction }));
    if (!found.some(({ transaction }) => transaction === evidence.transaction)) found.push(evidence);
  }
  return found;
};

const keptEvidence = async (
  store: Store,
  { anchor, size, blockHash }: AnchorRecord,
  checkpoint: Checkpoint,
  signal: AbortSignal,
): Promise<EvmEvidence | undefined> => {
  const bytes = await kept(store, chainEvidenceKey(size, anchor), signal);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (checkEvmEvidence(value, "") !== undefined) return undefined;
  const evidence = value as EvmEvidence;
  const sound = evidence.blockHash === blockHash && refuteEvmEvidence(evidence, { origin: checkpoint.origin, ...headOf(checkpoint) });
  return sound === undefined ? evidence : undefined;
};

const tokensOf = async (site: Site, catalog: Catalog, { origin, size, root }: Checkpoint): Promise<Uint8Array[]> => {
  const hash = checkpointHash(checkpointText(origin, size, root));
  const roots = await Promise.all(site.loaded.config.timestampAuthorities.map((authority) => readRoots(authority.roots)));
  const trusted = roots.flatMap(readPemCertificates);
  return (await timestampsOf(catalog, size)).map(({ token }) => trimToken(token, hash, trusted));
};

const kept = async (store: Store, key: string, signal: AbortSignal): Promise<Uint8Array | undefined> => {
  try {
    return await store.get(key, signal);
  } catch (error) {
    if (isFailure(error, "ObjectMissing")) return undefined;
    throw error;
  }
};

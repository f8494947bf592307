import { type Catalog, query } from "../../catalog/catalog.ts";
import { markAnchored } from "../../catalog/mark-anchored.ts";
import { placeHold } from "../../catalog/place-hold.ts";
import { reachState } from "../../catalog/reach-state.ts";
import { recordAnchor } from "../../catalog/record-anchor.ts";
import { recordCheckpoint, recordPublished } from "../../catalog/record-checkpoint.ts";
import { recordDrill } from "../../catalog/record-drill.ts";
import { recordLogEntry } from "../../catalog/record-log-entry.ts";
import { recordTimestamp } from "../../catalog/timestamps.ts";
import { isFailure } from "../../domain/failure.ts";
import { type LogKey, openLogCheckpoint } from "../../ledger/checkpoint.ts";
import type { LogEntry } from "../../ledger/entries.ts";
import { evidencePrefix } from "../../ledger/evidence-keys.ts";
import type { AnchorStatus } from "../../ledger/evm.ts";
import type { Log } from "../../ledger/log.ts";
import { largestBundle } from "../../ledger/verify/bundle.ts";
import { checkEvmEvidence, type EvmEvidence, refuteEvmEvidence } from "../../ledger/verify/evm-evidence.ts";
import { toHex } from "../../ledger/verify/hash.ts";
import { readJson } from "../../ledger/verify/json.ts";
import type { openTimestamp } from "../../ledger/verify/timestamp.ts";
import type { Store } from "../../stores/store.ts";
import type { KnownEntry } from "./read-log.ts";

/** Where entries are, and the states that they say snapshots have reached. Snapshots that are not in the catalog are passed over. */
export const rebuildEntries = async (catalog: Catalog, entries: readonly KnownEntry[], live: ReadonlySet<string>): Promise<void> => {
  for (const [at, { entry, index, hash, database, identity }] of entries.entries()) {
    await recordLogEntry(catalog, {
      identity,
      index,
      kind: entry.kind,
      database,
      sequence: entry.sequence,
      entryHash: hash,
      at: entry.time,
    });
    if (!("snapshot" in entry) || entry.snapshot === undefined || !live.has(entry.snapshot)) continue;
    const reach = (state: Parameters<typeof reachState>[2], evidence: Readonly<Record<string, unknown>>) =>
      reachState(catalog, entry.snapshot as string, state, evidence, entry.time);
    const next = entries[at + 1]?.entry;
    const together = next?.kind === "snapshot-replicated" && next.snapshot === entry.snapshot;
    if (entry.kind === "snapshot-sealed") await reach("logged", { index, size: index + (together ? 2 : 1) });
    if (entry.kind === "snapshot-replicated") {
      await reach("replicated", { copies: entry.copies, domains: entry.domains, failed: Array(entry.failed).fill({}) });
    }
    if (entry.kind === "snapshot-verified") await reach("verified", { packs: entry.packs, logIndex: index });
    if (entry.kind === "drilled") {
      const { snapshot, identical, seconds, rows, bytes = 0, differences = 0 } = entry;
      const told = Array(differences).fill("not in the log");
      await recordDrill(catalog, {
        snapshot,
        at: entry.time,
        database: database ?? "",
        identical,
        seconds,
        rows,
        bytes,
        differences: told,
      });
      if (identical) await reach("drilled", { seconds, rows });
    }
  }
};

/** What a chain says now of a transaction whose evidence lies beside the log; or why no node could be asked. */
export type AskChain = (
  anchor: string,
  evidence: EvmEvidence,
  head: { readonly size: number; readonly root: string },
) => Promise<AnchorStatus | { readonly unasked: string }>;

/**
 * Heads of the log as signed; anchors and time stamps by the evidence that lies beside the log, each checked again. A block's header says neither that the block is final nor of which
 * chain it is: an anchor is `finalized` once a node says so, and until then no more than `mined`. Returns what was found.
 */
export const rebuildAttestation = async (
  catalog: Catalog,
  log: Log,
  store: Store,
  anchorsOf: (evidence: EvmEvidence) => string | undefined,
  openToken: (size: number, authority: string, token: Uint8Array) => Promise<ReturnType<typeof openTimestamp>>,
  askChain: AskChain,
  logKeys: readonly LogKey[],
  signal: AbortSignal,
): Promise<{ anchors: number; timestamps: number; refused: string[] }> => {
  const found = { anchors: 0, timestamps: 0, refused: [] as string[] };
  const head = log.checkpoint();
  const recordHead = async (size: number, at: string): Promise<string> => {
    const { root, note } = await log.checkpointAt(size);
    await recordCheckpoint(catalog, { origin: log.origin, size, root: toHex(root), note, at });
    return toHex(root);
  };
  if (head.size > 0) await recordHead(head.size, (await log.entry(head.size - 1)).entry.time);
  const keys: string[] = [];
  for await (const { key } of store.list(evidencePrefix, signal)) keys.push(key.slice(evidencePrefix.length));
  // From the oldest: the first anchor that covers a snapshot is what made it `anchored`.
  for (const key of keys.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))) {
    const match = /^(\d+)\/(checkpoint|([^/]+)\.(json|tst))$/.exec(key);
    const size = Number(match?.[1]);
    if (match === null || size < 1 || size > head.size) continue;
    const bytes = await store.get(evidencePrefix + key, signal);
    const [, , what, name, kind] = match;
    const root = await recordHead(size, (await log.entry(size - 1)).entry.time);
    if (what === "checkpoint") {
      const note = openLogCheckpoint(Buffer.from(bytes).toString("utf8"), log.origin, logKeys);
      if ("reason" in note) found.refused.push(`${key} ${note.reason}`);
      else if (note.size !== size || toHex(note.root) !== root) found.refused.push(`${key} is of another checkpoint than the log's`);
      else await recordPublished(catalog, log.origin, size, note.note, new Date());
    }
    if (kind === "json") {
      const evidence = readEvidence(bytes);
      const anchor = "reason" in evidence ? undefined : anchorsOf(evidence);
      const flaw = "reason" in evidence ? evidence : refuteEvmEvidence(evidence, { origin: log.origin, size, root });
      if ("reason" in evidence || anchor === undefined || flaw !== undefined)
        found.refused.push(`${key} ${flaw?.reason ?? "is of no anchor that is configured"}`);
      else {
        const { chainId, contract, transaction, block, blockHash, time } = evidence;
        const place = { anchor, size, root, chainId, contract, transaction, block, blockHash };
        const told = await askChain(anchor, evidence, { size, root });
        const gone = "status" in told && (told.status === "dropped" || ("blockHash" in told && told.blockHash !== blockHash));
        if (gone) found.refused.push(`${key} is of a block that the chain does not have`);
        else if ("status" in told && told.status === "finalized") {
          await recordAnchor(catalog, { ...place, status: "finalized", at: time });
          await markAnchored(catalog, size, place, time);
          found.anchors += 1;
        } else {
          await recordAnchor(catalog, { ...place, status: "mined", at: time });
          const why = "unasked" in told ? told.unasked : "the chain does not call its block final yet";
          found.refused.push(`${key} is recorded as mined, and not as final, since ${why}; the next anchoring asks again`);
        }
      }
    }
    if (kind === "tst") {
      const stamp = await openToken(size, name as string, bytes).catch((error: unknown) => {
        // An authority that the configuration no longer has, or whose roots are lost, keeps nothing else from being rebuilt.
        if (!isFailure(error)) throw error;
        return { reason: `cannot be checked: ${error.message}` };
      });
      if ("reason" in stamp) found.refused.push(`${key} ${stamp.reason}`);
      else {
        await recordTimestamp(catalog, { authority: name as string, size, root, token: bytes, time: stamp.time });
        found.timestamps += 1;
      }
    }
  }
  return found;
};

const readEvidence = (bytes: Uint8Array): EvmEvidence | { readonly reason: string } => {
  const read = readJson(Buffer.from(bytes).toString("utf8"), { characters: largestBundle, depth: 8, values: 300_000 });
  if ("reason" in read) return read;
  const misfit = checkEvmEvidence(read.value, "");
  return misfit === undefined ? (read.value as EvmEvidence) : { reason: `is no evidence of a chain: ${misfit.part} ${misfit.reason}` };
};

/** Holds that stand: the log does not have their words, so they come back under new ids and hold all that they may have held. */
export const rebuildHolds = async (catalog: Catalog, entries: readonly KnownEntry[]): Promise<string[]> => {
  const of = (kind: LogEntry["kind"]) => entries.filter(({ entry }) => entry.kind === kind);
  const lifted = new Set(of("hold-lifted").map(({ entry }) => (entry.kind === "hold-lifted" ? entry.hold : "")));
  const ids: string[] = [];
  for (const { entry, database } of of("hold-placed")) {
    if (entry.kind !== "hold-placed" || lifted.has(entry.hold)) continue;
    const id = `rebuilt-${entry.hold.slice(0, 12)}`;
    const reason = "stood when the catalog was rebuilt from the log, which does not have its reason";
    await placeHold(catalog, { id, database, snapshot: null, reason, by: "catalog rebuild", at: entry.time, until: entry.until ?? null });
    ids.push(id);
  }
  return ids;
};

/** `commitSnapshot` and the like write the time of the rebuilding; the log knows better. */
export const restoreTimes = async (catalog: Catalog, entries: readonly KnownEntry[]): Promise<void> => {
  for (const { entry } of entries) {
    if (entry.kind !== "snapshot-sealed") continue;
    await query(
      catalog,
      "restoring the times of states",
      `UPDATE dbgov.snapshot_state x SET reached_at = $2 FROM dbgov.snapshot s
       WHERE s.snapshot_no = x.snapshot_no AND s.id = $1 AND x.state = 'sealed' AND x.reached_at > $2`,
      [entry.snapshot, entry.time],
    );
  }
};

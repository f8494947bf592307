import { createHash } from "node:crypto";
import { cancellationSignal } from "@temporalio/activity";
import { liveSnapshots } from "../../core/catalog/live-snapshots.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { DrillResult, StoreRepair } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";
import type { Deletions } from "../retain/delete-objects.ts";
import type { Removal } from "../retain/index.ts";
import { appendEvents, databaseCommitment, type LogEvent } from "./append-entries.ts";

/** What the catalog keeps of a snapshot that is `replicated`. */
interface ReplicationEvidence {
  readonly copies: number;
  readonly domains: number;
  readonly failed: readonly unknown[];
}

export interface LogSnapshotInput {
  readonly snapshot: string;
  /** The public key that signed its manifest, as hex; runs from before that was told mean the present one. */
  readonly signer?: string;
  /** How it is replicated; runs from before that was told have it in the catalog. */
  readonly replication?: { readonly copies: number; readonly domains: number; readonly failed: number };
}

const hashText = (text: string): string => createHash("sha256").update(text).digest("hex");

/** One entry for every promise that was kept or broken. Each is logged once, however often the activity is tried. */
export const createLogEvents = ({ site }: ActivityEnvironment) => {
  const append = async (event: LogEvent) => {
    const [entry] = await appendEvents(await site(), [event], cancellationSignal());
    if (entry === undefined) throw new Failure("Unexpected", "the log answered an append with nothing");
    return entry;
  };
  const known = async (snapshot: string) => {
    const found = await getSnapshot(await (await site()).catalog(), snapshot);
    if (found === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the catalog`);
    return found;
  };
  const now = (): string => new Date().toISOString();

  return {
    /** That it is sealed, and with it that it is replicated: both are known when a run comes here. */
    logSnapshot: async ({ snapshot, signer, replication }: LogSnapshotInput): Promise<{ index: number }> => {
      const at = await site();
      const facts = await known(snapshot);
      const { database, manifestHash, states } = facts;
      const common = { time: now(), database: await databaseCommitment(at, database), snapshot, manifestHash };
      const sealed: LogEvent = {
        identity: `snapshot-sealed/${snapshot}`,
        database,
        body: {
          ...common,
          kind: "snapshot-sealed",
          ciphertextRoot: facts.ciphertextRoot,
          engine: facts.engine,
          consistency: facts.consistency,
          startedAt: facts.startedAt,
          capturedAt: facts.capturedAt,
          rows: facts.rows,
          bytes: facts.bytesRead,
          bytesNew: facts.bytesNew,
          bytesStored: facts.bytesStored,
          signer: signer ?? Buffer.from((await at.signer()).publicKey).toString("hex"),
        },
      };
      const inCatalog = states.find(({ state }) => state === "replicated")?.evidence as ReplicationEvidence | undefined;
      const replicated = replication ?? (inCatalog === undefined ? undefined : { ...inCatalog, failed: inCatalog.failed.length });
      const events = [sealed];
      if (replicated !== undefined) {
        const { copies, domains, failed } = replicated;
        const body = { ...common, kind: "snapshot-replicated", copies, domains, failed } as const;
        events.push({ identity: `snapshot-replicated/${snapshot}`, database, body });
      }
      const [entry] = await appendEvents(at, events, cancellationSignal());
      const { index, size } = entry as { index: number; size: number };
      await reachState(await at.catalog(), snapshot, "logged", { index, size }, new Date());
      return { index };
    },

    logFailedRun: async ({ database, snapshot, failure }: { database: string; snapshot: string; failure: string }): Promise<void> => {
      const body = {
        kind: "snapshot-failed",
        time: now(),
        database: await databaseCommitment(await site(), database),
        run: snapshot,
        failure,
      } as const;
      await append({ identity: `snapshot-failed/${snapshot}/${failure}`, database, body });
    },

    logVerified: async ({ snapshot }: { snapshot: string }): Promise<void> => {
      const at = await site();
      const { database, manifestHash } = await known(snapshot);
      const replicas = await replicaSummary(await at.catalog(), snapshot);
      const packs = Math.max(0, ...replicas.map((replica) => replica.packs));
      const body = {
        kind: "snapshot-verified",
        time: now(),
        database: await databaseCommitment(at, database),
        snapshot,
        manifestHash,
        packs,
      } as const;
      await append({ identity: `snapshot-verified/${snapshot}`, database, body });
    },

    logDrill: async (result: DrillResult & { at: string }): Promise<void> => {
      const at = await site();
      const { database, manifestHash } = await known(result.snapshot);
      const { snapshot, identical, seconds, rows, bytes } = result;
      const body = {
        ...({ kind: "drilled", time: now(), database: await databaseCommitment(at, database), snapshot, manifestHash } as const),
        ...{ identical, seconds, rows, bytes, differences: result.differences.length },
      };
      await append({ identity: `drilled/${snapshot}/${result.at}`, database, body });
    },

    /** The removal of snapshots: from here on they cannot be opened, and their packs will go. */
    logRemoval: async (input: { database: string; removals: readonly Removal[] }): Promise<void> => {
      const at = await site();
      const kept = (await liveSnapshots(await at.catalog(), input.database)).length;
      const commitment = await databaseCommitment(at, input.database);
      const deleted: LogEvent[] = [];
      for (const { snapshot, envelopes, packs, means, reason = "retention" } of input.removals) {
        const { manifestHash } = await known(snapshot);
        const body = {
          kind: "deleted",
          time: now(),
          database: commitment,
          snapshot,
          manifestHash,
          reason,
          envelopes,
          packs,
          ...(means === undefined ? {} : { means }),
        } as const;
        deleted.push({ identity: `deleted/${snapshot}`, database: input.database, body });
      }
      const packs = input.removals.reduce((sum, removal) => sum + removal.packs, 0);
      const executed = { kind: "retention-executed", time: now(), database: commitment, removed: deleted.length, kept, packs } as const;
      const names = input.removals.map(({ snapshot }) => snapshot);
      const identity = `retention-executed/${hashText(names.sort().join())}`;
      await appendEvents(at, [...deleted, { identity, database: input.database, body: executed }], cancellationSignal());
    },

    /** The deletion of stored objects that nothing refers to, before it happens. */
    logDeletion: async ({ keys, copies }: { keys: readonly string[]; copies?: Deletions["copies"] }): Promise<void> => {
      const packs = keys.filter((key) => key.startsWith("packs/")).length;
      const keysHash = hashText([...keys].sort().join("\n"));
      const body = { kind: "objects-deleted", time: now(), objects: keys.length, packs, keysHash, ...copies } as const;
      await append({ identity: `deletion/${hashText([...keys].sort().join())}`, database: null, body });
    },

    /** What a repair pass found wrong in stores, and what was replaced there. */
    logRepairs: async ({ pass, stores }: { pass: string; stores: readonly StoreRepair[] }): Promise<void> => {
      const events = stores.map(({ store, asked, found, repaired }): LogEvent => {
        const body = { kind: "copies-repaired", time: now(), store, asked, found, repaired } as const;
        return { identity: `copies-repaired/${pass}/${store}`, database: null, body };
      });
      await appendEvents(await site(), events, cancellationSignal());
    },

    logSweep: async (totals: {
      id: string;
      reportHash: string;
      pass: number;
      fail: number;
      notApplicable: number;
      inconclusive: number;
    }): Promise<void> => {
      const { id, reportHash, pass, fail, notApplicable, inconclusive } = totals;
      await append({
        identity: `sweep-finished/${id}`,
        database: null,
        body: { kind: "sweep-finished", time: now(), reportHash, pass, fail, notApplicable, inconclusive },
      });
    },

    logHold: async (hold: { id: string; database: string | null; lifted: boolean; until?: string | null }): Promise<void> => {
      const at = await site();
      const named = hold.database === null ? {} : { database: await databaseCommitment(at, hold.database) };
      const kind = hold.lifted ? ("hold-lifted" as const) : ("hold-placed" as const);
      const until = hold.lifted || hold.until == null ? {} : { until: hold.until };
      await append({
        identity: `${kind}/${hold.id}`,
        database: hold.database,
        body: { kind, time: now(), hold: hashText(hold.id), ...named, ...until },
      });
    },
  };
};

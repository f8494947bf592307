import { anchorCovering } from "../../core/catalog/read-anchors.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import type { SnapshotRecord } from "../../core/catalog/records.ts";
import { replicaSummary } from "../../core/catalog/replica-summary.ts";
import { formatDuration } from "../../core/domain/duration.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { furthestState } from "../../core/domain/snapshot.ts";
import { bad, formatBytes, plural, table, warn } from "../cli/terminal.ts";
import { awaitStates } from "./await-states.ts";
import type { DemoReport } from "./demo-report.ts";
import type { DemoContext } from "./run-demo.ts";
import { replicaRow, statesLine, timesLine } from "./show.ts";

export interface ShownSnapshots {
  readonly records: readonly SnapshotRecord[];
  readonly checkpoint: DemoReport["checkpoint"];
  readonly anchor: DemoReport["anchor"];
  /** The backups' results, each with the state that its snapshot has by now. */
  readonly withStates: () => Promise<BackupResult[]>;
}

/** Waits until the snapshots are anchored and verified, and shows states, replicas and the anchor. */
export const showSnapshots = async ({ stage, site }: DemoContext, backups: readonly BackupResult[]): Promise<ShownSnapshots> => {
  const catalog = await site.catalog();
  const records = await stage.step("The states that each snapshot reached, each by evidence", async (progress) => {
    const reached: SnapshotRecord[] = [];
    for (const { snapshot, database, rows, bytes } of backups) {
      const record = await awaitStates(site, snapshot, ["anchored", "verified"], 60_000, (at) =>
        progress.update(`${database}: ${statesLine(at)}`),
      );
      progress.end();
      stage.done(
        `${database}: ${rows.toLocaleString("en")} rows, ${formatBytes(bytes.read)} read, ${formatBytes(bytes.stored)} stored, ${record.consistency}`,
      );
      stage.tell(`  ${statesLine(record)}`);
      stage.tell(`  ${timesLine(record)}`);
      reached.push(record);
    }
    return reached;
  });
  await stage.step("Packs and replicas, by store", async () => {
    const rows: string[][] = [];
    for (const { snapshot, database } of records) {
      for (const summary of await replicaSummary(catalog, snapshot)) rows.push([database, ...replicaRow(summary)]);
    }
    for (const line of table(["database", "store", "packs", "read back", "holds"], rows).split("\n")) stage.tell(line);
  });
  const last = Math.max(...backups.map(({ logIndex }) => logIndex));
  const anchored = await stage.step("The anchor on the chain", async () => {
    const found = await anchorCovering(catalog, last);
    if (found === undefined || found.block === null) throw new Failure("VerificationFailed", `no final anchor covers log entry ${last}`);
    stage.done(`checkpoint of ${plural(found.size, "entry", "entries")}, root ${found.root}`);
    stage.tell(`  ${found.status} in block ${found.block} of chain ${found.chainId}`);
    stage.tell(`  transaction ${found.transaction}`);
    return { ...found, block: found.block };
  });
  const { size, root, chainId, contract, transaction, block, status } = anchored;
  return {
    records,
    checkpoint: { size, root },
    anchor: { chainId, contract, transaction, block, finalized: status === "finalized" },
    withStates: () =>
      Promise.all(
        backups.map(async (backup) => {
          const record = await getSnapshot(catalog, backup.snapshot);
          return { ...backup, state: furthestState(new Set(record?.states.map(({ state }) => state))) ?? backup.state };
        }),
      ),
  };
};

/** Restores both databases into scratch ones, side by side, and shows how long that took. */
export const showDrills = async ({ stage, dbgov }: DemoContext, names: readonly string[]): Promise<DemoReport["drills"]> =>
  await stage.step("Drill: restore into scratch databases, compare, drop", async (progress) => {
    progress.update("restoring");
    return await Promise.all(
      names.map(async (name) => {
        const { stdout, code } = await dbgov("drill", name, "--json");
        const {
          identical = false,
          seconds = 0,
          rows = 0,
          error,
        } = JSON.parse(stdout) as { identical?: boolean; seconds?: number; rows?: number; error?: { message: string } };
        progress.end();
        if (code === 0 && identical)
          stage.done(`${name}: ${rows.toLocaleString("en")} rows back in ${formatDuration(seconds * 1_000)}, identical`);
        else stage.tell(`${bad("✗")} ${name}: ${error?.message ?? "it differs"}`);
        return { database: name, identical, seconds };
      }),
    );
  });

/** Judges the two databases and dbgov's own record. A demo stack on loopback has findings, and they are shown. */
export const showSweep = async ({ stage, dbgov }: DemoContext): Promise<DemoReport["sweep"]> =>
  await stage.step("Sweep: SOX, GDPR, HIPAA and ISO 27001 controls", async (progress) => {
    progress.update("sweeping");
    const { stdout } = await dbgov("sweep", "--json");
    const found = JSON.parse(stdout) as DemoReport["sweep"] & {
      report: string;
      findings: { result: string; reason: string; severity: string; resource: { name: string } }[];
      error?: { message: string };
    };
    progress.end();
    if (found.error !== undefined) throw new Failure("CheckIncomplete", found.error.message);
    const { pass, fail, notApplicable, inconclusive } = found;
    stage.done(`${pass} pass, ${fail} fail, ${notApplicable} not applicable, ${inconclusive} inconclusive`);
    for (const { resource, reason, severity } of found.findings.filter(({ result }) => result === "fail").slice(0, 5)) {
      stage.tell(`  ${warn(severity)} ${resource.name}: ${reason}`);
    }
    stage.tell(`  report: ${found.report.replace(/\.json$/, ".html")}`);
    return { pass, fail, notApplicable, inconclusive };
  });

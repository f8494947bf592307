import { getSnapshot, listSnapshots } from "../../../core/catalog/read-snapshots.ts";
import { replicaSummary } from "../../../core/catalog/replica-summary.ts";
import { formatDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { furthestState } from "../../../core/domain/snapshot.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { bold, dim, formatBytes, good, plural, say, table, utcSecond } from "../terminal.ts";

export const action: CommandAction = async (input) => {
  if (input.args[0] !== undefined) snapshotArgument(input.args[0]);
  return await withCatalog(input, (site) => (input.args[0] === undefined ? list(site, input) : show(site, input)));
};

type Shown = (site: Parameters<Parameters<typeof withCatalog>[1]>[0], input: Parameters<CommandAction>[0]) => Promise<number>;

const list: Shown = async (site, { options, json }) => {
  const { database } = options;
  if (typeof database === "string") site.database(database);
  const found = await listSnapshots(await site.catalog(), typeof database === "string" ? { database } : {});
  const rows = found.map((record) => ({ ...record, state: furthestState(new Set(record.states.map(({ state }) => state))) ?? "captured" }));
  if (json) process.stdout.write(`${JSON.stringify({ snapshots: rows })}\n`);
  else if (rows.length === 0) say("no snapshots yet: dbgov backup NAME makes one");
  else {
    say(
      table(
        ["snapshot", "database", "state", "captured (UTC)", "rows", "read", "new", "held"],
        rows.map((row) => [
          row.snapshot,
          row.database,
          row.state,
          utcSecond(row.capturedAt),
          row.rows.toLocaleString("en"),
          formatBytes(row.bytesRead),
          formatBytes(row.bytesNew),
          row.held ? "held" : "",
        ]),
      ),
    );
  }
  return 0;
};

const show: Shown = async (site, { args, json }) => {
  const id = args[0] as string;
  const catalog = await site.catalog();
  const record = await getSnapshot(catalog, id);
  if (record === undefined) throw new Failure("SnapshotUnknown", `snapshot ${id} is not in the catalog`);
  const replicas = await replicaSummary(catalog, id);
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...record, replicas })}\n`);
    return 0;
  }
  say(`${bold(id)} of ${bold(record.database)} (${record.engine}, ${record.consistency}), ${plural(record.rows, "row")}`);
  if (record.removedAt !== null) say(`  removed    ${utcSecond(record.removedAt)}`);
  for (const { state, reachedAt, evidence } of record.states) {
    say(
      `  ${good("✓")} ${state.padEnd(10)} ${utcSecond(reachedAt)}  ${`+${formatDuration(Math.max(0, Date.parse(reachedAt) - Date.parse(record.startedAt)))}`.padEnd(12)} ${dim(brief(evidence))}`,
    );
  }
  say(
    table(
      ["store", "objects", "packs", "read back"],
      replicas.map((replica) => [
        replica.store,
        replica.objects === 1 && replica.packs === 0 ? "the manifest" : `${replica.objects} of ${replica.objectsOfAll}`,
        String(replica.packs),
        String(replica.verified),
      ]),
    ),
  );
  return 0;
};

/** Evidence in one line: long hashes shortened, what is empty left out. */
const brief = (evidence: Readonly<Record<string, unknown>>): string =>
  Object.entries(evidence)
    .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key} ${typeof value === "string" && value.length > 20 ? `${value.slice(0, 10)}…` : JSON.stringify(value)}`)
    .join(", ");

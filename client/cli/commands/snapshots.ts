import { getSnapshot, listSnapshots } from "../../../core/catalog/read-snapshots.ts";
import { replicaSummary } from "../../../core/catalog/replica-summary.ts";
import { formatDuration } from "../../../core/domain/duration.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { furthestState } from "../../../core/domain/snapshot.ts";
import { withSite } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bold, dim, formatBytes, good, say, table } from "../terminal.ts";

export const action: CommandAction = (input) =>
  withSite(input, (site) => (input.args[0] === undefined ? list(site, input) : show(site, input)));

type Shown = (site: Parameters<Parameters<typeof withSite>[1]>[0], input: Parameters<CommandAction>[0]) => Promise<number>;

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
        ["snapshot", "database", "state", "captured", "rows", "read", "new", "held"],
        rows.map((row) => [
          row.snapshot,
          row.database,
          row.state,
          `${row.capturedAt.slice(0, 19).replace("T", " ")} UTC`,
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
  say(`${bold(id)} of ${bold(record.database)} (${record.engine}, ${record.consistency}), ${record.rows.toLocaleString("en")} rows`);
  if (record.removedAt !== null) say(`  removed ${record.removedAt}`);
  let before = Date.parse(record.startedAt);
  for (const { state, reachedAt, evidence } of record.states) {
    say(
      `  ${good("✓")} ${state.padEnd(10)} ${reachedAt.slice(0, 19).replace("T", " ")}  ${dim(`+${formatDuration(Math.max(0, Date.parse(reachedAt) - before))}`)}  ${dim(brief(evidence))}`,
    );
    before = Date.parse(reachedAt);
  }
  say(
    table(
      ["store", "objects", "packs", "read back"],
      replicas.map((replica) => [
        replica.store,
        `${replica.objects} of ${replica.objectsOfAll}`,
        String(replica.packs),
        String(replica.verified),
      ]),
    ),
  );
  return 0;
};

/** Evidence in one line: long hashes shortened. */
const brief = (evidence: Readonly<Record<string, unknown>>): string =>
  Object.entries(evidence)
    .map(([key, value]) => `${key} ${typeof value === "string" && value.length > 20 ? `${value.slice(0, 10)}…` : JSON.stringify(value)}`)
    .join(", ");

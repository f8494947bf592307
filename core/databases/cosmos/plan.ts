import type { PartPlan, Plan, PlanOptions, StreamPlan } from "../engine.ts";
import {
  type Container,
  listContainers,
  listRanges,
  listScripts,
  type PartitionRange,
  readContainer,
  type ScriptKind,
  scriptKinds,
} from "./catalog.ts";
import { type Connection, connected } from "./connection.ts";
import { definitionsStream, partitionKeyOfContainer } from "./definitions.ts";
import type { PartitionKey } from "./documents.ts";
import { type Follow, findFollow, markOf } from "./marks.ts";
import { isMarker } from "./restore-progress.ts";

/** What reads the definitions: the containers that were planned, each with its identity. */
export interface DefinitionsSelector {
  readonly containers: readonly { readonly id: string; readonly rid: string }[];
}

/** What reads a part of a container: the hashed partition keys from `min` up to `max`, which were one partition when it was planned. */
export interface RowsSelector {
  readonly container: string;
  readonly rid: string;
  readonly min: string;
  readonly max: string;
}

/** What writes a container's documents back. */
export interface RowsTarget {
  readonly container: string;
  readonly partitionKey: PartitionKey;
}

/** Streams: one of definitions, and one of rows for every container, in a part for each of its partitions. */
export async function planDatabase(url: string, _token: string, _options: PlanOptions, signal: AbortSignal): Promise<Plan> {
  return connected(url, signal, "planning", async (connection) => {
    const containers = await listContainers(connection, signal);
    const selector: DefinitionsSelector = { containers: containers.map(({ id, rid }) => ({ id, rid })) };
    const streams: StreamPlan[] = [
      {
        name: definitionsStream,
        kind: "definition",
        framing: "opaque",
        target: { definitions: true },
        parts: [{ selector, estimatedBytes: containers.length * 1_000 }],
      },
    ];
    const planned = [];
    for (const container of containers) planned.push({ container, ranges: await listRanges(connection, container.id, signal) });
    const follow = await findFollow(connection, planned, signal);
    for (const { container, ranges } of planned) streams.push(await rowsOf(connection, container, ranges, follow, signal));
    const notes = [
      ...(await notesOf(connection, containers[0], signal)),
      followNotes[follow],
      ...(await unfinishedNotes(connection, containers, signal)),
    ];
    return { serverVersion: connection.serverVersion, databaseName: connection.address.databaseName, streams, notes };
  });
}

async function rowsOf(
  connection: Connection,
  container: Container,
  ranges: readonly PartitionRange[],
  follow: Follow,
  signal: AbortSignal,
): Promise<StreamPlan> {
  const { id, rid } = container;
  const bytes = (await readContainer(connection, id, signal))?.bytes ?? 0;
  const parts = ranges.map(({ min, max }): PartPlan => {
    const selector: RowsSelector = { container: id, rid, min, max };
    return { selector, estimatedBytes: Math.ceil(bytes / ranges.length) };
  });
  const target: RowsTarget = { container: id, partitionKey: partitionKeyOfContainer(container) };
  const mark = await markOf(connection, follow, container, ranges, signal);
  return { name: id, kind: "rows", framing: "stamped", target, parts, ...(mark === undefined ? {} : { mark }) };
}

const followNotes: Readonly<Record<Follow, string>> = {
  "change feed":
    "The next snapshot is told by the change feed, which was tested, and by a count, since deletions are not in it, which partitions are unchanged.",
  timestamps:
    "The server has no change feed that could be shown to work: the next snapshot is told by times of last writes and by a count, for deletions, which partitions are unchanged.",
};

/** A half-restored database looks like any other: whoever relies on its snapshot must know. */
async function unfinishedNotes(connection: Connection, containers: readonly Container[], signal: AbortSignal): Promise<string[]> {
  const marked: string[] = [];
  for (const { id } of containers)
    if ((await listScripts(connection, id, "functions", signal))?.some(isMarker)) marked.push(JSON.stringify(id));
  return marked.length === 0 ? [] : [`A restore into this database is not finished: what ${marked.join(", ")} should hold may be missing.`];
}

async function notesOf(connection: Connection, trial: Container | undefined, signal: AbortSignal): Promise<string[]> {
  const notes = [
    "Cosmos DB has no snapshots: each document is as it was when its page was read.",
    "The time of each document's last write (_ts) is kept, but no server takes it back: a restored document has the time of its restore.",
  ];
  if (connection.throughput === undefined) notes.push("The server has no throughput settings to be captured.");
  if (trial === undefined) return notes;
  for (const kind of Object.keys(scriptKinds) as ScriptKind[])
    if ((await listScripts(connection, trial.id, kind, signal)) === undefined) notes.push(`The server has no ${scriptKinds[kind].title}.`);
  return notes;
}

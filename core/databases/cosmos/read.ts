import { Failure } from "../../domain/failure.ts";
import type { PartPlan, StreamPlan } from "../engine.ts";
import { listRanges, listScripts, readContainer, type ScriptKind, scriptKinds } from "./catalog.ts";
import { type Connection, connect } from "./connection.ts";
import { type ContainerDefinition, writeDefinitions } from "./definitions.ts";
import { nameOf, type PartitionKey, writtenAt } from "./documents.ts";
import { cosmosFailure, isMissing } from "./failures.ts";
import { clocksDifferBySeconds } from "./marks.ts";
import type { DefinitionsSelector, RowsSelector, RowsTarget } from "./plan.ts";
import { readRows } from "./read-feed.ts";
import { isMarker } from "./restore-progress.ts";
import { rememberDocuments } from "./seen-documents.ts";

/** The bytes of one part: a partition's documents, or the definitions. */
export async function* readPart(
  url: string,
  _token: string,
  stream: StreamPlan,
  part: PartPlan,
  signal: AbortSignal,
  waiting?: (why: string) => void,
): AsyncGenerator<Uint8Array, void> {
  const connection = await connect(url, signal, { waiting });
  try {
    if (stream.kind === "definition") yield await readContainers(connection, part.selector as DefinitionsSelector, signal);
    else yield* readPartition(connection, part.selector as RowsSelector, stream.target as RowsTarget, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw cosmosFailure(error, connection.address, `reading ${JSON.stringify(stream.name)}`);
  }
}

/** Partitions that were split since the plan are read one after another; that the container is still the planned one is asked before and after. */
async function* readPartition(
  connection: Connection,
  selector: RowsSelector,
  { partitionKey }: RowsTarget,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const { container, rid, min, max } = selector;
  const isNew = notGivenBefore(connection, partitionKey);
  await requireSame(connection, container, rid, signal);
  try {
    for (const range of await listRanges(connection, container, signal)) {
      if (range.max <= min || range.min >= max) continue;
      if (range.min < min || range.max > max) throw changed(connection, container, "has had partitions merged");
      yield* readRows(connection, { container, rid, range }, signal, isNew);
    }
  } catch (error) {
    if (isMissing(error)) throw changed(connection, container, "was deleted", error);
    throw error;
  }
  await requireSame(connection, container, rid, signal);
}

/**
 * Refuses a document that was written after the reading began and whose name was given before: it was deleted and created again,
 * and what was given is what it was.
 */
function notGivenBefore({ openedAt }: Connection, partitionKey: PartitionKey): (document: Buffer) => boolean {
  const { sawBefore } = rememberDocuments();
  const began = (openedAt ?? 0) / 1_000 - clocksDifferBySeconds;
  return (document) => !sawBefore(nameOf(document, partitionKey)) || writtenAt(document) < began;
}

async function requireSame(connection: Connection, id: string, rid: string, signal: AbortSignal) {
  const found = await readContainer(connection, id, signal);
  if (found === undefined) throw changed(connection, id, "was deleted");
  if (found.rid !== rid) throw changed(connection, id, "was replaced by another of that name");
  return found;
}

const changed = ({ address }: Connection, name: string, what: string, cause?: unknown): Failure =>
  new Failure("SourceChanged", `Container ${JSON.stringify(name)} of ${address.label} ${what} during the capture.`, { cause });

async function readContainers(connection: Connection, selector: DefinitionsSelector, signal: AbortSignal): Promise<Uint8Array> {
  const throughputOf = (rid: string | undefined) => (rid === undefined ? null : (connection.throughput?.get(rid) ?? null));
  const containers: ContainerDefinition[] = [];
  for (const { id, rid } of selector.containers) {
    const { text } = await requireSame(connection, id, rid, signal);
    const scripts: Partial<Record<ScriptKind, readonly Buffer[]>> = {};
    for (const kind of Object.keys(scriptKinds) as ScriptKind[])
      scripts[kind] = ((await listScripts(connection, id, kind, signal)) ?? []).filter(
        (script) => kind !== "functions" || !isMarker(script),
      );
    containers.push({ id, text, throughput: throughputOf(rid), scripts: scripts as ContainerDefinition["scripts"] });
  }
  return writeDefinitions({ throughput: throughputOf(connection.rid), containers });
}

import { Failure } from "../../domain/failure.ts";
import type { RestoreProgress } from "../engine.ts";
import { listScripts } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import { CosmosError, isUnknownRoute } from "./failures.ts";
import { memberOf } from "./json-text.ts";

/**
 * That a restore is under way is kept in each container that it makes, as a function that nobody calls, until all of it is done: a
 * document would be one of the container's, and a container of its own would cost throughput. Parts are not recorded: a restore that
 * goes on compares each document with what is there.
 */
const markerOf = ({ job }: RestoreProgress): string => `dbgov_restore_${job}`;
const markers = /^"dbgov_restore_[0-9a-f]{16}"$/;

const idOf = (script: Buffer): string => memberOf(script, "id")?.toString() ?? "";

/** Whether this function is the mark of a restore, whichever: it is none of the database's. */
export const isMarker = (script: Buffer): boolean => markers.test(idOf(script));

/** False where the server has no functions: then nobody can go on from there. */
export async function markContainer(
  connection: Connection,
  container: string,
  progress: RestoreProgress,
  signal: AbortSignal,
): Promise<boolean> {
  const body = Buffer.from(JSON.stringify({ id: markerOf(progress), body: "function restoring() { return true; }" }));
  try {
    await connection.send({ method: "POST", resource: ["colls", container, "udfs"], body }, connection.budget(), signal);
    return true;
  } catch (error) {
    if (error instanceof CosmosError && error.status === 409) return true;
    if (isUnknownRoute(error)) return false;
    throw error;
  }
}

async function isMarked(connection: Connection, container: string, progress: RestoreProgress, signal: AbortSignal): Promise<boolean> {
  const functions = (await listScripts(connection, container, "functions", signal)) ?? [];
  return functions.some((text) => idOf(text) === `"${markerOf(progress)}"`);
}

export async function unmarkContainer(
  connection: Connection,
  container: string,
  progress: RestoreProgress,
  signal: AbortSignal,
): Promise<void> {
  try {
    const resource = ["colls", container, "udfs", markerOf(progress)];
    await connection.send({ method: "DELETE", resource, repeatable: true }, connection.budget(), signal);
  } catch (error) {
    if (!(error instanceof CosmosError && error.status === 404) && !isUnknownRoute(error)) throw error;
  }
}

/** Of these containers those that an unfinished restore of this very snapshot and choice has made. */
export async function markedOf(
  connection: Connection,
  containers: readonly { readonly id: string }[],
  progress: RestoreProgress,
  signal: AbortSignal,
): Promise<string[]> {
  const marked: string[] = [];
  for (const { id } of containers) if (await isMarked(connection, id, progress, signal)) marked.push(id);
  return marked;
}

export const nothingToResume = ({ address }: Connection): Failure =>
  new Failure(
    "UsageInvalid",
    `Database ${address.label} holds no unfinished restore of this snapshot and choice: there is nothing to resume.`,
  );

export const unfinished = ({ address }: Connection): Failure =>
  new Failure(
    "TargetNotEmpty",
    `Database ${address.label} holds an unfinished restore of this very snapshot: go on with it by --resume, or start over with --replace.`,
  );

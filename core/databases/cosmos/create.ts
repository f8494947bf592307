import { type ScriptKind, scriptKinds } from "./catalog.ts";
import type { Connection } from "./connection.ts";
import type { ContainerDefinition } from "./definitions.ts";
import { CosmosError, isUnknownRoute } from "./failures.ts";
import { membersOf, objectOf } from "./json-text.ts";
import { type Throughput, throughputHeaders } from "./throughput.ts";

/** The least that Azure sells, to a container or to a database. */
export const leastThroughput = { manual: 400 } as const;

const words = (throughput: Throughput): string =>
  "manual" in throughput ? `${throughput.manual} RU/s` : `autoscale up to ${throughput.autoscaleMax} RU/s`;

/** The account refuses so much throughput, or any: it is serverless, has a limit of its own, or the database is shared by too many. */
const refusesThroughput = (error: unknown): boolean =>
  error instanceof CosmosError &&
  (error.status === 403 || (error.status === 400 && /throughput|offer|autopilot|autoscale|serverless|RU\/s/i.test(error.words)));

/**
 * Tries to create with the throughput that it had, then as the target would have it by itself. Returns a note when it
 * could not be as it was.
 */
async function createWith(
  what: string,
  throughput: Throughput | null,
  create: (headers: Record<string, string>) => Promise<unknown>,
): Promise<string[]> {
  if (throughput === null) {
    await create({});
    return [];
  }
  try {
    await create(throughputHeaders(throughput));
    return [];
  } catch (error) {
    if (!refusesThroughput(error)) throw error;
    await create({});
    return [`${what} had ${words(throughput)}; the target does not allow that, so it has what the target gives by itself.`];
  }
}

/** Creates the database that the connection names. */
export const createDatabase = (connection: Connection, throughput: Throughput | null, signal: AbortSignal): Promise<string[]> =>
  createWith("The database", throughput, (headers) => connection.createDatabase(headers, signal));

/**
 * Creates a container, but lets documents live for as long as the restore takes: their times of last write are new ones, and
 * those with a short life would be gone before they are compared. `shared`: the database has throughput for all its containers.
 */
export async function createContainer(
  connection: Connection,
  definition: ContainerDefinition,
  shared: boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const { id, throughput } = definition;
  const body = objectOf(membersOf(definition.text).filter(({ name }) => name !== "defaultTtl"));
  const create = (headers: Record<string, string>) =>
    connection.send({ method: "POST", resource: ["colls"], headers, body }, connection.budget(), signal);
  const name = `Container ${JSON.stringify(id)}`;
  if (!shared) return createWith(name, throughput, create);
  try {
    await create({});
  } catch (error) {
    // A database shares its throughput among 25 containers at most.
    if (!refusesThroughput(error)) throw error;
    await create(throughputHeaders(leastThroughput));
    return [`${name} finds no place in the throughput that the target's database shares; it has ${words(leastThroughput)} of its own.`];
  }
  if (throughput === null) return [];
  return [`${name} had ${words(throughput)} of its own; it shares the throughput of the target's database.`];
}

export const hasTimeToLive = ({ text }: ContainerDefinition): boolean => membersOf(text).some(({ name }) => name === "defaultTtl");

/** Puts the container's definition in force as it was, its time to live with it. */
export const putTimeToLive = (connection: Connection, { id, text }: ContainerDefinition, signal: AbortSignal): Promise<unknown> =>
  connection.send({ method: "PUT", resource: ["colls", id], body: text, repeatable: true }, connection.budget(), signal);

/** Creates the container's procedures, triggers and functions; with `resuming`, those that are not there. Returns notes on what the server does not have. */
export async function createScripts(
  connection: Connection,
  definition: ContainerDefinition,
  resuming: boolean,
  signal: AbortSignal,
): Promise<string[]> {
  const notes: string[] = [];
  for (const kind of Object.keys(scriptKinds) as ScriptKind[]) {
    const { resource, title } = scriptKinds[kind];
    for (const body of definition.scripts[kind]) {
      try {
        await connection.send({ method: "POST", resource: ["colls", definition.id, resource], body }, connection.budget(), signal);
      } catch (error) {
        if (resuming && error instanceof CosmosError && error.status === 409) continue;
        if (!isUnknownRoute(error)) throw error;
        notes.push(`Container ${JSON.stringify(definition.id)} has ${title}, which the target does not know.`);
        break;
      }
    }
  }
  return notes;
}

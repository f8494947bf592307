import { Failure } from "../../domain/failure.ts";
import type { Connection } from "./connection.ts";
import { isMissing, isUnknownRoute } from "./failures.ts";
import { pagesOf } from "./feed.ts";
import { compact, type Member, membersOf, objectOf } from "./json-text.ts";

/** A container as the server describes it. */
export interface Container {
  readonly id: string;
  readonly rid: string;
  /** All that it says of the container but its own members: what it takes to create it again. */
  readonly text: Buffer;
}

/** One physical partition's range of hashed partition keys. */
export interface PartitionRange {
  readonly id: string;
  readonly min: string;
  readonly max: string;
  /** Of the container's throughput. */
  readonly fraction: number;
}

const systemMembers: ReadonlySet<string> = new Set([
  "_rid",
  "_self",
  "_etag",
  "_ts",
  "_docs",
  "_sprocs",
  "_triggers",
  "_udfs",
  "_conflicts",
  "statistics",
]);

/** The text of a resource without what belongs to the server. */
export const ownText = (resource: Buffer): Buffer => objectOf(membersOf(resource).filter(({ name }) => !systemMembers.has(name)));

const textOf = (members: readonly Member[], name: string): string => {
  const value = members.find((member) => member.name === name)?.value;
  return value === undefined ? "" : String(JSON.parse(value.toString("utf8")));
};

/** Sorted by id. */
export async function listContainers(connection: Connection, signal: AbortSignal): Promise<Container[]> {
  const containers: Container[] = [];
  const send = (headers: Record<string, string>) =>
    connection.send({ method: "GET", resource: ["colls"], headers }, connection.budget(), signal);
  for await (const { items } of pagesOf("DocumentCollections", send)) containers.push(...items.map(containerOf));
  return containers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const containerOf = (item: Buffer): Container => {
  const members = membersOf(item);
  return { id: textOf(members, "id"), rid: textOf(members, "_rid"), text: ownText(item) };
};

/** The container as it is now, and the bytes that its documents take as the server counts them; undefined when there is none of that name. */
export async function readContainer(
  connection: Connection,
  id: string,
  signal: AbortSignal,
): Promise<(Container & { readonly bytes: number }) | undefined> {
  try {
    const reply = await connection.send(
      { method: "GET", resource: ["colls", id], headers: { "x-ms-documentdb-populatequotainfo": "true" } },
      connection.budget(),
      signal,
    );
    // In kilobytes, beside counts and quotas.
    const kilobytes = /documentsSize=(\d+)/.exec(reply.headers.get("x-ms-resource-usage") ?? "")?.[1];
    return { ...containerOf(compact(reply.body)), bytes: Number(kilobytes ?? 0) * 1_024 };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The container's partitions as they are now, in the order of their ranges. */
export async function listRanges(connection: Connection, container: string, signal: AbortSignal): Promise<PartitionRange[]> {
  const ranges: PartitionRange[] = [];
  const replaced = new Set<string>();
  const send = (headers: Record<string, string>) =>
    connection.send({ method: "GET", resource: ["colls", container, "pkranges"], headers }, connection.budget(), signal);
  for await (const { items } of pagesOf("PartitionKeyRanges", send)) {
    for (const item of items) {
      const range = JSON.parse(item.toString("utf8")) as Record<string, unknown>;
      // Those that it was made from may still be listed.
      if (Array.isArray(range.parents)) for (const parent of range.parents) replaced.add(String(parent));
      ranges.push({
        id: String(range.id),
        min: String(range.minInclusive),
        max: String(range.maxExclusive),
        fraction: Number(range.throughputFraction) > 0 ? Number(range.throughputFraction) : 1,
      });
    }
  }
  return ranges.filter(({ id }) => !replaced.has(id)).sort((a, b) => (a.min < b.min ? -1 : 1));
}

/** Code that the server keeps with a container. */
export const scriptKinds = {
  storedProcedures: { resource: "sprocs", member: "StoredProcedures", title: "stored procedures" },
  triggers: { resource: "triggers", member: "Triggers", title: "triggers" },
  functions: { resource: "udfs", member: "UserDefinedFunctions", title: "user-defined functions" },
} as const;
export type ScriptKind = keyof typeof scriptKinds;

/** As the server describes each, sorted by id; undefined where it has no such thing at all. */
export async function listScripts(
  connection: Connection,
  container: string,
  kind: ScriptKind,
  signal: AbortSignal,
): Promise<Buffer[] | undefined> {
  const { resource, member } = scriptKinds[kind];
  const found: Buffer[] = [];
  try {
    const send = (headers: Record<string, string>) =>
      connection.send({ method: "GET", resource: ["colls", container, resource], headers }, connection.budget(), signal);
    for await (const { items } of pagesOf(member, send)) found.push(...items.map(ownText));
  } catch (error) {
    if (isUnknownRoute(error)) return undefined;
    if (!isMissing(error)) throw error;
    // Either the container is gone, or the server knows no such path under it.
    if ((await readContainer(connection, container, signal)) !== undefined) return undefined;
    const { label } = connection.address;
    throw new Failure("SourceChanged", `Container ${JSON.stringify(container)} of ${label} was deleted while it was looked at.`, {
      cause: error,
    });
  }
  return found.sort((a, b) => (textOf(membersOf(a), "id") < textOf(membersOf(b), "id") ? -1 : 1));
}

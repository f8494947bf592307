import { BSON, type Document } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import type { PartPlan, Plan, PlanOptions, StreamPlan } from "../engine.ts";
import { type CatalogEntry, listCatalog, roleOf } from "./catalog.ts";
import { type Connection, connected } from "./connection.ts";
import { typedDocument } from "./ordered-bson.ts";
import { serverVersion } from "./server-version.ts";
import { isCapped, noSnapshot } from "./snapshot-read.ts";
import { boundariesOf, rangeFilters, sampleIds } from "./split.ts";

/** What reads the definitions: the collections and views that were planned, each with its identity. */
export interface DefinitionsSelector {
  readonly definitions: readonly { readonly name: string; readonly uuid: string | null }[];
}

/** What reads a part of a collection. */
export interface RowsSelector {
  readonly collection: string;
  readonly uuid: string | null;
  /** A filter on `_id`, as canonical Extended JSON; null for the whole collection. */
  readonly filter: unknown;
  readonly averageBytes: number;
  /** Whether it is read under the hold's snapshot. */
  readonly snapshot: boolean;
}

/** The name of the definitions' stream; no collection can have it, since the server allows no `$` there. */
export const definitionsStream = "$collections";

const maxParts = 256;

/** Streams: one of definitions, and one of rows for every collection that holds users' documents. */
export async function planDatabase(url: string, token: string, options: PlanOptions, signal: AbortSignal): Promise<Plan> {
  return connected(url, signal, "planning", async (connection) => {
    refuseServersOwn(connection);
    const catalog = await listCatalog(connection);
    const roles = catalog.map((entry) => ({ entry, role: roleOf(entry, catalog) }));
    const streams: StreamPlan[] = [
      definitionsOf(roles.filter(({ role }) => role !== "ignored" && role !== "buckets").map(({ entry }) => entry)),
    ];
    for (const { entry, role } of roles) {
      signal.throwIfAborted();
      if (role === "rows" || role === "buckets") streams.push(await rowsOf(connection, entry, token, options.partBytes));
    }
    return {
      serverVersion: await serverVersion(connection),
      databaseName: connection.address.databaseName,
      streams,
      notes: notesOf(roles, token),
    };
  });
}

function refuseServersOwn({ address }: Connection): void {
  if (["admin", "config", "local"].includes(address.databaseName))
    throw new Failure(
      "ConfigurationInvalid",
      `The URL for ${address.label} names the server's own database; name one that holds your data.`,
    );
}

const definitionsOf = (entries: readonly CatalogEntry[]): StreamPlan => ({
  name: definitionsStream,
  kind: "definition",
  framing: "opaque",
  target: { definitions: true },
  parts: [
    {
      selector: { definitions: entries.map(({ name, uuid }) => ({ name, uuid: uuid ?? null })) } satisfies DefinitionsSelector,
      estimatedBytes: entries.length * 200,
    },
  ],
});

async function rowsOf(connection: Connection, entry: CatalogEntry, token: string, partBytes: number): Promise<StreamPlan> {
  const { bytes, averageBytes } = await sizeOf(connection, entry.name);
  const wanted = entry.type === "collection" ? Math.min(maxParts, Math.floor(bytes / Math.max(partBytes, 1))) : 1;
  // Ten samples for each part keep the shares within a few dozen percent of each other.
  const boundaries = wanted < 2 ? [] : boundariesOf(await sampleIds(connection, entry.name, wanted * 10), wanted);
  const filters: (Document | undefined)[] = boundaries.length === 0 ? [undefined] : rangeFilters(boundaries);
  const snapshot = token !== noSnapshot && !isCapped(entry, typedDocument(entry.options));
  const parts = filters.map((filter): PartPlan => {
    const selector: RowsSelector = {
      collection: entry.name,
      uuid: entry.uuid ?? null,
      filter: filter === undefined ? null : BSON.EJSON.serialize(filter, { relaxed: false }),
      averageBytes,
      snapshot,
    };
    return { selector, estimatedBytes: Math.ceil(bytes / filters.length) };
  });
  return { name: entry.name, kind: "rows", framing: "bson", target: { collection: entry.name }, parts };
}

/** Sizes as the server estimates them; zeros where it will not say. */
async function sizeOf(connection: Connection, collection: string): Promise<{ bytes: number; averageBytes: number }> {
  try {
    const { size, avgObjSize } = await connection.db.command({ collStats: collection });
    return { bytes: Number(size ?? 0), averageBytes: Math.ceil(Number(avgObjSize ?? 0)) || 4_096 };
  } catch {
    return { bytes: 0, averageBytes: 4_096 };
  }
}

function notesOf(roles: readonly { entry: CatalogEntry; role: ReturnType<typeof roleOf> }[], token: string): string[] {
  const notes: string[] = [];
  if (token === noSnapshot)
    notes.push(
      "The server offers no snapshot reads that could be proven (it is no replica set, or before 5.0, or the database is empty): each collection is as it was while it was read.",
    );
  for (const { entry, role } of roles) {
    const name = JSON.stringify(entry.name);
    if (role === "ignored" && entry.name !== "system.views") notes.push(`${name} is the server's own and is left out.`);
    if (role === "buckets") notes.push(`${name} holds a time-series collection's data and is taken bucket by bucket.`);
    if (role === "rows" && entry.type === "timeseries")
      notes.push(`${name} is a time-series collection whose buckets the server does not show: its measurements are taken.`);
    if (role === "rows" && token !== noSnapshot && isCapped(entry, typedDocument(entry.options)))
      notes.push(`${name} is capped and is read outside the snapshot, as MongoDB requires.`);
  }
  return notes;
}

import { Failure } from "../../domain/failure.ts";
import type { PartPlan, Plan, PlanOptions, StreamPlan } from "../engine.ts";
import { accountsStream, listAccounts } from "./accounts.ts";
import { type CatalogEntry, listCatalog, roleOf } from "./catalog.ts";
import { type Connection, connected } from "./connection.ts";
import { definitionsStream } from "./definitions.ts";
import { isTextual } from "./id-order.ts";
import { markOf, primaryOf } from "./marks.ts";
import { typedDocument } from "./ordered-bson.ts";
import { isProgress } from "./restore-progress.ts";
import { serverVersion } from "./server-version.ts";
import { isCapped, readConcernOf, readsAt } from "./snapshot-read.ts";
import { boundariesIn, type IdRange, rangesOf, refinedBoundaries, sampleIds } from "./split.ts";

/** What reads the definitions: the collections and views that were planned, each with its identity. */
export interface DefinitionsSelector {
  readonly definitions: readonly { readonly name: string; readonly uuid: string | null }[];
}

/** What reads a part of a collection. */
export interface RowsSelector {
  readonly collection: string;
  readonly uuid: string | null;
  /** Null for the whole collection. */
  readonly range: IdRange | null;
  readonly averageBytes: number;
  /** Whether it is read under the hold's snapshot. */
  readonly snapshot: boolean;
}

const maxParts = 256;

/** Streams: one of definitions, and one of rows for every collection that holds users' documents. */
export async function planDatabase(url: string, token: string, options: PlanOptions, signal: AbortSignal): Promise<Plan> {
  return connected(url, signal, "planning", async (connection) => {
    refuseServersOwn(connection);
    const server = await primaryOf(connection);
    const all = await listCatalog(connection);
    const catalog = all.filter(({ name }) => !isProgress(name));
    const roles = catalog.map((entry) => ({ entry, role: roleOf(entry, catalog) }));
    const streams: StreamPlan[] = [
      definitionsOf(roles.filter(({ role }) => role !== "ignored" && role !== "buckets").map(({ entry }) => entry)),
    ];
    for (const { entry, role } of roles) {
      signal.throwIfAborted();
      if (role === "rows" || role === "buckets") streams.push(await rowsOf(connection, server, entry, token, options));
    }
    const accounts = await listAccounts(connection);
    if (accounts !== undefined && accounts.roles.length + accounts.users.length > 0) streams.push(accountsPlan);
    const outside = streams.filter(({ parts: [first] }) => (first?.selector as Partial<RowsSelector> | undefined)?.snapshot === false);
    return {
      serverVersion: await serverVersion(connection),
      databaseName: connection.address.databaseName,
      streams,
      notes: [
        // A half-restored database looks like any other: whoever relies on its snapshot must know.
        ...(catalog.length < all.length ? ["A restore into this database is not finished: what it should hold may be missing."] : []),
        ...notesOf(roles, token, new Set(outside.map(({ name }) => name))),
        ...(accounts === undefined ? ["Users and roles are left out: the server does not list them to this user."] : []),
        ...(accounts?.users ?? []).map(({ user }) => `User ${JSON.stringify(user)} is recorded with its roles and without its password.`),
      ],
    };
  });
}

const accountsPlan: StreamPlan = {
  name: accountsStream,
  kind: "definition",
  framing: "opaque",
  target: { accounts: true },
  parts: [{ selector: { accounts: true }, estimatedBytes: 1_024 }],
};

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

async function rowsOf(
  connection: Connection,
  server: string | undefined,
  entry: CatalogEntry,
  token: string,
  options: PlanOptions,
): Promise<StreamPlan> {
  const { bytes, averageBytes } = await sizeOf(connection, entry.name);
  const uuid = entry.uuid ?? null;
  // Boundaries, and all else in the selector, stay as the last snapshot had them where they can: only the very same part is taken over.
  const earlier = ((options.earlier?.[entry.name] ?? []) as readonly RowsSelector[]).filter(
    (selector) => uuid !== null && selector.uuid === uuid,
  );
  const ranges = await rangesFor(connection, entry, Math.min(maxParts, Math.floor(bytes / Math.max(options.partBytes, 1))), earlier);
  const snapshot = await readsAt(connection, entry, token);
  const parts = (ranges ?? [null]).map((range): PartPlan => {
    const selector: RowsSelector = {
      collection: entry.name,
      uuid,
      range,
      averageBytes: earlier[0]?.averageBytes ?? averageBytes,
      snapshot,
    };
    return { selector, estimatedBytes: Math.ceil(bytes / (ranges?.length ?? 1)) };
  });
  const mark = markOf(connection, server, entry, token, snapshot);
  const stream: StreamPlan = { name: entry.name, kind: "rows", framing: "bson", target: { collection: entry.name }, parts };
  return mark === undefined ? stream : { ...stream, mark };
}

/**
 * The ranges of ids that a collection is read by; undefined when it is read as a whole, as a capped one is, whose order is its content.
 */
async function rangesFor(
  connection: Connection,
  entry: CatalogEntry,
  wanted: number,
  earlier: readonly RowsSelector[],
): Promise<IdRange[] | undefined> {
  if (entry.type !== "collection" || entry.name.startsWith("system.") || isCapped(entry)) return undefined;
  const kept = boundariesIn(earlier.flatMap(({ range }) => (range === null ? [] : [range])));
  const parts = Math.max(wanted, 1);
  if (parts < 2 && kept.length === 0) return undefined;
  // Ten samples for each part keep the shares within a few dozen percent of each other.
  const sample = await sampleIds(connection, entry.name, parts * 10);
  // Under a collation texts are in an order that only the server knows, inside documents too.
  const known = typedDocument(entry.options).collation === undefined ? sample : sample.filter((id) => !isTextual(id));
  const boundaries = refinedBoundaries(kept, known, parts);
  return boundaries.length === 0 ? undefined : rangesOf(boundaries);
}

/** Sizes as the server estimates them; zeros where it will not say. */
async function sizeOf(connection: Connection, collection: string): Promise<{ bytes: number; averageBytes: number }> {
  try {
    const { size, avgObjSize } = await connection.run({ collStats: collection });
    return { bytes: Number(size ?? 0), averageBytes: Math.ceil(Number(avgObjSize ?? 0)) || 4_096 };
  } catch {
    return { bytes: 0, averageBytes: 4_096 };
  }
}

function notesOf(
  roles: readonly { entry: CatalogEntry; role: ReturnType<typeof roleOf> }[],
  token: string,
  outside: ReadonlySet<string>,
): string[] {
  const notes: string[] = [];
  const snapshot = readConcernOf(token) !== undefined;
  if (!snapshot)
    notes.push(
      "The server offers no snapshot reads that could be proven (it is no replica set, or before 5.0, or the database is empty): each collection is as it was while it was read.",
    );
  for (const { entry, role } of roles) {
    const name = JSON.stringify(entry.name);
    if (role === "ignored" && entry.name !== "system.views") notes.push(`${name} is the server's own and is left out.`);
    if (role === "buckets") notes.push(`${name} holds a time-series collection's data and is taken bucket by bucket.`);
    if (role === "rows" && entry.type === "timeseries")
      notes.push(`${name} is a time-series collection whose buckets the server does not show: its measurements are taken.`);
    if (snapshot && outside.has(entry.name))
      notes.push(`${name} could not be read at the snapshot's time: it is as it was while it was read, all others are of one moment.`);
  }
  return notes;
}

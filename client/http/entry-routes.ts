import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AuditScope } from "../../core/catalog/audit-tokens.ts";
import { type EntryFilter, pageLogEntries } from "../../core/catalog/page-log-entries.ts";
import { findLogEntry } from "../../core/catalog/read-log-entries.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { IndexedEntry, Log } from "../../core/ledger/log.ts";
import { tileWidth } from "../../core/ledger/tiles.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { provePeriod } from "../../core/site/prove-period.ts";
import { proveEntry } from "../../core/site/prove-snapshot.ts";
import type { Site } from "../../core/site/site.ts";
import { schemas } from "./api-schemas.ts";
import type { AuditPlace } from "./audit-api.ts";

/** Entries of the log that the token's scope covers, each with its proof, and proof bundles of them. */
export const addEntryRoutes = (app: FastifyInstance, place: AuditPlace): void => {
  const { site } = place;

  app.get<{ Querystring: EntryFilter & { from: number; limit: number } }>(
    "/v1/entries",
    {
      schema: {
        summary: "Entries by database, kind and period, with their proofs",
        querystring: schemas.entries.querystring,
        response: { 200: schemas.entries.response },
      },
    },
    async ({ query: { from, limit, ...filter }, auditToken }) => {
      const log = await place.log();
      const { size, note } = log.checkpoint();
      // One more than asked for tells whether something follows.
      const page = await pageLogEntries(await site.catalog(), auditToken, filter, { from, to: size, limit: limit + 1 });
      const places = page.slice(0, limit);
      const found = await entriesAt(
        log,
        places.map(({ index }) => index),
      );
      const entries = await Promise.all(found.map((one, at) => proven(site, log, size, one, places[at]!.database)));
      return { checkpoint: note, entries, next: page[limit]?.index ?? null };
    },
  );

  app.get<{ Params: { index: number } }>(
    "/v1/entries/:index",
    { schema: { summary: "One entry with its proof", params: schemas.entry.params, response: { 200: schemas.entry.response } } },
    async ({ params: { index }, auditToken }) => {
      const log = await place.log();
      const { size, note } = log.checkpoint();
      const database = await databaseInScope(site, auditToken, index, size);
      return { checkpoint: note, ...(await proven(site, log, size, await log.entry(index), database)) };
    },
  );

  const bundle = async (request: FastifyRequest, index: number, since: number | undefined) => {
    const log = await place.log();
    const database = await databaseInScope(site, request.auditToken, index, log.size);
    return await proveEntry(site, log, index, { database, since: since === undefined ? undefined : { size: since }, signal: place.signal });
  };
  const bundleSchema = { querystring: schemas.bundle.querystring, response: { 200: schemas.bundle.response } };

  app.get<{ Params: { index: number }; Querystring: { since?: number } }>(
    "/v1/entries/:index/bundle",
    { schema: { summary: "The proof bundle of an entry", params: schemas.bundleOfEntry.params, ...bundleSchema } },
    (request) => bundle(request, request.params.index, request.query.since),
  );

  app.get<{ Params: { database: string }; Querystring: { from: string; to: string; page: number } }>(
    "/v1/databases/:database/statement",
    {
      schema: {
        summary: "The statement of all that the log has of a database in a period of whole days",
        params: schemas.statement.params,
        querystring: schemas.statement.querystring,
        response: { 200: schemas.statement.response },
      },
    },
    async ({ params: { database }, query: { from, to, page }, auditToken: { databases, kinds } }) => {
      if (kinds !== null || (databases !== null && !databases.includes(database)))
        throw new Failure("NameUnknown", `this token may not see all entries of a database "${database}"`);
      const pages = await provePeriod(site, database, { from: `${from}T00:00:00.000Z`, to: `${to}T23:59:59.999Z` }, place.signal);
      if (page > pages.count) throw new Failure("NameUnknown", `the statement has ${pages.count} pages, and no page ${page}`);
      return await pages.page(page);
    },
  );

  app.get<{ Params: { snapshot: string }; Querystring: { since?: number } }>(
    "/v1/snapshots/:snapshot/bundle",
    { schema: { summary: "The proof bundle of a snapshot's sealing", params: schemas.bundleOfSnapshot.params, ...bundleSchema } },
    async (request) => {
      const { snapshot } = request.params;
      const entry = await findLogEntry(await site.catalog(), `snapshot-sealed/${snapshot}`);
      if (entry === undefined) throw new Failure("SnapshotUnknown", `snapshot ${snapshot} is not in the log`);
      return await bundle(request, entry.index, request.query.since);
    },
  );
};

/** The name of the entry's database, null where it has none. An entry that the scope does not cover is not there for this auditor. */
const databaseInScope = async (site: Site, scope: AuditScope, index: number, size: number): Promise<string | null> => {
  const page = { from: index, to: Math.min(index + 1, size), limit: 1 };
  const [found] = await pageLogEntries(await site.catalog(), scope, {}, page);
  if (found === undefined) throw new Failure("NameUnknown", `the log has no entry ${index} that this token may see`);
  return found.database;
};

const proven = async (site: Site, log: Log, size: number, { index, entry }: IndexedEntry, database: string | null) => ({
  index,
  entry,
  inclusion: (await log.inclusionProof(index, size)).map(toHex),
  ...(database === null ? {} : { database: { name: database, salt: await site.logNameSalt(database) } }),
});

/** Each bundle of entries is read once, however many of it are asked for. `indexes` go up. */
const entriesAt = async (log: Log, indexes: readonly number[]): Promise<IndexedEntry[]> => {
  const found: IndexedEntry[] = [];
  for (const [, wanted] of Map.groupBy(indexes, (index) => Math.floor(index / tileWidth))) {
    const set = new Set(wanted);
    for await (const one of log.entries(wanted[0], wanted.at(-1)! + 1)) if (set.has(one.index)) found.push(one);
  }
  return found;
};

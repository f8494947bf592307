import { isFailure } from "../../domain/failure.ts";
import type { Engine, Probe } from "../engine.ts";
import { type Address, parseAddress, withDatabase } from "./address.ts";
import { selectableRelations } from "./chosen-entries.ts";
import { comparison, tocOf } from "./comparison.ts";
import { openExportation } from "./export.ts";
import { type Finding, findProblems } from "./findings.ts";
import { openHold } from "./hold.ts";
import { withMarks } from "./marks.ts";
import { planCapture } from "./plan.ts";
import { readPart } from "./read.ts";
import { openRestoration } from "./restore.ts";
import { createScratchDatabase, dropScratchDatabase } from "./scratch.ts";
import { refuseTransactionPooler, type Session, withSession } from "./session.ts";
import { withSnapshotSession } from "./snapshot-session.ts";
import { findUnchanged } from "./unchanged.ts";

/**
 * PostgreSQL 13 to 18. Definitions by pg_dump, rows by parallel COPY, both under one exported snapshot; what comes back is what
 * pg_restore and COPY make of it.
 */
export const postgres: Engine = {
  name: "postgres",
  probe: async (url, signal) => probe(parseAddress(url), signal),
  hold: async (url, signal) => openHold(parseAddress(url), signal),
  plan: async (url, token, options, signal) =>
    withSnapshotSession(parseAddress(url), token, signal, async (session) => withMarks(session, await planCapture(session, options))),
  read: (url, token, stream, part, signal) => readPart(parseAddress(url), token, stream, part, signal),
  unchanged: (url, token, parts, report, signal) => findUnchanged(parseAddress(url), token, parts, report, signal),
  selection: { by: "name", names: (definitions, streams) => selectableRelations(tocOf(definitions), streams) },
  comparison,
  restore: async (url, options, signal) => openRestoration(parseAddress(url), options, signal),
  export: openExportation,
  createScratch: async (url, name, signal) => {
    await createScratchDatabase(parseAddress(url), name, signal);
    return withDatabase(url, name);
  },
  dropScratch: async (url, name, signal) => dropScratchDatabase(parseAddress(url), name, signal),
};

const probe = (address: Address, signal: AbortSignal): Promise<Probe> =>
  withSession(address, "read", signal, async (session) => {
    const [server] = await session.query<{ version: string; database: string; bytes: string }>(
      "SELECT current_setting('server_version') AS version, current_database()::text AS database, pg_database_size(current_database()) AS bytes",
    );
    return {
      version: server!.version,
      databaseName: server!.database,
      estimatedBytes: Number(server!.bytes),
      problems: [...(await poolerFindings(session, signal)), ...(await findProblems(session))],
    };
  });

const poolerFindings = async (session: Session, signal: AbortSignal): Promise<Finding[]> => {
  try {
    await refuseTransactionPooler(session, signal);
    return [];
  } catch (error) {
    if (isFailure(error, "EngineUnsupported")) return [{ type: "EngineUnsupported", message: error.message }];
    throw error;
  }
};

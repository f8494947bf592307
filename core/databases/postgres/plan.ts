import type { PartPlan, Plan, PlanOptions, StreamPlan } from "../engine.ts";
import { findClientTools } from "./client-tools.ts";
import { majorOf, refuseProblems } from "./findings.ts";
import { leftOut, schemaRoles, schemaTablespaces } from "./schema-facts.ts";
import type { Session } from "./session.ts";
import { listTables, type Table } from "./tables.ts";
import { definitionNames, type RowsSelector, type RowsTarget, type SchemaTarget } from "./targets.ts";

/** Block ranges can be read without reading the rest since TID range scans came, in PostgreSQL 14. */
const hasTidRangeScans = (version: number): boolean => majorOf(version) >= 14;

/** Plans the capture of what `session` sees. Throws the first problem that would make it incomplete. */
export const planCapture = async (session: Session, options: PlanOptions): Promise<Plan> => {
  await refuseProblems(session);
  const [server] = await session.query<{ version: string; database: string }>(
    "SELECT current_setting('server_version') AS version, current_database()::text AS database",
  );
  const tables = await listTables(session);
  return {
    serverVersion: server!.version,
    databaseName: server!.database,
    streams: [...(await definitions(session)), ...tables.map((table) => rowsStream(table, session, options))],
    notes: await leftOut(session),
  };
};

const definitions = async (session: Session): Promise<StreamPlan[]> => {
  const tools = await findClientTools(majorOf(session.version));
  const schema: SchemaTarget = {
    format: "pg_dump-custom",
    serverVersion: session.version,
    toolMajor: tools.major,
    roles: await schemaRoles(session),
    tablespaces: await schemaTablespaces(session),
  };
  const definition = (name: string, target: unknown): StreamPlan => ({
    name,
    kind: "definition",
    framing: "opaque",
    target,
    parts: [{ selector: { definition: name }, estimatedBytes: 64 << 10 }],
  });
  return [definition(definitionNames.schema, schema), definition(definitionNames.sequences, {}), definition(definitionNames.views, {})];
};

const rowsStream = (table: Table, session: Session, options: PlanOptions): StreamPlan => {
  const target: RowsTarget = {
    table: table.quoted,
    columns: table.columns,
    ...(session.encoding === "UTF8" ? {} : { encoding: session.encoding }),
    ...(table.filter === undefined ? {} : { filter: table.filter }),
  };
  return { name: table.name, kind: "rows", framing: "lines", target, parts: splitTable(table, session.version, options.partBytes) };
};

/**
 * Ranges of blocks of about `partBytes` on disk, TOAST included. The last is open: the table may have grown since its size was
 * asked for, though what the snapshot sees lies before that. Exported for its tests.
 */
export const splitTable = (table: Table, version: number, partBytes: number): PartPlan[] => {
  const wanted = Math.min(Math.ceil(table.bytes / Math.max(partBytes, 1)), table.blocks);
  const part = (selector: RowsSelector, estimatedBytes: number): PartPlan => ({ selector, estimatedBytes });
  if (wanted <= 1 || !table.heap || table.filter !== undefined || !hasTidRangeScans(version)) return [part({ whole: true }, table.bytes)];
  const perPart = Math.ceil(table.blocks / wanted);
  const count = Math.ceil(table.blocks / perPart);
  return Array.from({ length: count }, (_, index) => {
    const from = index * perPart;
    const last = index === count - 1;
    const share = (last ? table.blocks - from : perPart) / table.blocks;
    return part(last ? { from } : { from, to: from + perPart }, Math.round(table.bytes * share));
  });
};

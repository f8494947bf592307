import type { PartPlan, Plan, PlanOptions, StreamPlan } from "../engine.ts";
import { findClientTools } from "./client-tools.ts";
import { readDatabaseFacts } from "./database-facts.ts";
import { majorOf, refuseProblems } from "./findings.ts";
import { largeObjectRanges } from "./large-objects.ts";
import { rolesLeftOut } from "./role-facts.ts";
import { leftOut, schemaLabelProviders, schemaRoles, schemaSubscriptions, schemaTablespaces } from "./schema-facts.ts";
import type { Session } from "./session.ts";
import { listTables, type Table } from "./tables.ts";
import {
  definitionNames,
  largeObjectsName,
  type ObjectsTarget,
  type RowsSelector,
  type SchemaTarget,
  type TableTarget,
} from "./targets.ts";

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
    streams: [...(await definitions(session)), ...rowsStreams(tables, session, options), ...(await objectsStreams(session))],
    notes: [...(await rolesLeftOut(session)), ...(await leftOut(session))],
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
    database: await readDatabaseFacts(session),
    subscriptions: await schemaSubscriptions(session),
    labelProviders: await schemaLabelProviders(session),
  };
  const definition = (name: string, target: unknown): StreamPlan => ({
    name,
    kind: "definition",
    framing: "opaque",
    target,
    parts: [{ selector: { definition: name }, estimatedBytes: 64 << 10 }],
  });
  return [
    definition(definitionNames.schema, schema),
    definition(definitionNames.sequences, {}),
    definition(definitionNames.views, {}),
    definition(definitionNames.objects, {}),
    definition(definitionNames.roles, {}),
  ];
};

/** A stream for each table, but one for all partitions of a table that has to be written as a whole. */
const rowsStreams = (tables: readonly Table[], session: Session, options: PlanOptions): StreamPlan[] => {
  const byName = Map.groupBy(tables, (table) => table.root?.name ?? table.name);
  return [...byName].map(([name, members]) => {
    const { root, columns, quoted, filter } = members[0]!;
    const target: TableTarget = {
      table: root?.quoted ?? quoted,
      columns,
      ...(session.encoding === "UTF8" ? {} : { encoding: session.encoding }),
      ...(filter === undefined ? {} : { filter }),
      ...(root === undefined ? {} : { partitioned: true }),
    };
    const parts = members.flatMap((table) => splitTable(table, session.version, options.partBytes));
    return { name, kind: "rows", framing: "lines", target, parts };
  });
};

const objectsStreams = async (session: Session): Promise<StreamPlan[]> => {
  const ranges = await largeObjectRanges(session);
  if (ranges.length === 0) return [];
  const target: ObjectsTarget = { largeObjects: true };
  const parts = ranges.map((selector) => ({ selector, estimatedBytes: 1 << 20 }));
  return [{ name: largeObjectsName, kind: "rows", framing: "lines", target, parts }];
};

/**
 * Ranges of blocks of at most `partBytes` on disk, TOAST included, and half of that at least. Their length is a power of two, so
 * that a table that grows or shrinks a little keeps its boundaries, and the next snapshot finds the same ranges. The last is open:
 * the table may have grown since its size was asked for, though what the snapshot sees lies before that. Exported for its tests.
 */
export const splitTable = (table: Table, version: number, partBytes: number): PartPlan[] => {
  const wanted = Math.min(Math.ceil(table.bytes / Math.max(partBytes, 1)), table.blocks);
  const from = table.root === undefined ? {} : { table: table.quoted };
  const part = (selector: RowsSelector, estimatedBytes: number): PartPlan => ({ selector: { ...selector, ...from }, estimatedBytes });
  if (wanted <= 1 || !table.heap || table.filter !== undefined || !hasTidRangeScans(version)) return [part({ whole: true }, table.bytes)];
  const perPart = 2 ** Math.floor(Math.log2(Math.max(1, (table.blocks * partBytes) / table.bytes)));
  const count = Math.ceil(table.blocks / perPart);
  return Array.from({ length: count }, (_, index) => {
    const first = index * perPart;
    const last = index === count - 1;
    const share = (last ? table.blocks - first : perPart) / table.blocks;
    return part(last ? { from: first } : { from: first, to: first + perPart }, Math.round(table.bytes * share));
  });
};

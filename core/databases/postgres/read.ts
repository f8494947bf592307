import { Failure, type FailureType } from "../../domain/failure.ts";
import type { PartPlan, StreamPlan } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { findClientTools } from "./client-tools.ts";
import { askForRoom, patienceMs, saysFull } from "./connection-room.ts";
import { copyOut } from "./copy-out.ts";
import { majorOf } from "./findings.ts";
import { largeObjectsSql, readLargeObjects } from "./large-objects.ts";
import { listMaterializedViews } from "./materialized-views.ts";
import { readRoleFacts } from "./role-facts.ts";
import { ToolError, toolOutput } from "./run-tool.ts";
import { readSequences } from "./sequences.ts";
import {
  closeIdleSessions,
  giveBackSnapshotSession,
  leaseSnapshotSession,
  withLeasedSession,
  withSnapshotSession,
} from "./snapshot-session.ts";
import { definitionNames, progressSchemaPattern, type RowsSelector, type RowsTarget, type SchemaTarget } from "./targets.ts";

/** The bytes of one part under the held snapshot. */
export async function* readPart(
  address: Address,
  token: string,
  stream: StreamPlan,
  part: PartPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (stream.kind === "definition") yield* readDefinition(address, token, stream, signal);
  else yield* readRows(address, token, stream, part.selector as RowsSelector, signal);
}

async function* readRows(
  address: Address,
  token: string,
  stream: StreamPlan,
  selector: RowsSelector,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const session = await leaseSnapshotSession(address, token, signal);
  let whole = false;
  try {
    yield* copyOut(session, copyToSql(stream.target as RowsTarget, selector), signal, `reading ${stream.name}`);
    whole = true;
  } finally {
    if (whole) await giveBackSnapshotSession(session, token);
    else await session.close();
  }
}

/** The whole table goes out without a query plan; a range of blocks, or the user's rows of an extension's table, through one. */
export const copyToSql = (target: RowsTarget, selector: RowsSelector): string => {
  if ("largeObjects" in target) return largeObjectsSql("objects" in selector ? selector : undefined);
  if ("objects" in selector) throw new TypeError("large objects are not in a table");
  const columns = target.columns.join(", ");
  const table = selector.table ?? target.table;
  const options = target.encoding === undefined ? "" : ` WITH (ENCODING '${target.encoding}')`;
  const ofPartitions = target.partitioned === true && selector.table === undefined;
  if ("whole" in selector && target.filter === undefined && !ofPartitions)
    return `COPY ${table}${columns === "" ? "" : ` (${columns})`} TO STDOUT${options}`;
  const conditions =
    "whole" in selector
      ? (target.filter ?? "")
      : `WHERE ctid >= '(${selector.from},0)'::tid${selector.to === undefined ? "" : ` AND ctid < '(${selector.to},0)'::tid`}`;
  return `COPY (SELECT ${columns} FROM ${ofPartitions ? "" : "ONLY "}${table} ${conditions}) TO STDOUT${options}`;
};

async function* readDefinition(
  address: Address,
  token: string,
  { name, target }: StreamPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (name === definitionNames.schema) {
    yield* dumpSchema(address, token, (target as SchemaTarget).serverVersion, signal);
    return;
  }
  const content = await withLeasedSession<unknown>(address, token, signal, (session) => {
    if (name === definitionNames.sequences) return readSequences(session);
    if (name === definitionNames.roles) return readRoleFacts(session);
    return name === definitionNames.views ? listMaterializedViews(session) : readLargeObjects(session);
  });
  yield Buffer.from(JSON.stringify(content));
}

async function* dumpSchema(
  address: Address,
  token: string,
  version: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pgDump, folder } = await findClientTools(majorOf(version));
  // Not compressed: chunks of it are, and an unchanged definition then is an unchanged chunk.
  const args = [
    ...["--format=custom", "--compress=0", "--schema-only", `--exclude-schema=${progressSchemaPattern}`],
    ...[`--snapshot=${token}`, "--no-password", "--lock-wait-timeout=30000"],
  ];
  for (const until = Date.now() + patienceMs; ; ) {
    const stopAsking = askForRoom(address);
    try {
      for await (const block of toolOutput(pgDump, args, address, signal)) {
        stopAsking();
        yield block;
      }
      return;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await closeIdleSessions(address);
      await withSnapshotSession(address, token, signal, async () => undefined); // says HoldLost or DatabaseUnreachable, if that is the cause
      // Nothing has come from it then: it asks the server for everything before it writes. There was room a moment ago.
      if (saysFull(error.stderr) && Date.now() < until) continue;
      if (/SSL support is not compiled in/.test(error.stderr))
        throw new Failure(
          "ClientToolMissing",
          `${describe(address)}: the pg_dump in ${folder} is built without TLS: install postgresql-client-${majorOf(version)}, or name a folder with another in DBGOV_PG_BIN`,
          { cause: error },
        );
      throw new Failure(
        error.passing ? "DatabaseUnreachable" : dumpFailureType(error.stderr),
        `${describe(address)}: pg_dump: ${error.complaint}`,
        { cause: error },
      );
    } finally {
      stopAsking();
    }
  }
}

/** A lock that pg_dump waits for in vain ends with a statement timeout: `--lock-wait-timeout` sets that. */
const dumpFailureType = (stderr: string): FailureType => {
  if (saysFull(stderr)) return "DatabaseUnreachable";
  if (/permission denied|must be (owner|superuser)/i.test(stderr)) return "PermissionMissing";
  if (/does not exist|could not open relation|(lock|statement) timeout|cache lookup failed/i.test(stderr)) return "SourceChanged";
  return "Unexpected";
};

import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../domain/failure.ts";
import type { RestoreProgress } from "../engine.ts";
import { describe } from "./address.ts";
import { quoteIdentifier, quoteLiteral } from "./quoting.ts";
import type { Session } from "./session.ts";

/**
 * How far a restore has come, in a schema of its own in the target, until it is done. Which parts are written is recorded in the
 * transaction that writes them, so that it is true whatever is killed. Parts of unlogged tables are recorded in an unlogged
 * table: a crash of the server, which empties the ones, empties the other.
 */
export interface ProgressRecord {
  /** `definitions`: being created. `rows`: some parts may be written. `finishing`: all are. */
  readonly phase: RestorePhase;
  /** Entries of the archive that this restore creates; null for all. */
  readonly entries: readonly number[] | null;
  readonly written: readonly string[];
  /** Entries of the archive that were made before all parts were written. */
  readonly built: readonly number[];
}

type RestorePhase = "definitions" | "rows" | "finishing";

const schemaOf = ({ job }: RestoreProgress): string => quoteIdentifier(progressSchema(job));

export const progressSchema = (job: string): string => `dbgov_restore_${job}`;

/** What connections of a restore call themselves, so that a later attempt finds what an earlier one left running. */
export const applicationName = (progress: RestoreProgress | undefined): string =>
  progress === undefined ? "dbgov" : progressSchema(progress.job);

export const beginProgress = async (session: Session, progress: RestoreProgress, entries: readonly number[] | null): Promise<void> => {
  const schema = schemaOf(progress);
  await session.query(`
    BEGIN;
    CREATE SCHEMA ${schema};
    CREATE TABLE ${schema}.state (phase text NOT NULL, entries int[]);
    CREATE TABLE ${schema}.written (part text PRIMARY KEY);
    CREATE UNLOGGED TABLE ${schema}.written_unlogged (part text PRIMARY KEY);
    INSERT INTO ${schema}.state VALUES ('definitions', ${entries === null ? "NULL" : `'{${entries.join(",")}}'`});
    COMMIT`);
};

/** The record is a schema, which not every role that may restore can create. */
export const mayRecord = async (session: Session): Promise<boolean> => {
  const [found] = await session.query<{ may: boolean }>("SELECT has_database_privilege(current_database(), 'CREATE') AS may");
  return found?.may === true;
};

export const hasProgress = async (session: Session, { job }: RestoreProgress): Promise<boolean> => {
  const [found] = await session.query<{ there: boolean }>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS there", [
    progressSchema(job),
  ]);
  return found?.there === true;
};

export const readProgress = async (session: Session, progress: RestoreProgress): Promise<ProgressRecord> => {
  const schema = schemaOf(progress);
  if (!(await hasProgress(session, progress)))
    throw new Failure(
      "UsageInvalid",
      `${describe(session.address)} holds no unfinished restore of this snapshot and choice: there is nothing to resume`,
    );
  const [state] = await session.query<{ phase: RestorePhase; entries: number[] | null }>(`SELECT phase, entries FROM ${schema}.state`);
  if (state === undefined)
    throw new Failure("RestoreFailed", `${describe(session.address)}: ${schema}.state is empty: start over with --replace`);
  const parts = await session.query<{ part: string }>(
    `SELECT part FROM ${schema}.written UNION ALL SELECT part FROM ${schema}.written_unlogged`,
  );
  const all = parts.map(({ part }) => part);
  return {
    ...state,
    written: all.filter((part) => !part.startsWith(builtPrefix)),
    built: all.filter((part) => part.startsWith(builtPrefix)).map((part) => Number(part.slice(builtPrefix.length))),
  };
};

const builtPrefix = "entry ";

/** Records, within a transaction that makes an entry of the archive, that it is there. */
export const recordBuiltSql = (progress: RestoreProgress, entry: number): string =>
  `INSERT INTO ${schemaOf(progress)}.written VALUES ('${builtPrefix}${entry}')`;

export const setPhase = async (session: Session, progress: RestoreProgress, phase: RestorePhase): Promise<void> => {
  // Settings of a restore let commits return before they are on disk; what is decided by the phase must not outlive it.
  await session.query(
    `BEGIN; SET LOCAL synchronous_commit = on; UPDATE ${schemaOf(progress)}.state SET phase = ${quoteLiteral(phase)}; COMMIT`,
  );
};

export const endProgress = async (session: Session, progress: RestoreProgress): Promise<void> => {
  await session.query(`SET client_min_messages = 'error'; DROP SCHEMA IF EXISTS ${schemaOf(progress)} CASCADE`);
};

/** Ends what an attempt that was killed may have left running on the server, and waits until it is gone. */
export const endEarlierAttempt = async (session: Session, progress: RestoreProgress): Promise<void> => {
  const others = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = ${quoteLiteral(applicationName(progress))} AND pid <> pg_backend_pid()`;
  const deadline = Date.now() + 30_000;
  for (;;) {
    const ended = await session.query(`SELECT pg_terminate_backend(pid) ${others}`);
    if (ended.length === 0) return;
    if (Date.now() > deadline)
      throw new Failure("RestoreFailed", `${describe(session.address)}: ${ended.length} connections of the earlier attempt do not end`);
    await delay(100);
  }
};

/**
 * Does `work` and records that `parts` are written, all or nothing. Only reads `content` when another connection has written them: one
 * whose process was killed may still have committed.
 */
export const recordingParts = async (
  session: Session,
  { progress, parts, unlogged }: { readonly progress: RestoreProgress; readonly parts: readonly string[]; readonly unlogged: boolean },
  content: AsyncIterable<Uint8Array>,
  work: () => Promise<void>,
): Promise<void> => {
  const table = `${schemaOf(progress)}.${unlogged ? "written_unlogged" : "written"}`;
  await session.query("BEGIN");
  const claimed = await session.query(`INSERT INTO ${table} SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING part`, [parts]);
  if (claimed.length > 0 && claimed.length < parts.length)
    throw new Failure("RestoreFailed", `${describe(session.address)}: another attempt writes the same table: start over with --replace`);
  if (claimed.length > 0) await work();
  else for await (const _block of content);
  await session.query("COMMIT");
};

/**
 * After a crash of the server an unlogged table is empty, and its record too. Tables whose partitions are partly unlogged are
 * neither empty nor whole then, and keep a restore from being resumed.
 */
export const requireWholeOrEmpty = async (session: Session): Promise<void> => {
  const [mixed] = await session.query<{ name: string }>(`
    SELECT root::regclass::text AS name FROM (SELECT pg_partition_root(oid) AS root, relpersistence FROM pg_class WHERE relispartition AND relkind = 'r') leaves
    GROUP BY root HAVING count(DISTINCT relpersistence) > 1 LIMIT 1`);
  if (mixed !== undefined)
    throw new Failure(
      "UsageInvalid",
      `${describe(session.address)}: a restore with a table that is unlogged in part (${mixed.name}) cannot be resumed: start over with --replace`,
    );
};

/** Whether rows of this table vanish in a crash of the server. */
export const isUnlogged = async (session: Session, table: string): Promise<boolean> => {
  const [found] = await session.query<{ unlogged: boolean }>(
    `SELECT coalesce(bool_or(c.relpersistence = 'u'), false) AS unlogged FROM pg_class c
     WHERE c.oid = $1::regclass OR (c.relkind = 'r' AND c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass)))`,
    [table],
  );
  return found?.unlogged === true;
};

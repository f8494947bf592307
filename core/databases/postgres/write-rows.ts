import type { RestoreProgress, RowsStream } from "../engine.ts";
import { copyIn } from "./copy-in.ts";
import { writeLargeObjects } from "./large-objects.ts";
import { isUnlogged, recordingParts } from "./restore-progress.ts";
import type { Session } from "./session.ts";
import type { SessionPool } from "./session-pool.ts";
import type { RowsTarget, TableTarget } from "./targets.ts";

export interface WriteRequest {
  readonly name: string;
  readonly target: RowsTarget;
  /** Under which it is recorded. */
  readonly parts: readonly string[];
  /** It is all of the table, which holds nothing yet. */
  readonly whole: boolean;
}

/** Writes rows in one transaction, and records them in it where progress is recorded. */
export const writeRows = async (
  writers: SessionPool,
  progress: RestoreProgress | undefined,
  { name, target, parts, whole }: WriteRequest,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> => {
  const session = await writers.lease();
  const work = async (): Promise<void> => {
    if ("largeObjects" in target) await writeLargeObjects(session, content, signal, `writing ${name}`);
    else {
      const frozen = whole && (await emptyForFreezing(session, target));
      await copyIn(session, copyFromSql(target, frozen), content, signal, `writing ${name}`);
    }
  };
  try {
    if (progress !== undefined && parts.length > 0) {
      const unlogged = "table" in target && (await isUnlogged(session, target.table));
      await recordingParts(session, { progress, parts, unlogged }, content, work);
    } else if (whole || "largeObjects" in target) {
      await session.query("BEGIN");
      await work();
      await session.query("COMMIT");
    } else await work();
    writers.giveBack(session);
  } catch (error) {
    await session.close();
    throw error;
  }
};

/** What is less costs more to prepare than it saves. */
const leastWholeBytes = 256 << 10;
/** About a minute's work, which is lost when a restore is killed while it writes such a table. */
const mostWholeBytes = 4 * 2 ** 30;

/**
 * A table is written whole where one connection does not take so long that the others end up waiting for it: its rows are then frozen, so that
 * neither the first reader nor a later vacuum has to write each page once more, and its foreign keys are checked by its indexes alone.
 */
export const isBetterWhole = (parallelism: number, { target }: RowsStream, bytes: number, total: number): boolean => {
  const rows = target as RowsTarget;
  if (!("table" in rows) || rows.partitioned === true || rows.filter !== undefined) return false;
  return bytes >= leastWholeBytes && bytes <= mostWholeBytes && bytes * parallelism <= 3 * total;
};

/** Only rows of a table that was made or emptied in the same transaction can be frozen: nobody else can have seen it. As pg_restore empties it, too. */
const emptyForFreezing = async (session: Session, { table }: TableTarget): Promise<boolean> => {
  const [found] = await session.query<{ may: boolean }>(
    "SELECT relkind = 'r' AND has_table_privilege(oid, 'TRUNCATE') AS may FROM pg_class WHERE oid = $1::regclass",
    [table],
  );
  if (found?.may !== true) return false;
  await session.query(`TRUNCATE ONLY ${table}`);
  return true;
};

const copyFromSql = ({ table, columns, encoding }: TableTarget, frozen: boolean): string => {
  const options = [...(frozen ? ["FREEZE"] : []), ...(encoding === undefined ? [] : [`ENCODING '${encoding}'`])];
  const list = columns.length === 0 ? "" : ` (${columns.join(", ")})`;
  return `COPY ${table}${list} FROM STDIN${options.length === 0 ? "" : ` WITH (${options.join(", ")})`}`;
};

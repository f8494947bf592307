import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions, RestoreProgress } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { analyze } from "./analyze.ts";
import { quotedName } from "./chosen-entries.ts";
import { copyOut } from "./copy-out.ts";
import { describeDatabase } from "./database-facts.ts";
import { applyDatabaseRights } from "./database-rights.ts";
import { describeLargeObjects, type LargeObject } from "./large-objects.ts";
import { refreshMaterializedViews } from "./materialized-views.ts";
import { quoteLiteral, unquoteQualified } from "./quoting.ts";
import { copyToSql } from "./read.ts";
import { openPreparation, type Prepared } from "./restore-prepare.ts";
import { applicationName, endProgress, recordBuiltSql, setPhase } from "./restore-progress.ts";
import { writeSequences } from "./sequences.ts";
import { type Session, withSession } from "./session.ts";
import { createSessionPool, type SessionPool } from "./session-pool.ts";
import { spareConnections } from "./spare-connections.ts";
import { planTableBuilds, type TableBuilds } from "./table-builds.ts";
import { definitionNames, type RowsTarget, type SchemaTarget, type SequenceState } from "./targets.ts";
import { readable, type TocEntry } from "./toc.ts";
import { isBetterWhole, writeRows } from "./write-rows.ts";

export const openRestoration = (address: Address, options: RestoreOptions, signal: AbortSignal): Restoration => {
  const preparation = openPreparation(address, options, signal);
  const parallelism = Math.max(1, Math.floor(options.parallelism));
  const written = new Set<string>();
  const writers = createSessionPool(address, "restore", signal, applicationName(options.progress));
  const readers = createSessionPool(address, "read", signal);
  let prepared: Prepared | undefined;
  let builds: TableBuilds | undefined;

  const ready = (): Prepared => {
    if (prepared === undefined) throw new Failure("Unexpected", `restore into ${describe(address)}: used before it was prepared`);
    return prepared;
  };

  const openBuilds = ({ toc, entries, built, progress }: Prepared): TableBuilds | undefined =>
    toc === undefined
      ? undefined
      : planTableBuilds(toc, {
          ...{ entries, built },
          build: (entry) => withWriter((session) => buildEntry(session, entry, progress)),
          analyze: (table) => withWriter((session) => analyze(session, [table])),
        });

  const withWriter = async (work: (session: Session) => Promise<void>): Promise<void> => {
    const session = await writers.lease();
    try {
      await work(session);
    } catch (error) {
      await session.close();
      throw error;
    }
    writers.giveBack(session);
  };

  const finish = async (): Promise<void> => {
    const { archive, fitOptions, entries, toc, progress } = ready();
    await writers.close();
    const named = applicationName(options.progress);
    const jobs = await withSession(address, "restore", signal, async (session) => {
      if (progress !== undefined) await setPhase(session, progress, "finishing");
      // This session makes room for one of them. One more stays free for whoever looks after the server.
      return Math.max(1, Math.min(parallelism, await spareConnections(session)));
    });
    const built = builds?.built;
    const left = built === undefined || built.size === 0 ? entries : (entries ?? toc!.entries).filter(({ id }) => !built.has(id));
    const ids = left?.map(({ id }) => id);
    await archive.restoreSection("post-data", { options: [...fitOptions, `--jobs=${jobs}`], entries: ids, applicationName: named }, signal);
    await withSession(address, "restore", signal, async (session) => {
      await finishContent(session, ready(), options, builds?.analyzed);
      const schema = options.definitions.find(({ name }) => name === definitionNames.schema)?.target as SchemaTarget | undefined;
      const database = options.part === undefined ? schema?.database : undefined;
      if (database !== undefined) preparation.notes.push(...(await describeDatabase(session, database)));
      if (database?.rights !== undefined && options.scratch !== true)
        preparation.notes.push(...(await applyDatabaseRights(session, database.rights)));
      if (progress !== undefined) await endProgress(session, progress);
      await flush(session);
    });
  };

  return {
    notes: preparation.notes,
    get touched() {
      return preparation.touched;
    },
    written,
    preview: () => preparation.preview(),
    prepare: async () => {
      prepared = await preparation.prepare();
      builds = openBuilds(prepared);
      for (const part of prepared.written) written.add(part);
    },
    completed: (stream, bytes) => builds?.completed(stream, bytes) ?? [],
    finish,
    write: (stream, content, part) => {
      const request = { name: stream.name, target: stream.target as RowsTarget, parts: part === undefined ? [] : [part], whole: false };
      return writeRows(writers, ready().progress, request, content, signal);
    },
    whole: {
      isBetter: (stream, bytes, total) => isBetterWhole(parallelism, stream, bytes, total),
      write: (stream, content, parts) => {
        const request = { name: stream.name, target: stream.target as RowsTarget, parts, whole: true };
        return writeRows(writers, ready().progress, request, content, signal);
      },
    },
    readBack: (stream) => readBack(readers, stream.name, stream.target as RowsTarget, signal),
    close: async () => {
      await Promise.all([writers.close(), readers.close()]);
      await preparation.close();
    },
  };
};

const parsed = <T>(options: RestoreOptions, name: string): T[] => {
  const content = options.definitions.find((definition) => definition.name === name)?.content;
  return content === undefined ? [] : (JSON.parse(Buffer.from(content).toString("utf8")) as T[]);
};

/** What is neither rows nor made by pg_restore: states of sequences, facts of large objects, content of materialized views, statistics. */
const finishContent = async (
  session: Session,
  { entries, fitOptions, withLargeObjects }: Prepared,
  options: RestoreOptions,
  analyzed: ReadonlySet<string> | undefined,
): Promise<void> => {
  const ours = (kind: string): ((quoted: string) => boolean) => {
    if (entries === undefined) return () => true;
    const names = new Set(
      entries.filter((entry) => entry.kind === kind).map(({ schema, tag }) => JSON.stringify([readable(schema ?? ""), readable(tag)])),
    );
    return (quoted) => names.has(JSON.stringify(unquoteQualified(quoted)));
  };
  const isOurs = ours("SEQUENCE");
  const sequences = parsed<SequenceState>(options, definitionNames.sequences).filter(({ sequence }) => isOurs(sequence));
  await writeSequences(session, sequences);
  const objects = withLargeObjects ? parsed<LargeObject>(options, definitionNames.objects) : [];
  await describeLargeObjects(session, objects, !fitOptions.includes("--no-owner"));
  await refreshMaterializedViews(session, parsed<string>(options, definitionNames.views).filter(ours("MATERIALIZED VIEW")));
  const tables = options.part !== undefined && "only" in options.part ? entries?.filter(({ kind }) => kind === "TABLE") : undefined;
  await analyze(session, tables?.map(quotedName), analyzed);
};

/** Makes what an entry of the archive defines, and records that it is there, both or neither. */
const buildEntry = async (session: Session, entry: TocEntry, progress: RestoreProgress | undefined): Promise<void> => {
  const place = entry.tablespace === undefined ? "" : quoteLiteral(readable(entry.tablespace));
  await session.query(`
    BEGIN;
    ${progress === undefined ? "" : `${recordBuiltSql(progress, entry.id)};`}
    ${place === "" ? "" : `SET LOCAL default_tablespace = ${place};`}
    ${readable(entry.definition ?? "")}
    COMMIT`);
};

/** Settings of a restore let commits return before they are on disk: this one, and with it all before it, does not. */
const flush = async (session: Session): Promise<void> => {
  await session.query("BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'dbgov', 'restored'); COMMIT");
};

async function* readBack(
  readers: SessionPool,
  name: string,
  target: RowsTarget,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const session = await readers.lease();
  let whole = false;
  try {
    yield* copyOut(session, copyToSql(target, { whole: true }), signal, `reading back ${name}`);
    whole = true;
  } finally {
    if (whole) readers.giveBack(session);
    else await session.close();
  }
}

import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { analyze } from "./analyze.ts";
import { quotedName } from "./chosen-entries.ts";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { describeDatabase } from "./database-facts.ts";
import { applyDatabaseRights } from "./database-rights.ts";
import { describeLargeObjects, type LargeObject, writeLargeObjects } from "./large-objects.ts";
import { refreshMaterializedViews } from "./materialized-views.ts";
import { unquoteQualified } from "./quoting.ts";
import { copyToSql } from "./read.ts";
import { openPreparation, type Prepared } from "./restore-prepare.ts";
import { applicationName, endProgress, isUnlogged, recordingPart, setPhase } from "./restore-progress.ts";
import { writeSequences } from "./sequences.ts";
import { type Session, withSession } from "./session.ts";
import { createSessionPool, type SessionPool } from "./session-pool.ts";
import { spareConnections } from "./spare-connections.ts";
import { definitionNames, type RowsTarget, type SchemaTarget, type SequenceState, type TableTarget } from "./targets.ts";
import { readable } from "./toc.ts";

export const openRestoration = (address: Address, options: RestoreOptions, signal: AbortSignal): Restoration => {
  const preparation = openPreparation(address, options, signal);
  const parallelism = Math.max(1, Math.floor(options.parallelism));
  const written = new Set<string>();
  const writers = createSessionPool(address, "restore", signal, applicationName(options.progress));
  const readers = createSessionPool(address, "read", signal);
  let prepared: Prepared | undefined;

  const ready = (): Prepared => {
    if (prepared === undefined) throw new Failure("Unexpected", `restore into ${describe(address)}: used before it was prepared`);
    return prepared;
  };

  const finish = async (): Promise<void> => {
    const { archive, fitOptions, entries, progress } = ready();
    await writers.close();
    const named = applicationName(options.progress);
    const jobs = await withSession(address, "restore", signal, async (session) => {
      if (progress !== undefined) await setPhase(session, progress, "finishing");
      // This session makes room for one of them. One more stays free for whoever looks after the server.
      return Math.max(1, Math.min(parallelism, await spareConnections(session)));
    });
    const ids = entries?.map(({ id }) => id);
    await archive.restoreSection("post-data", { options: [...fitOptions, `--jobs=${jobs}`], entries: ids, applicationName: named }, signal);
    await withSession(address, "restore", signal, async (session) => {
      await finishContent(session, ready(), options);
      const schema = options.definitions.find(({ name }) => name === definitionNames.schema)?.target as SchemaTarget | undefined;
      const database = options.part === undefined ? schema?.database : undefined;
      if (database !== undefined) preparation.notes.push(...(await describeDatabase(session, database)));
      if (database?.rights !== undefined && options.scratch !== true)
        preparation.notes.push(...(await applyDatabaseRights(session, database.rights)));
      if (progress !== undefined) await endProgress(session, progress);
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
      for (const part of prepared.written) written.add(part);
    },
    finish,
    write: (stream, content, part) => {
      const target = stream.target as RowsTarget;
      return writeRows(writers, ready(), { name: stream.name, target, part }, content, signal);
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
  await analyze(session, tables?.map(quotedName));
};

const copyFromSql = (target: TableTarget): string => {
  const columns = target.columns.length === 0 ? "" : ` (${target.columns.join(", ")})`;
  return `COPY ${target.table}${columns} FROM STDIN${target.encoding === undefined ? "" : ` WITH (ENCODING '${target.encoding}')`}`;
};

const writeRows = async (
  writers: SessionPool,
  { progress }: Prepared,
  { name, target, part }: { readonly name: string; readonly target: RowsTarget; readonly part: string | undefined },
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> => {
  const session = await writers.lease();
  const work = async (): Promise<void> => {
    if ("largeObjects" in target) await writeLargeObjects(session, content, signal, `writing ${name}`);
    else await copyIn(session, copyFromSql(target), content, signal, `writing ${name}`);
  };
  try {
    if (progress !== undefined && part !== undefined) {
      const unlogged = "table" in target && (await isUnlogged(session, target.table));
      await recordingPart(session, progress, part, unlogged, content, work);
    } else if ("largeObjects" in target) {
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

import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions, RestorePreview } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { type Archive, openArchive } from "./archive.ts";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { fitArchive } from "./fit.ts";
import { describeLargeObjects, type LargeObject, writeLargeObjects } from "./large-objects.ts";
import { refreshMaterializedViews } from "./materialized-views.ts";
import { copyToSql } from "./read.ts";
import { writeSequences } from "./sequences.ts";
import { withSession } from "./session.ts";
import { createSessionPool, type SessionPool } from "./session-pool.ts";
import { dropContent, refuseContent } from "./target-state.ts";
import { definitionNames, type RowsTarget, type SchemaTarget, type SequenceState, type TableTarget } from "./targets.ts";

export const openRestoration = (address: Address, options: RestoreOptions, signal: AbortSignal): Restoration => {
  const definition = definitionsOf(address, options);
  const schema = definition(definitionNames.schema).target as SchemaTarget;
  const parallelism = Math.max(1, Math.floor(options.parallelism));
  const notes: string[] = [];
  const writers = createSessionPool(address, "restore", signal);
  const readers = createSessionPool(address, "read", signal);
  let archive: Archive | undefined;
  let fitOptions: readonly string[] = [];

  const prepare = async (): Promise<void> => {
    await withSession(address, "restore", signal, async (session) => {
      const fit = await fitArchive(session, schema);
      fitOptions = fit.options;
      notes.push(...fit.notes);
      archive = await openArchive(definition(definitionNames.schema).content, address, session.version, schema.toolMajor);
      if (options.replace) await dropContent(session);
      else await refuseContent(session);
    });
    await archive!.restoreSection("pre-data", fitOptions, signal);
  };

  const finish = async (): Promise<void> => {
    if (archive === undefined) throw new Failure("Unexpected", `restore into ${describe(address)}: finished before it was prepared`);
    await writers.close();
    await archive.restoreSection("post-data", [...fitOptions, `--jobs=${parallelism}`], signal);
    await withSession(address, "restore", signal, async (session) => {
      await writeSequences(session, parsed<SequenceState>(definition(definitionNames.sequences).content));
      const objects = parsed<LargeObject>(definition(definitionNames.objects).content);
      await describeLargeObjects(session, objects, !fitOptions.includes("--no-owner"));
      await refreshMaterializedViews(session, parsed<string>(definition(definitionNames.views).content));
      await session.query("ANALYZE");
    });
  };

  const preview = async (): Promise<RestorePreview> => {
    await withSession(address, "restore", signal, async (session) => {
      notes.push(...(await fitArchive(session, schema)).notes);
      if (!options.replace) await refuseContent(session);
    });
    return { creates: [], drops: [], notes };
  };

  return {
    notes,
    written: new Set(),
    preview,
    prepare,
    finish,
    write: (stream, content) => writeRows(writers, stream.name, stream.target as RowsTarget, content, signal),
    readBack: (stream) => readBack(readers, stream.name, stream.target as RowsTarget, signal),
    close: async () => {
      await Promise.all([writers.close(), readers.close()]);
      await archive?.remove();
    },
  };
};

type Definition = RestoreOptions["definitions"][number];

const definitionsOf =
  (address: Address, options: RestoreOptions) =>
  (name: string): Definition => {
    const found = options.definitions.find((definition) => definition.name === name);
    if (found === undefined)
      throw new Failure("RestoreFailed", `restore into ${describe(address)}: the snapshot lacks its definition "${name}"`);
    return found;
  };

const parsed = <T>(content: Uint8Array): T[] => JSON.parse(Buffer.from(content).toString("utf8")) as T[];

const copyFromSql = (target: TableTarget): string => {
  const columns = target.columns.length === 0 ? "" : ` (${target.columns.join(", ")})`;
  return `COPY ${target.table}${columns} FROM STDIN${target.encoding === undefined ? "" : ` WITH (ENCODING '${target.encoding}')`}`;
};

const writeRows = async (
  writers: SessionPool,
  name: string,
  target: RowsTarget,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> => {
  const session = await writers.lease();
  try {
    if ("largeObjects" in target) await writeLargeObjects(session, content, signal, `writing ${name}`);
    else await copyIn(session, copyFromSql(target), content, signal, `writing ${name}`);
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

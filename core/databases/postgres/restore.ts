import { Failure } from "../../domain/failure.ts";
import type { Restoration, RestoreOptions } from "../engine.ts";
import { type Address, describe } from "./address.ts";
import { type Archive, openArchive } from "./archive.ts";
import { copyIn } from "./copy-in.ts";
import { copyOut } from "./copy-out.ts";
import { fitArchive } from "./fit.ts";
import { refreshMaterializedViews } from "./materialized-views.ts";
import { copyToSql } from "./read.ts";
import { writeSequences } from "./sequences.ts";
import { openSession, type Session, withSession } from "./session.ts";
import { dropContent, refuseContent } from "./target-state.ts";
import { definitionNames, type RowsTarget, type SchemaTarget, type SequenceState } from "./targets.ts";

/** What an operator should hear of a restore that went well: what was left out. */
export interface PostgresRestoration extends Restoration {
  readonly notes: readonly string[];
}

export const openRestoration = (address: Address, options: RestoreOptions, signal: AbortSignal): PostgresRestoration => {
  const definition = definitionsOf(address, options);
  const schema = definition(definitionNames.schema).target as SchemaTarget;
  const parallelism = Math.max(1, Math.floor(options.parallelism));
  const notes: string[] = [];
  const writers = createWriters(address, signal);
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
      await refreshMaterializedViews(session, parsed<string>(definition(definitionNames.views).content));
      await session.query("ANALYZE");
    });
  };

  return {
    notes,
    prepare,
    finish,
    write: (stream, content) => writers.use((session) => writeRows(session, stream.name, stream.target as RowsTarget, content, signal)),
    readBack: (stream) => readBack(address, stream.name, stream.target as RowsTarget, signal),
    close: async () => {
      await writers.close();
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

const writeRows = (
  session: Session,
  name: string,
  target: RowsTarget,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> => {
  const columns = target.columns.length === 0 ? "" : ` (${target.columns.join(", ")})`;
  const encoding = target.encoding === undefined ? "" : ` WITH (ENCODING '${target.encoding}')`;
  return copyIn(session, `COPY ${target.table}${columns} FROM STDIN${encoding}`, content, signal, `writing ${name}`);
};

async function* readBack(
  address: Address,
  name: string,
  target: RowsTarget,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const session = await openSession(address, "read", signal);
  try {
    yield* copyOut(session, copyToSql(target, { whole: true }), signal, `reading back ${name}`);
  } finally {
    await session.close();
  }
}

interface Writers {
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Sessions for writing, kept from one part to the next: a database may have many thousand small tables. */
const createWriters = (address: Address, signal: AbortSignal): Writers => {
  const idle: Session[] = [];
  return {
    use: async (work) => {
      const session = idle.pop() ?? (await openSession(address, "restore", signal));
      try {
        const result = await work(session);
        idle.push(session);
        return result;
      } catch (error) {
        await session.close();
        throw error;
      }
    },
    close: async () => {
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
};

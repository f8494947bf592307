import type { RestoreStep, RowsStream } from "../engine.ts";
import { tableEntry } from "./chosen-entries.ts";
import type { TableTarget } from "./targets.ts";
import type { Toc, TocEntry } from "./toc.ts";

/** What is made of tables as soon as their rows are there, while other tables are still being filled. */
export interface TableBuilds {
  /** To be called once for a table, when all of its rows are written. */
  completed(stream: RowsStream, bytes: number): readonly RestoreStep[];
  /** Entries that have been made, by this attempt or by an earlier one. */
  readonly built: ReadonlySet<number>;
  /** Tables whose statistics have been gathered, quoted and qualified. */
  readonly analyzed: ReadonlySet<string>;
}

export interface TableBuildsOptions {
  /** Those of the archive's entries that this restore creates; undefined for all. */
  readonly entries: readonly TocEntry[] | undefined;
  readonly built: readonly number[];
  /** Makes what an entry defines. */
  readonly build: (entry: TocEntry) => Promise<void>;
  readonly analyze: (table: string) => Promise<void>;
}

/** What locks tables: an index lets others read, so that several can be made at once; all else has the tables to itself. */
interface Job {
  readonly tables: readonly number[];
  readonly alone: boolean;
  readonly size: number;
  /** Makes it, and gives what can be done then. */
  run(): Promise<readonly Job[]>;
}

/**
 * Indexes, primary and unique keys that need nothing but their table; foreign keys between tables that have all of theirs; statistics of
 * tables for which nothing else is to come. What else there is needs more than one can see here, and comes last, by pg_restore.
 * No two statements wait for each other's locks, which would end them when it lasts long.
 */
export const planTableBuilds = (toc: Toc, { entries: chosen, built: before, build, analyze }: TableBuildsOptions): TableBuilds => {
  const own = chosen === undefined ? undefined : new Set(chosen.map(({ id }) => id));
  const speaks = speakable(toc);
  const entries = toc.entries.filter(({ id }) => own?.has(id) !== false);
  const tables = new Map(entries.filter(isPlainTable).map((entry) => [entry.id, entry]));
  const tablesOf = ({ needs }: TocEntry): number[] => [...new Set(needs.filter((need) => tables.has(need)))];
  const indexesOf = Map.groupBy(
    entries.filter((entry) => isIndex(entry) && speaks(entry)),
    ({ needs }) => onlyTable(needs, tables),
  );
  const early = new Set([...indexesOf].flatMap(([table, indexes]) => (table === undefined ? [] : indexes)).map(({ id }) => id));
  const foreignKeysOf = new Map<number, TocEntry[]>();
  for (const entry of entries) {
    if (entry.kind !== "FK CONSTRAINT" || !speaks(entry) || !entry.needs.every((need) => tables.has(need) || early.has(need))) continue;
    for (const table of tablesOf(entry)) foreignKeysOf.set(table, [...(foreignKeysOf.get(table) ?? []), entry]);
  }
  const unsettled = tablesWithMoreToCome(entries, early);
  const built = new Set(before);
  const analyzed = new Set<string>();
  const sizes = new Map<number, number>();
  const indexed = new Set<number>();
  const schedule = createSchedule();

  const make = (entry: TocEntry, alone: boolean, then: () => readonly Job[] = () => []): Job => {
    const locked = tablesOf(entry);
    const run = async (): Promise<readonly Job[]> => {
      if (!built.has(entry.id)) await build(entry);
      built.add(entry.id);
      return then();
    };
    return { tables: locked, alone, size: Math.max(...locked.map((table) => sizes.get(table) ?? 0)), run };
  };

  /** For a table that has its rows and its indexes. */
  const keysAndStatistics = (table: number, quoted: string): readonly Job[] => {
    indexed.add(table);
    const keys = (foreignKeysOf.get(table) ?? []).filter((entry) => tablesOf(entry).every((end) => indexed.has(end)));
    const run = async (): Promise<readonly Job[]> => {
      await analyze(quoted);
      analyzed.add(quoted);
      return [];
    };
    const statistics = { tables: [table], alone: true, size: sizes.get(table) ?? 0, run };
    return [...keys.map((entry) => make(entry, true)), ...(unsettled.has(table) ? [] : [statistics])];
  };

  return {
    built,
    analyzed,
    completed: (stream, bytes) => {
      const table = tableEntry(toc, stream)?.id;
      if (table === undefined || !tables.has(table)) return [];
      sizes.set(table, bytes);
      const quoted = (stream.target as TableTarget).table;
      const indexes = indexesOf.get(table) ?? [];
      let left = indexes.length;
      if (left === 0) return schedule(keysAndStatistics(table, quoted));
      const then = (): readonly Job[] => {
        left -= 1;
        return left === 0 ? keysAndStatistics(table, quoted) : [];
      };
      return schedule(indexes.map((entry) => make(entry, altersTable(entry), then)));
    },
  };
};

/** Takes jobs, and gives those as steps whose tables are free; the others follow when these have been given back. */
const createSchedule = (): ((jobs: readonly Job[]) => readonly RestoreStep[]) => {
  let waiting: Job[] = [];
  /** How many use a table; Infinity: one that has it alone. */
  const inUse = new Map<number, number>();
  const users = (table: number): number => inUse.get(table) ?? 0;
  const take = ({ tables, alone }: Job): boolean => {
    const free = tables.every((table) => (alone ? users(table) === 0 : users(table) < Number.POSITIVE_INFINITY));
    if (free) for (const table of tables) inUse.set(table, alone ? Number.POSITIVE_INFINITY : users(table) + 1);
    return free;
  };
  const giveBack = ({ tables, alone }: Job): void => {
    for (const table of tables) inUse.set(table, alone ? 0 : users(table) - 1);
  };
  const schedule = (jobs: readonly Job[]): readonly RestoreStep[] => {
    // Those that need a table alone first: they would wait for all others.
    const all = [...waiting, ...jobs].sort((a, b) => Number(b.alone) - Number(a.alone));
    const begun = new Set(all.filter(take));
    waiting = all.filter((job) => !begun.has(job));
    return [...begun].map((job) => ({
      size: job.size,
      run: async () => {
        const next = await job.run();
        giveBack(job);
        return schedule(next);
      },
    }));
  };
  return schedule;
};

/** Unlogged ones may be empty again after a crash of the server, and must then be filled anew before anything refers to them. */
const isPlainTable = ({ kind, definition = "" }: TocEntry): boolean =>
  kind === "TABLE" && definition.trimStart().startsWith("CREATE TABLE ");

/** Whether a session in UTF-8 can say what an entry defines: the archive is in the encoding of its database. */
const speakable = ({ entries }: Toc): ((entry: TocEntry) => boolean) => {
  const inUtf8 = entries.some(({ kind, definition = "" }) => kind === "ENCODING" && definition.includes("'UTF8'"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII, all of it
  return ({ definition = "", tablespace = "" }) => inUtf8 || /^[\x00-\x7f]*$/.test(definition + tablespace);
};

/** Keys do, and indexes by which a table is clustered or replicated. */
const altersTable = ({ definition = "" }: TocEntry): boolean => definition.includes("ALTER TABLE");

const isIndex = ({ kind }: TocEntry): boolean => kind === "INDEX" || kind === "CONSTRAINT";

/** The table that is all that is needed: not functions, which may read other tables. */
const onlyTable = (needs: readonly number[], tables: ReadonlyMap<number, unknown>): number | undefined => {
  const [table, ...others] = new Set(needs);
  return table !== undefined && others.length === 0 && tables.has(table) ? table : undefined;
};

/** Whose statistics have to wait: for indexes that are made later, for statistics objects, or for tables that inherit from them. */
const tablesWithMoreToCome = (entries: readonly TocEntry[], early: ReadonlySet<number>): ReadonlySet<number> => {
  const tables = new Set(entries.filter(({ kind }) => kind === "TABLE").map(({ id }) => id));
  const late = (entry: TocEntry): boolean => entry.kind === "STATISTICS" || (isIndex(entry) && !early.has(entry.id));
  const related = (entry: TocEntry): boolean => entry.kind === "TABLE ATTACH" || entry.kind === "TABLE";
  const waiting = new Set<number>();
  for (const entry of entries) {
    if (!late(entry) && !related(entry)) continue;
    const named = entry.needs.filter((need) => tables.has(need));
    for (const table of named) waiting.add(table);
    if (entry.kind === "TABLE" && named.length > 0) waiting.add(entry.id);
  }
  return waiting;
};

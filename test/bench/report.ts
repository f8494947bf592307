import { type DataSetResult, tableOf } from "./results.ts";
import { targetsOf, targetTable } from "./targets.ts";
import { whereTimeGoes } from "./where-time-goes.ts";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  readonly node: string;
  readonly postgres: string;
  readonly date: string;
  /** Processes that wanted to run, on average over a minute, before the first round. */
  readonly load: number;
}

const markdownTable = (rows: readonly (readonly string[])[], textColumns: number): string => {
  const [head = [], ...body] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column < textColumns ? "---" : "---:"))), ...body.map(line)].join("\n");
};

const changesOf = ({ changes }: DataSetResult): string => {
  const lines = Object.entries(changes).map(([change, what]) => `- *${change}*: ${what}`);
  return lines.length === 0 ? "" : ` What was changed:\n\n${lines.join("\n")}`;
};

const sectionOf = (result: DataSetResult, smaller: DataSetResult | undefined, cores: number): string =>
  [
    `## ${result.title}`,
    `${result.rounds} rounds.${changesOf(result)}`,
    markdownTable(targetTable(targetsOf(result, smaller)), 1),
    ...[whereTimeGoes(result, cores) ?? []].flat(),
    markdownTable(tableOf(result), 2),
  ].join("\n\n");

/** `docs/benchmarks.md`. `smallerOf` gives the data set that is the same but smaller. */
export const benchmarksDocument = (
  results: readonly DataSetResult[],
  smallerOf: (result: DataSetResult) => DataSetResult | undefined,
  machine: Machine,
): string => {
  const { processor, cores, memory, node, postgres, date, load } = machine;
  return `# Benchmarks

<!-- Written by \`npm run bench\`. Do not edit. -->

Backed up into a folder on the same disk. Measured on ${date} on ${cores} cores of ${processor} with ${(memory / 1e9).toFixed(0)} GB of memory,
Node ${node}, PostgreSQL ${postgres}. In each round every arm begins with an empty repository; the states follow one
another, and in each state all arms run one after the other, in an order that differs from round to round. Before the first round,
${load.toFixed(1)} processes wanted to run.

![Seconds by state and arm](benchmarks.svg)

${results.map((result) => sectionOf(result, smallerOf(result), cores)).join("\n\n")}

## How to read it

- **Seconds and memory** are medians; the range is that of all rounds. *Stored* is all that the repository holds after that state.
- The states follow one another in one repository: *full* is the first backup, *unchanged* the second of the same content, then what the list above each
  table says was changed, each time with a backup.
- *Dump* is plain \`pg_dump\`, which deduplicates best, or \`mongodump --archive\`. kopia and restic read it from standard input, as their
  users do, into a local repository, kopia with zstd, else as they come. The pipe's file is flushed to the disk; so is what we write.
- The server of MongoDB's protocol is SecantusDB, an emulation in Python whose reads are slow: most of these times are its own.
- The pipe makes one stream that has to be read whole to restore one table, of which every dump is as large as the first. What we write is
  deduplicated, signed, indexed and can be checked by parts.
- *Ours, whole backup* is \`dbgov backup\` from its start to its entry in the log: planning, capture, sealing, proving what was stored, logging. *Machinery
  alone* is \`core/\` without Temporal in a process of its own, with that process's start, and without the log.
- **CPU s** are user and system time of the arm's own processes, as the kernel counted them; of ours: the command, the worker, which serves all queues,
  and Temporal's server. **Server CPU s** is that of the database's server and of all its backends meanwhile (\`/proc\`), with ours also that of the
  catalog, which is on the same PostgreSQL. What a worker does when the backup is over (it verifies a sample) is in neither.
- **Memory** is resident memory at its highest, of all processes that the arm had at one time; of ours: the worker with what it starts, after it has
  backed up an empty database.
- **Left** are bytes of content that left the database: the dump's size; of ours, what its captures read. The few rows of digests with which ours
  asks what is unchanged are not in it.
- **Stored** of ours is its store and the recovery kit. The catalog is not in it: it can be rebuilt.
- The restores end when the last index stands. *Ours* has then checked every chunk, and goes on to read the target back and to compare
  it with the manifest, which is in its processor time, not in its seconds. \`pg_restore\` reads a local custom dump; kopia's and restic's
  dumps go into \`psql\`.

\`npm run bench\` measures again: five rounds on every data set, but two on MongoDB, with changes in the last only. On TPC-H 0.1 nothing is changed or
restored: it is there to tell whether memory is flat. What no target is about (the pipe with one thread, machinery alone, dumps restored by \`psql\`) is measured in the
first round only. \`--quick\`: three rounds on TPC-H 0.5, the changes in the last only, without this page, in less than eight minutes once the programs are built; \`--rounds N\`, \`--only NAME,…\`: as they
say; \`--write\` writes this page all the same; \`--json\` ends with one JSON object.
`;
};

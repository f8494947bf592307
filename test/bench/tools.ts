import { execFileSync } from "node:child_process";
import { Failure } from "../../core/domain/failure.ts";
import { findProgram, type ProgramName } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { quoted } from "./timed-command.ts";

/** What is measured against: paths of programs. */
export interface Tools {
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  readonly zstd: string;
  readonly age: string;
  readonly kopia: string;
  readonly restic: string;
  /** Only where it is needed. */
  readonly mongodump: string;
}

const find = (name: ProgramName): Promise<string> => findProgram(name, progressToStderr);

export const findTools = async (bin: string, withMongodump: boolean): Promise<Tools> => {
  let zstd: string;
  try {
    zstd = execFileSync("bash", ["-c", "command -v zstd"], { encoding: "utf8" }).trim();
  } catch (cause) {
    throw new Failure("ClientToolMissing", "the bench needs the zstd program: apt-get install zstd, or brew install zstd", { cause });
  }
  const mongodump = withMongodump ? await find("mongodump") : "";
  return { bin, zstd, age: await find("age"), kopia: await find("kopia"), restic: await find("restic"), mongodump };
};

/** The example recipient of age's own documentation: nothing of what is measured is ever opened. */
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

const program = ({ bin }: Tools, name: string): string => quoted(`${bin}/${name}`);

/** Writes the whole database to standard output, in the form that deduplicates best. */
export const dumpCommand = (tools: Tools, engine: "postgres" | "mongodb", url: string): string =>
  engine === "postgres"
    ? `${program(tools, "pg_dump")} ${quoted(url)}`
    : `${quoted(tools.mongodump)} --quiet --archive --uri=${quoted(url)}`;

/** The dump that a shell script makes: compressed, encrypted, and flushed to the disk as ours is. */
export const pipeCommand = (tools: Tools, dump: string, threads: 1 | 2, file: string): string =>
  `${dump} | ${quoted(tools.zstd)} -q -3 -T${threads} | ${quoted(tools.age)} -r ${recipient} > ${quoted(file)}; sync ${quoted(file)}`;

/** Reads SQL from standard input, and stops at the first error. */
export const psqlCommand = (tools: Tools, url: string): string =>
  `${program(tools, "psql")} --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --output=/dev/null --dbname=${quoted(url)}`;

export const customDumpCommand = (tools: Tools, url: string, file: string): string =>
  `${program(tools, "pg_dump")} --format=custom --file=${quoted(file)} ${quoted(url)}`;

export const pgRestoreCommand = (tools: Tools, url: string, file: string): string =>
  `${program(tools, "pg_restore")} --jobs=2 --dbname=${quoted(url)} ${quoted(file)}`;

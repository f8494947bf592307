import { execFileSync } from "node:child_process";
import { Failure } from "../../core/domain/failure.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { quoted } from "./timed-command.ts";

/** What is measured against. */
export interface Tools {
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  readonly zstd: string;
  readonly age: string;
}

export const findTools = async (bin: string): Promise<Tools> => {
  let zstd: string;
  try {
    zstd = execFileSync("bash", ["-c", "command -v zstd"], { encoding: "utf8" }).trim();
  } catch (cause) {
    throw new Failure("ClientToolMissing", "the bench needs the zstd program: apt-get install zstd, or brew install zstd", { cause });
  }
  return { bin, zstd, age: await findProgram("age", progressToStderr) };
};

/** The example recipient of age's own documentation: nothing of what is measured is ever opened. */
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

const program = ({ bin }: Tools, name: string): string => quoted(`${bin}/${name}`);

/** The dump that a shell script makes: compressed, encrypted, and flushed to the disk as ours is. */
export const pipeCommand = (tools: Tools, url: string, file: string): string =>
  `${program(tools, "pg_dump")} ${quoted(url)} | ${quoted(tools.zstd)} -q -3 -T2 | ${quoted(tools.age)} -r ${recipient} > ${quoted(file)}; sync ${quoted(file)}`;

/** The same without doing anything with the bytes: nothing that reads in one connection is faster. */
export const floorCommand = (tools: Tools, url: string): string => `${program(tools, "pg_dump")} ${quoted(url)} > /dev/null`;

export const customDumpCommand = (tools: Tools, url: string, file: string): string =>
  `${program(tools, "pg_dump")} --format=custom --file=${quoted(file)} ${quoted(url)}`;

export const restoreCommand = (tools: Tools, url: string, file: string): string =>
  `${program(tools, "pg_restore")} --jobs=2 --dbname=${quoted(url)} ${quoted(file)}`;

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../domain/failure.ts";
import { type Address, describe } from "./address.ts";
import { makeArchiveFolder } from "./archive-folder.ts";
import { type ClientTools, findClientTools } from "./client-tools.ts";
import { complaintIn, runTool, saysUnreachable, ToolError } from "./run-tool.ts";
import { type Toc, writeToc } from "./toc.ts";

/** A pg_dump archive on disk, which pg_restore needs to work in parallel. It holds definitions only, in a folder nobody else can enter. */
export interface Archive {
  /** Only these entries of the archive, in this order, when they are given. Connections call themselves `applicationName`. */
  restoreSection(section: "pre-data" | "post-data", options: SectionOptions, signal: AbortSignal): Promise<void>;
  remove(): Promise<void>;
}

export interface SectionOptions {
  readonly options: readonly string[];
  readonly entries: readonly number[] | undefined;
  readonly applicationName: string;
}

/** `content`: the archive as it was written, or what it defines. */
export const openArchive = async (
  content: Uint8Array | Toc,
  address: Address,
  targetVersion: number,
  toolMajor: number,
): Promise<Archive> => {
  const tools = await findClientTools(toolMajor);
  const folder = await makeArchiveFolder();
  const path = join(folder, "schema.dump");
  if (content instanceof Uint8Array) await writeFile(path, content, { mode: 0o600 });
  else {
    // Definitions have no files of their own: a directory with the table of contents is the whole archive.
    await mkdir(path, { mode: 0o700 });
    await writeFile(join(path, "toc.dat"), writeToc(content), { mode: 0o600 });
  }
  return {
    restoreSection: async (section, { options, entries, applicationName }, signal) => {
      const args = [`--section=${section}`, ...options];
      if (entries !== undefined) {
        const list = join(folder, "list");
        await writeFile(list, entries.map((id) => `${id};\n`).join(""), { mode: 0o600 });
        args.push(`--use-list=${list}`);
      }
      await restoreSection(tools, path, address, targetVersion, args, applicationName, signal);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};

/** pg_restore of 17 and newer sets a parameter that older servers do not know, and counts that as an error. */
const setsUnknownParameter = (tools: ClientTools, targetVersion: number): boolean => tools.major >= 17 && targetVersion < 170_000;

const restoreSection = async (
  tools: ClientTools,
  path: string,
  address: Address,
  targetVersion: number,
  options: readonly string[],
  applicationName: string,
  signal: AbortSignal,
): Promise<void> => {
  const tolerant = setsUnknownParameter(tools, targetVersion);
  const args = [`--dbname=${connectionString(address)}`, "--no-password", ...(tolerant ? [] : ["--exit-on-error"]), ...options, path];
  const run = (options: string): Promise<string> =>
    runTool(tools.pgRestore, args, address, signal, { PGOPTIONS: options, PGAPPNAME: applicationName });
  const own = address.options ?? "";
  try {
    await run(`${own} -c synchronous_commit=off`.trim()).catch((error: unknown) => {
      // A pooler refuses options at the start of a session: then it is a little slower.
      if (error instanceof ToolError && /unsupported startup parameter/.test(error.stderr)) return run(own);
      throw error;
    });
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const said = tolerant ? otherComplaints(error.stderr) : error.stderr;
    // It says so at its end: a program that was killed has not come that far.
    if (tolerant && said === "" && /errors ignored on restore: \d+/.test(error.stderr)) return;
    const type = saysUnreachable(said) ? "DatabaseUnreachable" : "RestoreFailed";
    throw new Failure(type, `${describe(address)}: pg_restore: ${complaintIn(said) ?? error.message}`, { cause: error });
  }
};

/** The database's name as a connection string, since pg_restore takes any `=` in a plain name for one. No password: it is in the environment. */
const connectionString = (address: Address): string => `dbname='${address.database.replaceAll(/['\\]/g, "\\$&")}'`;

const harmless = [
  /could not execute query: ERROR: {2}unrecognized configuration parameter "transaction_timeout"\n(?:Command was: SET transaction_timeout = 0;)?/g,
  /^Command was: SET transaction_timeout = 0;$/gm,
  /warning: errors ignored on restore: \d+/g,
];

/**
 * What pg_restore said beyond not knowing that parameter; empty when that was all. With several jobs their words come in any order, but
 * each piece as a whole. Exported for its tests.
 */
export const otherComplaints = (stderr: string): string => {
  const rest = harmless.reduce((text, pattern) => text.replaceAll(pattern, ""), stderr);
  return rest.replaceAll(/pg_restore:|error:|\s/g, "") === "" ? "" : rest;
};

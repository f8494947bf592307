import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../domain/failure.ts";

/** A folder with PostgreSQL's own programs. */
export interface ClientTools {
  readonly folder: string;
  readonly major: number;
  readonly pgDump: string;
  readonly pgRestore: string;
}

const children = async (folder: string): Promise<string[]> => {
  try {
    return (await readdir(folder)).map((name) => join(folder, name));
  } catch {
    return [];
  }
};

const isVersioned = (path: string): boolean => /(?:^|[/@-])(?:\d+|libpq|postgresql@?\d*)$/.test(path);

/** In order of preference: what the operator names, what distributions and Homebrew install side by side, then the PATH. */
const candidateFolders = async (): Promise<string[]> => {
  const named = process.env.DBGOV_PG_BIN;
  const parents = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];
  const versioned = (await Promise.all(parents.map(children))).flat().filter(isVersioned);
  const redHat = (await children("/usr")).filter((path) => /\/pgsql-\d+$/.test(path));
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return [
    ...(named === undefined || named === "" ? [] : [named]),
    ...[...versioned, ...redHat].map((path) => join(path, "bin")),
    ...onPath,
  ];
};

const runnable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const majors = new Map<string, Promise<number | undefined>>();

const majorOf = (program: string): Promise<number | undefined> => {
  const known = majors.get(program);
  if (known !== undefined) return known;
  const asked = promisify(execFile)(program, ["--version"], { timeout: 10_000 }).then(
    ({ stdout }) => {
      const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
      return major === undefined ? undefined : Number(major);
    },
    () => undefined,
  );
  majors.set(program, asked);
  return asked;
};

const toolsIn = async (folder: string): Promise<ClientTools | undefined> => {
  const pgDump = join(folder, "pg_dump");
  const pgRestore = join(folder, "pg_restore");
  if (!(await runnable(pgDump)) || !(await runnable(pgRestore))) return undefined;
  const major = await majorOf(pgDump);
  return major === undefined ? undefined : { folder, major, pgDump, pgRestore };
};

/**
 * pg_dump and pg_restore of `major` or newer, the nearest first, since pg_dump refuses newer servers. What `DBGOV_PG_BIN` names wins if it is
 * new enough. Throws `ClientToolMissing`.
 */
export const findClientTools = async (major: number): Promise<ClientTools> => {
  const all = (await Promise.all((await candidateFolders()).map(toolsIn))).filter((tools) => tools !== undefined);
  const named = process.env.DBGOV_PG_BIN;
  const [best] = all
    .filter((tools) => tools.major >= major)
    .sort((a, b) => Number(b.folder === named) - Number(a.folder === named) || a.major - b.major);
  if (best !== undefined) return best;
  const found = all.length === 0 ? "none was found" : `found only ${all.map((tools) => `${tools.major} in ${tools.folder}`).join(", ")}`;
  throw new Failure(
    "ClientToolMissing",
    `pg_dump and pg_restore of PostgreSQL ${major} or newer are needed, ${found}: install postgresql-client-${major}, or name their folder in DBGOV_PG_BIN`,
  );
};

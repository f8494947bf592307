import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { Failure } from "../domain/failure.ts";
import { crossChecks } from "./cross-checks.ts";
import { locate, locateKey, pathText } from "./locate.ts";
import { type Problem, problemsOf } from "./problems.ts";
import { type Config, configSchema } from "./schema.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** The file's folder, absolute: where relative paths in it start. */
  readonly folder: string;
  /** The file, as it was named. */
  readonly path: string;
}

/**
 * Reads and judges a configuration file. Throws `ConfigurationInvalid` with a line for each problem, as
 * `dbgov.yaml:12:5: databases[0].engine: must be one of postgres, mongodb (is "mysql")`. Reads no secret.
 */
export const loadConfig = async (path: string): Promise<LoadedConfig> => {
  const folder = dirname(resolve(path));
  const config = parseConfig(await readText(path), path);
  return { config: withAbsolutePaths(config, folder), folder, path };
};

const readText = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const why = { ENOENT: "does not exist", EACCES: "may not be read by this user", EISDIR: "is a folder" } as Readonly<
      Record<string, string>
    >;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw new Failure("ConfigurationInvalid", `the configuration file ${path} ${why[code] ?? `cannot be read (${code})`}`, {
      cause: error,
    });
  }
};

/** The same for a text; `path` is for messages only, and paths in it stay as they are. */
export const parseConfig = (text: string, path: string): Config => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(({ pos, message }) => {
        const { line, col } = lines.linePos(pos[0]);
        return `${path}:${line}:${col}: is not valid YAML: ${lowerFirst(message)}`;
      }),
    );
  }
  const complain = (problems: readonly Problem[]): Failure =>
    invalid(
      problems
        .map((problem) => ({ problem, place: (problem.atKey === true ? locateKey : locate)(document, lines, problem.path) }))
        .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
        .map(
          ({ problem, place }) =>
            `${path}:${place.line}:${place.column}: ${pathText(problem.path) || "the configuration"}: ${problem.message}`,
        ),
    );
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases that multiply without end.
    throw new Failure("ConfigurationInvalid", `${path}: is not valid YAML: its aliases cannot be resolved`, { cause: error });
  }
  if (value === null || value === undefined) throw new Failure("ConfigurationInvalid", `${path}: the configuration is empty`);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw complain(problemsOf(parsed.error.issues, value));
  const problems = crossChecks(parsed.data);
  if (problems.length > 0) throw complain(problems);
  return parsed.data;
};

const invalid = (messages: readonly string[]): Failure => new Failure("ConfigurationInvalid", messages.join("\n"));

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const withAbsolutePaths = (config: Config, folder: string): Config => ({
  ...config,
  recoveryKit: resolve(folder, config.recoveryKit),
  sweep: { ...config.sweep, out: resolve(folder, config.sweep.out) },
  timestampAuthorities: config.timestampAuthorities.map((authority) => ({ ...authority, roots: resolve(folder, authority.roots) })),
  stores: config.stores.map((store) => (store.kind === "directory" ? { ...store, path: resolve(folder, store.path) } : store)),
});

import type { TablespaceChoice } from "../../core/databases/postgres/tablespaces.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { EngineName } from "../../core/domain/snapshot.ts";
import type { CommandInput } from "./program.ts";

const pair = /^\s*("(?:[^"]|"")+"|[^="]+)=("(?:[^"]|"")+"|[^="]+)\s*$/;

const unquoted = (name: string): string => {
  const text = name.trim();
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
};

/** What `--tablespace OLD=NEW,…` says. Double quotes keep commas and equals signs in a name. */
export const tablespacesOf = ({ options }: Pick<CommandInput, "options">, engine: EngineName): readonly TablespaceChoice[] => {
  const { tablespace } = options;
  if (typeof tablespace !== "string") return [];
  if (engine !== "postgres") throw new Failure("UsageInvalid", `--tablespace is for PostgreSQL; the target speaks ${engine}`);
  const choices = (tablespace.match(/(?:"(?:[^"]|"")*"|[^,"])+|"/g) ?? [""]).map((text) => {
    const [, from, to] = pair.exec(text) ?? [];
    if (from === undefined || to === undefined)
      throw new Failure("UsageInvalid", `--tablespace ${JSON.stringify(tablespace)}: write it as OLD=NEW, several with commas between`);
    return { from: unquoted(from), to: unquoted(to) };
  });
  const twice = choices.find(({ from }, index) => choices.findIndex((other) => other.from === from) !== index);
  if (twice !== undefined) throw new Failure("UsageInvalid", `--tablespace names ${twice.from} twice`);
  return choices;
};

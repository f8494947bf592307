import { Failure } from "../../core/domain/failure.ts";
import type { Choice } from "../../core/snapshot/choose-part.ts";
import type { CommandInput } from "./program.ts";

/** Flags of every command that takes a part of a snapshot. */
export const choiceFlags = [
  { flags: "--only <names>", description: "only these, comma-separated: tables, collections, containers, keys; * stands for any letters" },
  { flags: "--except <names>", description: "all but these" },
] as const;

/** What `--only` and `--except` say. A comma within double quotes belongs to the name, as the quotes do. */
export const choiceOf = ({ options }: Pick<CommandInput, "options">): Choice => ({
  only: patterns("--only", options.only),
  except: patterns("--except", options.except),
});

const patterns = (flag: string, text: string | boolean | undefined): string[] => {
  if (typeof text !== "string") return [];
  const found = (text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []).map((pattern) => pattern.trim());
  if (found.length === 0 || found.includes("") || (text.match(/"/g)?.length ?? 0) % 2 === 1)
    throw new Failure("UsageInvalid", `${flag} ${JSON.stringify(text)} names nothing, or has a quote that does not end`);
  return found;
};

import { ErrorReply } from "@redis/client";
import type { Connection, Reply } from "./connection.ts";
import { type Definitions, parseDefinitions, readDefinitions } from "./definitions.ts";

/**
 * Loads libraries of functions, and makes users that the target does not have. They belong to the server, not to a logical database:
 * with `whole` false they are left out. Returns what is to be told.
 */
export const restoreDefinitions = async (
  connection: Connection,
  { functions, users }: Definitions,
  { whole, replace }: { readonly whole: boolean; readonly replace: boolean },
): Promise<string[]> => {
  if (!whole)
    return (functions ?? []).length > 0
      ? ["Functions belong to the server, and were left out: the target is one logical database, or a drill's."]
      : [];
  const notes: string[] = [];
  const present = parseDefinitions(await readDefinitions(connection));
  for (const { name, code } of functions ?? []) {
    if (present.functions?.some((library) => library.name === name && library.code === code)) continue;
    const command = ["FUNCTION", "LOAD", ...(replace ? ["REPLACE"] : []), Buffer.from(code, "base64")];
    const refused = await refusalOf(() => connection.call(...command));
    if (refused !== undefined) notes.push(`The library of functions ${JSON.stringify(name)} could not be loaded: ${refused}.`);
  }
  const names = new Set((present.users ?? []).map((rules) => rules.split(" ")[1]));
  for (const rules of users ?? []) {
    const [, name = "", ...rest] = tokensOf(rules);
    if (names.has(name)) continue;
    const refused = await refusalOf(() => connection.call("ACL", "SETUSER", name, "reset", ...rest));
    if (refused !== undefined) notes.push(`The user ${JSON.stringify(name)} could not be made: ${refused}.`);
  }
  const kept = (users ?? []).filter((rules) => names.has(tokensOf(rules)[1]) && !present.users?.includes(rules)).length;
  if (kept > 0) notes.push(`${kept} users that the target has with other rules were left as they are.`);
  return notes;
};

/** Words, of which a selector in parentheses is one. */
const tokensOf = (rules: string): string[] => rules.match(/\([^)]*\)|\S+/g) ?? [];

const refusalOf = async (work: () => Promise<Reply>): Promise<string | undefined> => {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof ErrorReply)) throw error;
    return error.message.split(/['"\n]/)[0]!.trim();
  }
};

import { Failure } from "../../domain/failure.ts";
import type { Connection } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import type { TargetAbilities } from "./key-commands.ts";
import type { KeysTarget } from "./plan.ts";
import { type ServerFacts, versionText } from "./server-facts.ts";
import { knowsFieldExpiry } from "./typed.ts";

/** What the target cannot take is refused before anything is written. */
export const fitTarget = async (
  connection: Connection,
  facts: ServerFacts,
  source: KeysTarget,
): Promise<{ abilities: TargetAbilities; notes: string[] }> => {
  const { address } = connection;
  const server = `Redis ${versionText(facts)} at ${address.label}`;
  const notes: string[] = [];
  if (address.database !== undefined && source.databases.length > 1)
    throw new Failure(
      "UsageInvalid",
      `The snapshot holds logical databases ${source.databases.join(", ")}, and the target's URL names one (${address.label}): name a server without a number.`,
    );
  if (source.fieldExpiry && !knowsFieldExpiry(facts))
    throw new Failure(
      "EngineUnsupported",
      `The snapshot has hashes with fields that expire, which ${server} does not know; nothing was written.`,
    );
  const missing = source.modules.filter((module) => !facts.modules.includes(module));
  if (missing.length > 0)
    notes.push(`The source had modules that the target lacks (${missing.join(", ")}): a value of their types ends the restore.`);
  const restore = await mayRestore(connection);
  if (!restore)
    notes.push("The target does not allow RESTORE: streams were made by commands, which cannot set when a consumer was last seen.");
  if (source.detail > facts.streamDetail)
    notes.push("The target is older than the source, and does not keep all that the source knows of streams' groups and consumers.");
  for (const database of address.database === undefined ? source.databases : [address.database]) await connection.select(database);
  return { abilities: { detail: facts.streamDetail, restore, rdbVersion: source.rdbVersion ?? 9 }, notes };
};

/** An empty payload is refused by whoever would read it, and by whoever would not. */
const mayRestore = async (connection: Connection): Promise<boolean> => {
  try {
    await connection.call("RESTORE", "dbgov:none", "0", "");
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    if (error instanceof Error && /payload|checksum|Bad data format/i.test(error.message)) return true;
    throw error;
  }
};

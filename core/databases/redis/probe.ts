import type { Probe } from "../engine.ts";
import { connected } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import { chooseMethod } from "./method.ts";
import { readFacts, versionText } from "./server-facts.ts";

/** Finds the way in which the server can be read, and says what is wrong when there is none. */
export const probeDatabase = (url: string, signal: AbortSignal): Promise<Probe> =>
  connected(url, signal, "probing", async (connection) => {
    const { address } = connection;
    const facts = await readFacts(connection);
    const problems: Probe["problems"][number][] = [];
    if (facts.compatible[0] < 6)
      problems.push({ type: "EngineUnsupported", message: `Redis ${facts.version} is too old; 6.0 is the oldest that can be captured.` });
    if (address.database !== undefined) await connection.select(address.database);
    const { method } = await chooseMethod(connection, facts, signal);
    if (method !== "replication") {
      try {
        await connection.call("SCAN", "0", "COUNT", "1");
      } catch (error) {
        if (!isRefusal(error)) throw error;
        problems.push({
          type: "PermissionMissing",
          message: `Redis at ${address.label} lets this user neither replicate nor SCAN; grant +psync and +replconf, or +scan, +dump, +pexpiretime and +multi and +exec, on all keys.`,
        });
      }
    }
    return {
      version: versionText(facts),
      databaseName: address.database === undefined ? "all" : String(address.database),
      estimatedBytes: facts.usedMemory,
      problems,
    };
  });

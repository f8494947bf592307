import type { Hold } from "../engine.ts";
import { connected } from "./connection.ts";
import { type ChosenMethod, chooseMethod } from "./method.ts";
import { readFacts } from "./server-facts.ts";

export const tokenOf = (chosen: ChosenMethod): string => JSON.stringify(chosen);
export const methodOf = (token: string): ChosenMethod => JSON.parse(token) as ChosenMethod;

/**
 * Nothing can be held open: a replication's RDB is the snapshot, and whoever asks for one reads it in one go. What is
 * decided here is how, so that all who read do the same.
 */
export const openHold = (url: string, signal: AbortSignal): Promise<Hold> =>
  connected(url, signal, "finding out how it may be read", async (connection) => {
    const chosen = await chooseMethod(connection, await readFacts(connection), signal);
    return {
      token: tokenOf(chosen),
      consistency: chosen.method === "replication" ? "transactional" : "fuzzy",
      lost: new Promise<never>(() => {}),
      close: async () => {},
    };
  });

import type { Hold } from "../engine.ts";
import { connect } from "./connection.ts";

/**
 * Cosmos DB has no snapshot: every document is read as it is when its page is asked for. Nothing is kept open, so nothing
 * is lost; that the database is there is asked all the same.
 */
export async function openHold(url: string, signal: AbortSignal): Promise<Hold> {
  await connect(url, signal);
  return {
    token: JSON.stringify({ snapshot: null }),
    consistency: "fuzzy",
    lost: new Promise<never>(() => undefined),
    close: async () => undefined,
  };
}

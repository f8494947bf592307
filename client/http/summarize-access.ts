import { createHash, randomBytes } from "node:crypto";
import { closeAccessSummaries, markAccessLogged } from "../../core/catalog/audit-access.ts";
import { mostAccessCounts } from "../../core/ledger/verify/entry.ts";
import { appendEvents, type LogEvent } from "../../core/site/append-events.ts";
import type { Site } from "../../core/site/site.ts";

const hashOfRoute = (route: string): string => createHash("sha256").update(route).digest("hex");

/**
 * Logs how often auditors asked for what: one entry for each day (more where one has not the room), of the days before `before`, a date, or of all. What an earlier
 * process has closed and not logged is logged, too. Returns the number of entries.
 */
export const summarizeAccess = async (
  site: Site,
  signal: AbortSignal,
  onHealed: (keys: readonly string[]) => void,
  before?: string,
): Promise<number> => {
  const catalog = await site.catalog();
  let entries = 0;
  for (const summary of await closeAccessSummaries(catalog, randomBytes(8).toString("hex"), before)) {
    const counts = summary.counts.map(({ token, route, requests }) => ({ token, route: hashOfRoute(route), requests }));
    const events: LogEvent[] = [];
    for (let first = 0; first < counts.length; first += mostAccessCounts) {
      events.push({
        identity: `access-summarized/${summary.day}/${summary.summary}/${first}`,
        database: null,
        body: {
          kind: "access-summarized",
          time: new Date().toISOString(),
          day: summary.day,
          counts: counts.slice(first, first + mostAccessCounts),
        },
      });
    }
    entries += (await appendEvents(site, events, signal, onHealed)).length;
    await markAccessLogged(catalog, summary, new Date());
  }
  return entries;
};

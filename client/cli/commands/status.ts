import { formatDuration } from "../../../core/domain/duration.ts";
import { isFailure } from "../../../core/domain/failure.ts";
import { scheduleIds } from "../../../core/domain/schedules.ts";
import type { Site } from "../../../core/site/site.ts";
import { type DatabaseStatus, readStatus } from "../../../core/site/status.ts";
import { connectSite } from "../../connect.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { bad, bold, dim, formatAge, good, say, table, utcMinute, warn } from "../terminal.ts";

/** Works without Temporal, too: then the next runs are not known. */
export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const nextRuns = await nextRunsOf(site);
    const now = new Date();
    const databases = (await readStatus(site, now)).map((status) => ({ ...status, nextRun: nextRuns?.get(status.database) ?? null }));
    if (input.json) process.stdout.write(`${JSON.stringify({ at: now.toISOString(), orchestrator: nextRuns !== null, databases })}\n`);
    else {
      say(
        table(
          ["", "database", "last snapshot", "state", "age / objective", "replicas", "last drill", "next run (UTC)"],
          databases.map((status) => row(status, status.nextRun, now)),
        ),
      );
      if (nextRuns === null) say(warn("Temporal does not answer: the next runs are not known"));
      else if (databases.some(({ nextRun }) => nextRun === null)) say("not scheduled: dbgov apply makes the schedules");
      for (const { database, lastFailure } of databases)
        if (lastFailure !== null) say(`${bad("✗")} ${database}: the last run failed: ${lastFailure}`);
    }
    return databases.every(({ objectiveMet }) => objectiveMet) ? exitCodes.done : exitCodes.degraded;
  });

const row = (status: DatabaseStatus, nextRun: string | null, now: Date): string[] => {
  const age = status.ageMs === null ? bad("never") : `${formatAge(status.ageMs)} / ${formatDuration(status.objectiveMs)}`;
  const copies = `${status.copies} of ${status.copiesWanted}`;
  const drill =
    status.lastDrill === null
      ? warn("never")
      : `${formatAge(now.getTime() - Date.parse(status.lastDrill.at))}, ${status.lastDrill.identical ? formatDuration(status.lastDrill.seconds * 1_000) : bad("differs")}`;
  return [
    status.objectiveMet && status.lastFailure === null ? good("✓") : bad("✗"),
    bold(status.database),
    status.snapshot ?? dim("none yet"),
    status.state ?? "",
    status.objectiveMet ? age : bad(age),
    status.copies < status.copiesWanted ? bad(copies) : copies,
    drill,
    nextRun === null ? dim("not scheduled") : utcMinute(nextRun),
  ];
};

/** By database; null when Temporal does not answer. */
const nextRunsOf = async (site: Site): Promise<Map<string, string | null> | null> => {
  const { databases } = site.loaded.config;
  try {
    const { client, close } = await connectSite(site);
    try {
      const runs = new Map<string, string | null>();
      for await (const { scheduleId, info } of client.schedule.list()) {
        const database = databases.find(({ name }) => scheduleIds.backup(name) === scheduleId);
        if (database !== undefined) runs.set(database.name, info?.nextActionTimes[0]?.toISOString() ?? null);
      }
      return runs;
    } finally {
      await close();
    }
  } catch (error) {
    if (isFailure(error, "OrchestratorUnreachable")) return null;
    throw error;
  }
};

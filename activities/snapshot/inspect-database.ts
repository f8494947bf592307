import { cancellationSignal, log } from "@temporalio/activity";
import { storeUsage } from "../../core/catalog/store-usage.ts";
import { allowanceOfDatabase, quotaOfStore } from "../../core/config/allowances.ts";
import { engineOf } from "../../core/databases/engines.ts";
import { Failure } from "../../core/domain/failure.ts";
import { fillingFrom, requireSpare } from "../../core/domain/room.ts";
import { formatSize } from "../../core/domain/size.ts";
import type { Site } from "../../core/site/site.ts";
import type { ActivityEnvironment } from "../environment.ts";

export const createInspectDatabase = ({ site }: ActivityEnvironment) => ({
  /** Connects, and refuses what cannot be captured well before anything is written. */
  inspectDatabase: async ({ database }: { database: string }): Promise<{ version: string; estimatedBytes: number }> => {
    const at = await site();
    await requireRoomToLand(at, database);
    const probe = await (await engineOf(at.database(database).engine)).probe(await at.databaseUrl(database), cancellationSignal());
    const problem = probe.problems[0];
    if (problem !== undefined) {
      const others = probe.problems.length > 1 ? ` (and ${probe.problems.length - 1} more: run dbgov check)` : "";
      throw new Failure(problem.type, `${database}: ${problem.message}${others}`);
    }
    warnOfFullPlan(at, database, probe.estimatedBytes);
    return { version: probe.version, estimatedBytes: probe.estimatedBytes };
  },
});

/** A landing store that is full already: nothing is read for it. What still fits is known pack by pack. */
const requireRoomToLand = async (at: Site, database: string): Promise<void> => {
  const { landing } = at.policyOf(database);
  const room = quotaOfStore(at.loaded.config, landing);
  if (room.bytes === null && room.objects === null) return;
  requireSpare(
    room,
    landing,
    (await storeUsage(await at.catalog())).filter(({ store }) => room.stores.includes(store)),
  );
};

/** The sweep makes a finding of it; whoever reads the run's log hears of it every night. */
const warnOfFullPlan = (at: Site, database: string, bytes: number): void => {
  const allowance = allowanceOfDatabase(at.loaded.config, database);
  const limit = allowance?.free?.bytes;
  if (allowance === undefined || limit === undefined || bytes < fillingFrom * limit) return;
  log.warn(`${database} fills its plan: ${formatSize(bytes)} of the ${formatSize(limit)} that ${allowance.service} allows are used`);
};

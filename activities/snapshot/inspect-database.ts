import { cancellationSignal } from "@temporalio/activity";
import { engineOf } from "../../core/databases/engines.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { ActivityEnvironment } from "../environment.ts";

export const createInspectDatabase = ({ site }: ActivityEnvironment) => ({
  /** Connects, and refuses what cannot be captured well before anything is written. */
  inspectDatabase: async ({ database }: { database: string }): Promise<{ version: string; estimatedBytes: number }> => {
    const at = await site();
    const probe = await (await engineOf(at.database(database).engine)).probe(await at.databaseUrl(database), cancellationSignal());
    const problem = probe.problems[0];
    if (problem !== undefined) {
      const others = probe.problems.length > 1 ? ` (and ${probe.problems.length - 1} more: run dbgov check)` : "";
      throw new Failure(problem.type, `${database}: ${problem.message}${others}`);
    }
    return { version: probe.version, estimatedBytes: probe.estimatedBytes };
  },
});

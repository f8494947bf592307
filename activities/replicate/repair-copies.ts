import { cancellationSignal, heartbeat } from "@temporalio/activity";
import type { ObjectProblem, ObjectRepair } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { replaceCopy } from "./replace-copy.ts";

export const createRepairCopies = ({ site }: ActivityEnvironment) => ({
  /** Replaces copies that are missing or altered by good ones from other stores. What no store has a good copy of is not in the answer. */
  repairCopies: async (input: { snapshot: string; problems: readonly ObjectProblem[] }): Promise<readonly ObjectRepair[]> => {
    const at = await site();
    const repairs: ObjectRepair[] = [];
    for (const { store, object } of input.problems) {
      const replaced = await replaceCopy(at, { store, object }, cancellationSignal());
      if (typeof replaced === "object") repairs.push({ store, object, from: replaced.from });
      heartbeat({ repaired: repairs.length, of: input.problems.length });
    }
    return repairs;
  },
});

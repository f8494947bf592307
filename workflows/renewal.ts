import { isCancellation, proxyActivities, setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import type { RenewalOutcome } from "../core/domain/run.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failureOf, failWith, type KnownFailure } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

/**
 * Extends what the services of stores end by themselves, with a margin. Fails with `StoreUnfunded` when something ends within it all the
 * same: that is the alarm. A store that does not answer keeps none of the others from being renewed.
 */
export async function renewal(): Promise<readonly RenewalOutcome[]> {
  const { storesToRenew } = proxyActivities<ReplicateActivities>(step("replicate"));
  const { renewStore } = proxyActivities<ReplicateActivities>(longStep("replicate", { patience: 30 * 60_000, silence: aliveWithin }));
  upsertSearchAttributes([{ key: outcomeKey, value: "running" }]);
  const failed: KnownFailure[] = [];
  const outcomes: RenewalOutcome[] = [];
  const renew = async (store: string): Promise<void> => {
    try {
      const outcome = await renewStore.executeWithOptions({ summary: `what ends in ${store}` }, [{ store }]);
      if (outcome !== null) outcomes.push(outcome);
    } catch (error) {
      if (isCancellation(error)) throw error;
      failed.push(failureOf(error));
    }
  };
  await Promise.all((await storesToRenew()).map(renew));
  outcomes.sort((a, b) => (a.store < b.store ? -1 : 1));
  setCurrentDetails(outcomes.map(lineOf).join("\n"));
  const problems = outcomes.flatMap((outcome) => outcome.problems.map(({ message }) => message));
  const bad = problems.length > 0 || failed.length > 0;
  upsertSearchAttributes([{ key: outcomeKey, value: bad ? "failed" : "done" }]);
  if (problems.length > 0) throw failWith("StoreUnfunded", problems.join("; "));
  const [first] = failed;
  if (first !== undefined) throw failWith(first.type, failed.map(({ message }) => message).join("; "));
  return outcomes;
}

const lineOf = ({ store, renewed, problems }: RenewalOutcome): string => {
  const done = renewed.length === 0 ? "nothing had to be renewed" : `renewed ${renewed.join(", ")}`;
  return `- ${store}: ${problems.length === 0 ? done : problems.map(({ message }) => `**${message}**`).join("; ")}`;
};

import { defineQuery, proxyActivities, setCurrentDetails, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RestoreActivities } from "../activities/restore/index.ts";
import type { ObjectProblem, VerifyInput, VerifyResult } from "../core/domain/run.ts";
import { longStep, step } from "./activity-options.ts";
import { failWith } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

/** What is wrong, object by object; answers after the run's end, too. */
export const problemsQuery = defineQuery<readonly ObjectProblem[]>("problems");

/** Reads a snapshot back from its stores, opens it, and makes it `verified` when nothing is wrong with it. Fails, naming the objects, when something is. */
export async function verify(input: VerifyInput): Promise<VerifyResult> {
  const { verifySnapshot } = proxyActivities<RestoreActivities>(longStep("restore"));
  const { logVerified, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  let problems: readonly ObjectProblem[] = [];
  setHandler(problemsQuery, () => problems);
  const result = await verifySnapshot.executeWithOptions({ summary: `verify ${input.snapshot} (${input.depth})` }, [input]);
  problems = result.problems;
  if (!result.verified) {
    upsertSearchAttributes([{ key: outcomeKey, value: "failed" }]);
    const sentences = result.problems.map(({ store, message }) => `${store}: ${message}`);
    setCurrentDetails(sentences.map((sentence) => `- ${sentence}`).join("\n"));
    throw failWith(
      "VerificationFailed",
      `${input.snapshot} has ${result.problems.length} bad objects: ${sentences.slice(0, 5).join("; ")}`,
    );
  }
  await logVerified({ snapshot: input.snapshot });
  await requestAnchoring();
  upsertSearchAttributes([{ key: outcomeKey, value: "done" }]);
  return result;
}

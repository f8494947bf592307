import { defineQuery, isCancellation, proxyActivities, setCurrentDetails, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { ReplicateActivities } from "../activities/replicate/index.ts";
import type { RestoreActivities } from "../activities/restore/index.ts";
import type { VerifyFindings, VerifyInput, VerifyResult } from "../core/domain/run.ts";
import { aliveWithin, longStep, step } from "./activity-options.ts";
import { failWith } from "./failure-of.ts";
import { attributesOf, outcomeKey } from "./search-attributes.ts";

/** What was found wrong, and what of it was put right; answers after the run's end, too. */
export const findingsQuery = defineQuery<VerifyFindings>("findings");

/**
 * Reads a snapshot back from its stores, opens it, and makes it `verified` when nothing is wrong with it. Bad copies are
 * replaced from good ones; the run fails all the same, naming them, for a store that alters or loses bytes is news.
 */
export async function verify(input: VerifyInput): Promise<VerifyResult> {
  const say = (outcome: string): void => {
    if (input.about !== undefined) upsertSearchAttributes(attributesOf(outcome, input.about));
  };
  say("running");
  try {
    return await verifyAndRepair(input);
  } catch (error) {
    say(isCancellation(error) ? "cancelled" : "failed");
    throw error;
  }
}

const verifyAndRepair = async (input: VerifyInput): Promise<VerifyResult> => {
  const { verifySnapshot } = proxyActivities<RestoreActivities>(longStep("restore", { silence: aliveWithin }));
  const { repairCopies } = proxyActivities<ReplicateActivities>(longStep("replicate"));
  const { logVerified, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain"));
  let findings: VerifyFindings = { problems: [], repairs: [] };
  setHandler(findingsQuery, () => findings);
  const result = await verifySnapshot.executeWithOptions({ summary: `verify ${input.snapshot} (${input.depth})` }, [input]);
  if (!result.verified) {
    const { problems } = result;
    upsertSearchAttributes([{ key: outcomeKey, value: "failed" }]);
    findings = { problems, repairs: [] };
    setCurrentDetails(listing(findings));
    const damaged = problems.filter(({ type }) => type === "ObjectMissing" || type === "ObjectCorrupt");
    const repairs = await repairCopies.executeWithOptions({ summary: `replace ${damaged.length} bad copies` }, [
      { snapshot: input.snapshot, problems: damaged },
    ]);
    findings = { problems, repairs };
    setCurrentDetails(listing(findings));
    const sentences = problems.slice(0, 5).map(({ store, message }) => `${store}: ${message}`);
    const repaired = repairs.length === 0 ? "none could be replaced" : `${repairs.length} replaced from good copies`;
    throw failWith("VerificationFailed", `${input.snapshot} has ${problems.length} bad objects (${repaired}): ${sentences.join("; ")}`);
  }
  await logVerified({ snapshot: input.snapshot });
  await requestAnchoring();
  upsertSearchAttributes([{ key: outcomeKey, value: "done" }]);
  return result;
};

const listing = ({ problems, repairs }: VerifyFindings): string =>
  [
    ...problems.map(({ store, message }) => `- ${store}: ${message}`),
    ...repairs.map(({ store, object, from }) => `- replaced \`${object}\` in ${store} from ${from}`),
  ].join("\n");

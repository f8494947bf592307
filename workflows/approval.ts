import {
  condition,
  defineQuery,
  defineUpdate,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import type { AnchorActivities } from "../activities/anchor/index.ts";
import type { RetainActivities } from "../activities/retain/index.ts";
import type { ApprovalSignature, SignedRequest } from "../core/domain/approval.ts";
import { step, untilLogged } from "./activity-options.ts";
import { failWith } from "./failure-of.ts";
import { outcomeKey } from "./search-attributes.ts";

/** Another person's signature of the request. Refused unless it is another one's, valid, and in time. */
export const approveUpdate = defineUpdate<void, [ApprovalSignature]>("approve");
/** What there is to be signed. */
export const requestQuery = defineQuery<SignedRequest>("request");

/** What was done once both had signed. `marked`: how many snapshots are to go. */
export interface ApprovalOutcome {
  readonly database: string | null;
  readonly marked?: number;
}

/**
 * One act that needs two persons: the first has signed the request that this starts with, the second signs it in time, and it is done.
 * Both are in the log, and so is a request that nobody else has signed.
 */
export async function approval(signed: SignedRequest): Promise<ApprovalOutcome> {
  const { checkApproval, checkRequest, performApproved } = proxyActivities<RetainActivities>(step("replicate"));
  const { logApproval, logHold, logMarks, requestAnchoring } = proxyActivities<AnchorActivities>(step("chain", { patience: untilLogged }));
  const { request, by } = signed;
  let approvedBy: ApprovalSignature | undefined;
  let over = false;
  setHandler(requestQuery, () => signed);
  setHandler(
    approveUpdate,
    async (signature) => {
      await checkApproval({ ...signed, approvedBy: signature });
      if (over) throw failWith("ApprovalRefused", `request ${request.id} has expired`);
      approvedBy ??= signature;
    },
    {
      validator: ({ approver }) => {
        if (over || approvedBy !== undefined) throw failWith("ApprovalRefused", `request ${request.id} is decided already`);
        if (approver === by.approver) throw failWith("ApprovalRefused", `request ${request.id} must be approved by another person`);
      },
    },
  );
  await checkRequest(signed);
  setCurrentDetails(`**${request.act}** waits for a second person until ${request.expiresAt}: ${request.reason}`);
  const left = Math.max(0, Date.parse(request.expiresAt) - Date.now());
  await condition(() => approvedBy !== undefined, left);
  over = true;
  if (approvedBy === undefined) {
    await logApproval(signed);
    await requestAnchoring();
    upsertSearchAttributes([{ key: outcomeKey, value: "expired" }]);
    throw failWith("ApprovalRefused", `request ${request.id} has expired: nobody else approved it until ${request.expiresAt}`);
  }
  const granted = { ...signed, approvedBy };
  const outcome = await performApproved(granted);
  await logApproval(granted);
  if (request.act === "lift-hold") await logHold({ id: request.hold, database: outcome.database, lifted: true });
  if (request.act === "delete-database") await logMarks({ database: request.database });
  await requestAnchoring();
  upsertSearchAttributes([{ key: outcomeKey, value: "done" }]);
  setCurrentDetails(`**${request.act}** is done: two persons agreed`);
  return outcome;
}

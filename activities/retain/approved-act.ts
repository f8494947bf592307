import type { Approval, SignedRequest } from "../../core/domain/approval.ts";
import { type ApprovedResult, checkApproval, checkRequest, performApproved } from "../../core/site/approved-acts.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** Acts that need two persons. The signatures are checked here, where the act is done: who can start workflows can forge none. */
export const createApprovedAct = ({ site }: ActivityEnvironment) => ({
  checkRequest: async (signed: SignedRequest): Promise<void> => void (await checkRequest(await site(), signed, new Date())),
  checkApproval: async (approval: Approval): Promise<void> => void (await checkApproval(await site(), approval, new Date())),
  performApproved: async (approval: Approval): Promise<ApprovedResult> => await performApproved(await site(), approval, new Date()),
});

import { randomBytes } from "node:crypto";
import type { Client } from "@temporalio/client";
import type { ApprovalRequest, DangerousAct, SignedRequest } from "../core/domain/approval.ts";
import { durationMs } from "../core/domain/duration.ts";
import { Failure } from "../core/domain/failure.ts";
import { signRequest } from "../core/repository/approval-signature.ts";
import type { Signer } from "../core/repository/signing.ts";
import { checkRequest } from "../core/site/approved-acts.ts";
import type { Site } from "../core/site/site.ts";
import type { approval } from "../workflows/approval.ts";
import { requireWorkers, startOrJoin } from "./run-workflow.ts";

export const approvalWorkflow = (id: string): string => `approval/${id}`;

/** Signs a request, and starts the run that waits for the second person. Refused here already when it would be there. */
export const askApproval = async (
  site: Site,
  client: Client,
  act: DangerousAct,
  reason: string,
  signer: Signer,
): Promise<ApprovalRequest> => {
  const now = new Date();
  const { approval: settings, log } = site.loaded.config;
  const request: ApprovalRequest = {
    ...act,
    id: `a-${randomBytes(6).toString("hex")}`,
    log: log.origin,
    reason,
    requestedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + durationMs(settings.within)).toISOString(),
  };
  const signed: SignedRequest = { request, by: await signRequest("ask", request, signer) };
  await checkRequest(site, signed, now);
  await requireWorkers(client, ["orchestrate", "replicate", "chain"]);
  await startOrJoin<typeof approval>(client, "approval", approvalWorkflow(request.id), [signed], `${request.act}, with two persons`);
  return request;
};

/** The reason that a request carries: nobody should sign what says none. */
export const reasonOption = (value: string | boolean | undefined, command: string): string => {
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  throw new Failure("UsageInvalid", `${command} needs --reason: the second person reads it before signing`);
};

import { type Client, type WorkflowHandle, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { isApprovalId, type SignedRequest } from "../../../core/domain/approval.ts";
import { Failure, type FailureType, failureTypes } from "../../../core/domain/failure.ts";
import { requestHash, signRequest } from "../../../core/repository/approval-signature.ts";
import { checkRequest } from "../../../core/site/approved-acts.ts";
import { approversInForce, approversOfFile, idsOf, settleApprovers } from "../../../core/site/approvers-in-force.ts";
import type { Site } from "../../../core/site/site.ts";
import type { ApprovalOutcome } from "../../../workflows/approval.ts";
import { approvalWorkflow, askApproval, reasonOption } from "../../ask-approval.ts";
import { awaitResult, requireWorkers } from "../../run-workflow.ts";
import { approverOption } from "../approver-key-option.ts";
import { askYes } from "../ask-yes.ts";
import { exitCodes } from "../exit.ts";
import { withCatalog, withOrchestrator } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { describeAct, sayAsked } from "../say-asked.ts";
import { good, say, table, utcMinute } from "../terminal.ts";

export const action: CommandAction = (input) => {
  const [id] = input.args;
  if (input.options.approvers === true) return askForApprovers(input);
  if (id === undefined) return list(input);
  if (!isApprovalId(id))
    throw new Failure("UsageInvalid", `"${id}" is not a request's id, which looks like a-3f2a9c01d2e4 (dbgov approve lists them)`);
  return approve(input, id);
};

const requestOf = async (handle: WorkflowHandle, id: string): Promise<SignedRequest> => {
  try {
    return await handle.query<SignedRequest, []>("request");
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new Failure("NameUnknown", `there is no request ${id}`, { cause: error });
    throw error;
  }
};

const openRequests = async (client: Client): Promise<SignedRequest[]> => {
  const runs = await Array.fromAsync(client.workflow.list({ query: "WorkflowType = 'approval' AND ExecutionStatus = 'Running'" }));
  return await Promise.all(
    runs.map(({ workflowId }) => requestOf(client.workflow.getHandle(workflowId), workflowId.replace("approval/", ""))),
  );
};

const list = (input: CommandInput): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    await requireWorkers(client, ["orchestrate"]);
    const requests = await openRequests(client);
    const { approvers } = await approversInForce(site);
    const nameOf = (key: string): string => approvers.find(({ id }) => id === key)?.name ?? key;
    if (input.json) {
      const rows = requests.map(({ request, by }) => {
        const { id, act, reason, expiresAt } = request;
        return { id, act, reason, by: nameOf(by.approver), expiresAt, hash: requestHash(request) };
      });
      process.stdout.write(`${JSON.stringify({ requests: rows })}\n`);
    } else if (requests.length === 0) say("nothing waits for a second person");
    else
      say(
        table(
          ["request", "asks to", "asked by", "until (UTC)", "reason"],
          requests.map(({ request, by }) => [
            ...[request.id, describeAct(request), nameOf(by.approver)],
            ...[utcMinute(request.expiresAt), request.reason],
          ]),
        ),
      );
    return exitCodes.done;
  });

const approve = (input: CommandInput, id: string): Promise<number> =>
  withOrchestrator(input, async (site, { client }) => {
    const signer = await approverOption(input);
    if (signer === undefined) throw new Failure("UsageInvalid", "approve needs --key, the file with your approver's secret");
    await requireWorkers(client, ["orchestrate", "replicate", "chain"]);
    const handle = client.workflow.getHandle(approvalWorkflow(id));
    const signed = await requestOf(handle, id);
    const { request } = signed;
    if (request.id !== id) throw new Failure("ApprovalRefused", `what waits as ${id} is another request: ${request.id}`);
    // Whoever can start workflows could have others sign what no approver asked for.
    await checkRequest(site, signed, new Date());
    // One object: what is shown is what is signed, whatever that run is replaced by meanwhile.
    const { approvers } = await approversInForce(site);
    await requireConsent(input, signed, approvers.find(({ id: key }) => key === signed.by.approver)?.name ?? signed.by.approver);
    try {
      await handle.executeUpdate("approve", { args: [await signRequest("approve", request, signer)] });
    } catch (error) {
      throw failureOfUpdate(error, id);
    }
    const { marked } = await awaitResult<ApprovalOutcome>(handle as { result(): Promise<ApprovalOutcome> }, async () => {});
    if (input.json)
      process.stdout.write(
        `${JSON.stringify({ id, act: request.act, hash: requestHash(request), done: true, ...(marked === undefined ? {} : { marked }) })}\n`,
      );
    else say(`${good("✓")} done${marked === undefined ? "" : `: ${marked} snapshots are marked, and go when their grace time is over`}`);
    return exitCodes.done;
  });

/** Shows all that is signed, and asks. Who cannot be asked must have said `--yes`. */
const requireConsent = async (input: CommandInput, { request }: SignedRequest, asker: string): Promise<void> => {
  const shown = [
    describeAct(request),
    `  request:  ${request.id} of ${request.log}`,
    `  asked by: ${asker}, at ${utcMinute(request.requestedAt)} UTC; can be approved until ${utcMinute(request.expiresAt)} UTC`,
    `  because:  ${request.reason}`,
    `  SHA-256 of what is signed: ${requestHash(request)}`,
  ].join("\n");
  if (input.options.yes === true) {
    if (!input.json) say(shown);
    return;
  }
  if (input.json || process.stdin.isTTY !== true || process.stdout.isTTY !== true)
    throw new Failure("UsageInvalid", `without a terminal nobody can be asked, so approve ${request.id} needs --yes`);
  say(shown);
  if (!(await askYes("sign this?", input.signal)))
    throw new Failure("UsageInvalid", `request ${request.id} was not signed; it still waits`);
};

const failureOfUpdate = (error: unknown, id: string): unknown => {
  if (error instanceof WorkflowNotFoundError)
    return new Failure("ApprovalRefused", `request ${id} does not wait any more`, { cause: error });
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  for (let at: unknown = error.cause; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && at.type != null && at.type in failureTypes)
      return new Failure(at.type as FailureType, at.message);
  }
  return error;
};

/** Asks for the file's list of approvers to come into force. */
const askForApprovers = (input: CommandInput): Promise<number> =>
  withCatalog(input, async (catalogSite: Site) => {
    const signer = await approverOption(input);
    if (signer === undefined) throw new Failure("UsageInvalid", "approve --approvers needs --key, the file with your approver's secret");
    const reason = reasonOption(input.options.reason, "approve --approvers");
    const { approvers, waiting } = await settleApprovers(catalogSite);
    if (!waiting) throw new Failure("UsageInvalid", "the approvers that the configuration names are in force already");
    return await withOrchestrator(input, async (site, { client }) => {
      const act = { act: "change-approvers", before: idsOf(approvers), after: idsOf(approversOfFile(site)) } as const;
      sayAsked(await askApproval(site, client, act, reason, signer), input.json);
      return exitCodes.done;
    });
  });

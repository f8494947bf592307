import type { Catalog, Queryable } from "../catalog/catalog.ts";
import { putInForce } from "../catalog/in-force.ts";
import { liftHoldIn } from "../catalog/lift-hold.ts";
import { doneBefore, markAll, replaceRules, useApproval } from "../catalog/use-approval.ts";
import { type Approval, databaseOfRequest, isShownAsIs, type SignedRequest } from "../domain/approval.ts";
import { durationMs } from "../domain/duration.ts";
import { Failure } from "../domain/failure.ts";
import { requestHash, signerOf } from "../repository/approval-signature.ts";
import type { Approver } from "../repository/approver-key.ts";
import { approversInForce, approversOfFile, approversSubject, idsOf } from "./approvers-in-force.ts";
import { rulesInForce, rulesSubject } from "./rules-in-force.ts";
import type { Site } from "./site.ts";

/** What was done: the database that it concerned, and of a deletion how many snapshots were marked. */
export interface ApprovedResult {
  readonly database: string | null;
  readonly marked?: number;
}

/** A worker's clock and a person's may differ by so much, and a step is tried again for so long. */
const lateMs = 60 * 60_000;

/** The person who asks. Throws `ApprovalRefused` for what nobody in force has signed, or is for another site, or too old. */
export const checkRequest = async (site: Site, { request, by }: SignedRequest, now: Date): Promise<Approver> => {
  const { approvers } = await approversInForce(site);
  const refuse = (why: string) => new Failure("ApprovalRefused", `request ${request.id} ${why}`);
  if (request.log !== site.loaded.config.log.origin) throw refuse(`is for ${request.log}, not for this site`);
  if (!isShownAsIs(request)) throw refuse("has control characters in its text, so that a terminal could show something else");
  const person = signerOf("ask", request, by, approvers);
  const life = Date.parse(request.expiresAt) - Date.parse(request.requestedAt);
  if (!(life > 0 && life <= durationMs(site.loaded.config.approval.within)))
    throw refuse("stands for longer than the configuration allows");
  if (Date.parse(request.requestedAt) > now.getTime() + lateMs) throw refuse("was made in the future");
  if (
    now.getTime() > Date.parse(request.expiresAt) + lateMs &&
    (await doneBefore(await site.catalog(), requestHash(request))) === undefined
  )
    throw refuse(`has expired at ${request.expiresAt}`);
  const database = databaseOfRequest(request);
  if (database !== null) site.database(database);
  return person;
};

/** Both persons. Throws `ApprovalRefused` unless they are two, and both have signed this request. */
export const checkApproval = async (site: Site, approval: Approval, now: Date): Promise<readonly [Approver, Approver]> => {
  const first = await checkRequest(site, approval, now);
  const second = signerOf("approve", approval.request, approval.approvedBy, (await approversInForce(site)).approvers);
  if (second.id === first.id || second.name === first.name)
    throw new Failure("ApprovalRefused", `request ${approval.request.id} was asked for by ${first.name}: another person must approve it`);
  return [first, second];
};

/** Does what both have signed, once. A second attempt answers as the first did, also where the first has put other approvers in force. */
export const performApproved = async (site: Site, approval: Approval, now: Date): Promise<ApprovedResult> => {
  const catalog: Catalog = await site.catalog();
  const request = requestHash(approval.request);
  const before = await doneBefore<ApprovedResult>(catalog, request);
  if (before !== undefined) return before;
  const [first, second] = await checkApproval(site, approval, now);
  const use = {
    request,
    act: approval.request.act,
    requestedBy: first.name,
    approvedBy: second.name,
    at: now,
  };
  const effect = await effectOf(site, approval, `${first.name} and ${second.name}`, now);
  return await useApproval(catalog, use, effect);
};

const effectOf = async (site: Site, { request }: Approval, by: string, now: Date): Promise<(db: Queryable) => Promise<ApprovedResult>> => {
  switch (request.act) {
    case "lift-hold":
      return async (db) => ({ database: await liftHoldIn(db, request.hold, by, now) });
    case "shorten-retention":
      return async (db) => {
        await replaceRules(db, rulesSubject(request.database), request, now);
        return { database: request.database };
      };
    case "delete-database": {
      const { rules } = await rulesInForce(site, request.database);
      const due = new Date(now.getTime() + durationMs(rules.grace));
      return async (db) => ({ database: request.database, marked: await markAll(db, request.database, now, due) });
    }
    case "change-approvers": {
      const standing = idsOf((await approversInForce(site)).approvers);
      const listed = idsOf(approversOfFile(site));
      return async (db) => {
        if (standing.join() !== [...request.before].join() || listed.join() !== [...request.after].join())
          throw new Failure("ApprovalRefused", `request ${request.id} names approvers other than those in force, or in the file`);
        await putInForce(db, approversSubject, site.loaded.config.approval.approvers, now);
        return { database: null };
      };
    }
  }
};

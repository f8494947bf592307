import type { ApprovalRequest } from "../../core/domain/approval.ts";
import { bold, good, say, utcMinute } from "./terminal.ts";

/** What comes after a request was signed by the first person. */
export const sayAsked = (request: ApprovalRequest, json: boolean): void => {
  const { id, act, expiresAt } = request;
  if (json) process.stdout.write(`${JSON.stringify({ approval: { id, act, expiresAt } })}\n`);
  else {
    say(`${good("✓")} asked for: ${describeAct(request)}`);
    say(`  another approver runs ${bold(`dbgov approve ${id} --key FILE`)} until ${utcMinute(expiresAt)} UTC`);
  }
};

/** What a request asks for, in words: what somebody reads before signing. */
export const describeAct = (request: ApprovalRequest): string => {
  switch (request.act) {
    case "lift-hold":
      return `lift hold ${request.hold}`;
    case "shorten-retention":
      return `keep less of ${request.database}: ${difference(request.before, request.after)}`;
    case "delete-database":
      return `delete every snapshot of ${request.database}`;
    case "change-approvers":
      return `change the approvers from ${request.before.join(", ") || "none"} to ${request.after.join(", ") || "none"} (ids of their keys)`;
  }
};

/** Both sets of rules are what is signed, so what is shown is made from them and from nothing else. */
const difference = (before: object, after: object): string => {
  const [from, to] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const rules = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((rule) => from[rule] !== to[rule]);
  return rules.map((rule) => `${rule} ${from[rule] ?? "none"} → ${to[rule] ?? "none"}`).join(", ");
};

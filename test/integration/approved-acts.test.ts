import assert from "node:assert/strict";
import { test } from "node:test";
import { readInForce, writeInForce } from "../../core/catalog/in-force.ts";
import type { Approval, ApprovalRequest, DangerousAct } from "../../core/domain/approval.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { signRequest } from "../../core/repository/approval-signature.ts";
import { approverOf, approverSigner, generateApprover } from "../../core/repository/approver-key.ts";
import { checkRequest, performApproved } from "../../core/site/approved-acts.ts";
import { approversSubject } from "../../core/site/approvers-in-force.ts";
import type { Site } from "../../core/site/site.ts";
import { exampleConfig } from "../sample/example-config.ts";
import { createCatalog } from "./catalog-database.ts";

const { catalog } = await createCatalog();
const names = ["alice", "bob", "carol", "dave"] as const;
const keys = Object.fromEntries(names.map((name) => [name, generateApprover()])) as Record<
  (typeof names)[number],
  ReturnType<typeof generateApprover>
>;
const listOf = (...persons: readonly (typeof names)[number][]) => persons.map((name) => ({ name, publicKey: keys[name].publicText }));
const idsOf = (list: ReturnType<typeof listOf>): string[] => list.map((one) => approverOf(one).id).sort();

/** A site whose file names these approvers. */
const siteOf = (approvers: ReturnType<typeof listOf>): Site =>
  ({
    loaded: { config: { ...exampleConfig, approval: { approvers, within: "1h" } } },
    catalog: async () => catalog,
    database: (name: string) => ({ name }),
  }) as unknown as Site;

let count = 0;
const requestOf = (act: DangerousAct, now: Date, more: Partial<ApprovalRequest> = {}): ApprovalRequest => {
  count += 1;
  const expiresAt = new Date(now.getTime() + 3_600_000).toISOString();
  const id = `a-${String(count).padStart(12, "0")}`;
  return {
    ...act,
    id,
    log: exampleConfig.log.origin,
    reason: "agreed",
    requestedAt: now.toISOString(),
    expiresAt,
    ...more,
  } as ApprovalRequest;
};
const signed = async (request: ApprovalRequest, first: (typeof names)[number], second: (typeof names)[number]): Promise<Approval> => ({
  request,
  by: await signRequest("ask", request, approverSigner(keys[first].secretText)),
  approvedBy: await signRequest("approve", request, approverSigner(keys[second].secretText)),
});
const refused = (words: RegExp) => (error: unknown) => isFailure(error, "ApprovalRefused") && words.test(error.message);

test("an act is done once, and its second attempt answers as the first, although those who signed are approvers no more", async () => {
  const [before, after] = [listOf("alice", "bob"), listOf("carol", "dave")];
  await writeInForce(catalog, approversSubject, before, new Date());
  const site = siteOf(after);
  const now = new Date();
  const change = { act: "change-approvers", before: idsOf(before), after: idsOf(after) } as const;
  const approval = await signed(requestOf(change, now), "alice", "bob");
  await assert.rejects(performApproved(site, { ...approval, approvedBy: approval.by }, now), refused(/signature is not one of/));
  assert.deepEqual(await performApproved(site, approval, now), { database: null });
  assert.deepEqual(await readInForce(catalog, approversSubject), after);
  assert.deepEqual(await performApproved(site, approval, now), { database: null }, "as after a worker that was lost in between");
  // Neither undoes what was agreed on since, nor is anything new taken from the two.
  await writeInForce(catalog, approversSubject, before, new Date());
  assert.deepEqual(await performApproved(site, approval, now), { database: null });
  assert.deepEqual(await readInForce(catalog, approversSubject), before);
  await writeInForce(catalog, approversSubject, after, new Date());
  const another = await signed(requestOf({ act: "lift-hold", hold: "h-1" }, now), "alice", "bob");
  await assert.rejects(performApproved(site, another, now), refused(/is no approver's/));
});

test("one person is not two, and what has ended, is too long or is another site's is refused", async () => {
  const list = listOf("alice", "bob");
  await writeInForce(catalog, approversSubject, list, new Date());
  const site = siteOf(list);
  const now = new Date();
  const lift = { act: "lift-hold", hold: "h-1" } as const;
  const request = requestOf(lift, now);
  await assert.rejects(performApproved(site, await signed(request, "alice", "alice"), now), refused(/another person must approve/));
  const cases: [Partial<ApprovalRequest>, RegExp][] = [
    [{ log: "another.example/log" }, /not for this site/],
    [{ expiresAt: new Date(now.getTime() + 2 * 3_600_000).toISOString() }, /longer than/],
    [{ expiresAt: "never" }, /longer than/],
    [{ reason: "\u001b[2K\u001b[1Alift hold h-2" }, /control characters/],
    [{ reason: "\u202e1-h dloh tfil" }, /control characters/],
  ];
  for (const [altered, words] of cases)
    await assert.rejects(checkRequest(site, await signed(requestOf(lift, now, altered), "alice", "bob"), now), refused(words));
  const approval = await signed(request, "alice", "bob");
  await assert.rejects(checkRequest(site, approval, new Date(now.getTime() + 3 * 3_600_000)), refused(/has expired/));
  await assert.rejects(checkRequest(site, approval, new Date(now.getTime() - 2 * 3_600_000)), refused(/in the future/));
});

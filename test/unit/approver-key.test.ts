import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ApprovalRequest } from "../../core/domain/approval.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { requestHash, signerOf, signRequest } from "../../core/repository/approval-signature.ts";
import { approverOf, approverSigner, generateApprover, parseApproverKey } from "../../core/repository/approver-key.ts";
import { createApproverKey } from "../../core/site/create-approver-key.ts";

const folder = await mkdtemp(join(tmpdir(), "dbgov-approver-"));
after(() => rm(folder, { recursive: true }));

const request: ApprovalRequest = {
  ...{ act: "lift-hold", hold: "h-1", id: "a-0123456789ab", log: "acme.example/dbgov", reason: "closed" },
  ...{ requestedAt: "2026-11-24T02:15:00.000Z", expiresAt: "2026-11-25T02:15:00.000Z" },
};
const refused = (error: unknown): boolean => isFailure(error, "ApprovalRefused");

test("a person's key is a file that only they can read, and is never replaced", async () => {
  const { path, publicText } = await createApproverKey(folder, "alice");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const secret = await readFile(path, "utf8");
  const signer = approverSigner(secret);
  const alice = approverOf({ name: "alice", publicKey: publicText });
  assert.deepEqual([alice.id, Buffer.from(alice.publicKey)], [signer.keyId, Buffer.from(signer.publicKey)]);
  await assert.rejects(createApproverKey(folder, "alice"), (error) => isFailure(error, "UsageInvalid"));
  assert.equal(await readFile(path, "utf8"), secret);
  // The two texts are not taken for each other, nor anything else for one of them.
  for (const text of [secret, "", "dbgov-approver-1:", `${publicText}AA`]) assert.equal(parseApproverKey(text), undefined);
  for (const text of [publicText, "", "dbgov-approver-secret-1:AAAA"])
    assert.throws(
      () => approverSigner(text),
      (error) => isFailure(error, "WrongKey"),
    );
});

test("a signature is of one person, for one request, and either asks or approves", async () => {
  const [a, b, stranger] = [generateApprover(), generateApprover(), generateApprover()];
  const approvers = [approverOf({ name: "alice", publicKey: a.publicText }), approverOf({ name: "bob", publicKey: b.publicText })];
  const alice = approverSigner(a.secretText);
  const asked = await signRequest("ask", request, alice);
  assert.equal(signerOf("ask", request, asked, approvers).name, "alice");
  const reordered = Object.fromEntries(Object.entries(request).reverse()) as unknown as ApprovalRequest;
  assert.equal(signerOf("ask", reordered, asked, approvers).name, "alice", "the order of its fields says nothing");
  assert.equal(requestHash(reordered), requestHash(request));

  assert.throws(() => signerOf("approve", request, asked, approvers), refused);
  assert.throws(() => signerOf("ask", request, { ...asked, approver: b.id }, approvers), refused);
  assert.throws(() => signerOf("ask", request, asked, approvers.slice(1)), refused);
  for (const [field, value] of Object.entries({
    hold: "h-2",
    id: "a-ffffffffffff",
    log: "other.example/log",
    reason: "x",
    expiresAt: "2099-01-01T00:00:00.000Z",
  }))
    assert.throws(() => signerOf("ask", { ...request, [field]: value } as ApprovalRequest, asked, approvers), refused, field);
  const forged = await signRequest("ask", request, approverSigner(stranger.secretText));
  assert.throws(() => signerOf("ask", request, forged, approvers), refused);
  assert.throws(() => signerOf("ask", request, { ...forged, approver: a.id }, approvers), refused);
  for (const signature of ["", "AA", "not base64", Buffer.alloc(64).toString("base64")])
    assert.throws(() => signerOf("ask", request, { approver: a.id, signature }, approvers), refused);
});

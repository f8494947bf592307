import { createHash } from "node:crypto";
import type { ApprovalRequest, ApprovalSignature } from "../domain/approval.ts";
import { Failure } from "../domain/failure.ts";
import type { Approver } from "./approver-key.ts";
import { canonicalBytes } from "./canonical-json.ts";
import { type Signer, verifySignature } from "./signing.ts";

/** What asking and approving sign. Different words, so that one is never taken for the other. */
const words = { ask: "dbgov-1/approval-asked\0", approve: "dbgov-1/approval-given\0" } as const;
export type SigningPurpose = keyof typeof words;

const messageOf = (purpose: SigningPurpose, request: ApprovalRequest): Uint8Array =>
  Buffer.concat([Buffer.from(words[purpose]), canonicalBytes(request)]);

/** SHA-256 of the request, as hex: its name in the log and in the catalog. */
export const requestHash = (request: ApprovalRequest): string => createHash("sha256").update(canonicalBytes(request)).digest("hex");

export const signRequest = async (purpose: SigningPurpose, request: ApprovalRequest, signer: Signer): Promise<ApprovalSignature> => ({
  approver: signer.keyId,
  signature: Buffer.from(await signer.sign(messageOf(purpose, request))).toString("base64"),
});

/** The approver whose key made the signature. Throws `ApprovalRefused` when none of them did. */
export const signerOf = (
  purpose: SigningPurpose,
  request: ApprovalRequest,
  { approver, signature }: ApprovalSignature,
  approvers: readonly Approver[],
): Approver => {
  const person = approvers.find(({ id }) => id === approver);
  if (person === undefined) throw new Failure("ApprovalRefused", `request ${request.id}: key ${approver} is no approver's`);
  if (!verifySignature(person.publicKey, messageOf(purpose, request), Buffer.from(signature, "base64")))
    throw new Failure("ApprovalRefused", `request ${request.id}: the signature is not one of key ${approver}`);
  return person;
};

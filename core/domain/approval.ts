import type { RetentionRules } from "./retention-rules.ts";

/** Acts that need two persons: each signs the same request, and the act is done only with both signatures. Pure data. */

export type DangerousAct =
  | { readonly act: "lift-hold"; readonly hold: string }
  | { readonly act: "shorten-retention"; readonly database: string; readonly before: RetentionRules; readonly after: RetentionRules }
  | { readonly act: "delete-database"; readonly database: string }
  /** Ids of the approvers' keys, sorted. */
  | { readonly act: "change-approvers"; readonly before: readonly string[]; readonly after: readonly string[] };

export type ApprovalRequest = DangerousAct & {
  /** `a-` and 12 hex digits: no two requests are the same. */
  readonly id: string;
  /** The log's origin: a request for one site is none for another. */
  readonly log: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly requestedAt: string;
  readonly expiresAt: string;
};

export interface ApprovalSignature {
  /** The id of the approver's key. */
  readonly approver: string;
  /** Base64, of Ed25519. */
  readonly signature: string;
}

export interface SignedRequest {
  readonly request: ApprovalRequest;
  readonly by: ApprovalSignature;
}

/** Signed by two. */
export interface Approval extends SignedRequest {
  readonly approvedBy: ApprovalSignature;
}

/**
 * Whether all of the request's text is shown as it is: no control characters, which a terminal obeys, nor such as turn the direction of
 * what follows. Who asks could otherwise have the second person read something else than what they sign.
 */
export const isShownAsIs = (request: ApprovalRequest): boolean => !textsOf(request).some((text) => /[\p{Cc}\p{Bidi_Control}]/u.test(text));

const textsOf = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.entries(value).flat().flatMap(textsOf) : [];
};

export const isApprovalId = (text: string): boolean => /^a-[0-9a-f]{12}$/.test(text);

/** The database that a request concerns, if it is one. */
export const databaseOfRequest = (request: DangerousAct): string | null => ("database" in request ? request.database : null);

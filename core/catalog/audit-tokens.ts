import { type Catalog, query } from "./catalog.ts";
import type { Instant } from "./records.ts";

/** What an auditor may ask for. Null is everything, also what comes later. */
export interface AuditScope {
  readonly databases: readonly string[] | null;
  readonly kinds: readonly string[] | null;
}

export interface AuditToken extends AuditScope {
  readonly id: string;
  readonly auditor: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
}

const columns = `id, auditor, databases, kinds, created_at AS "createdAt", expires_at AS "expiresAt", revoked_at AS "revokedAt"`;

/** `hash` is SHA-256 of the token, 32 bytes. */
export const recordAuditToken = async (
  catalog: Catalog,
  token: AuditScope & {
    readonly id: string;
    readonly auditor: string;
    readonly hash: Uint8Array;
    readonly createdAt: Instant;
    readonly expiresAt: Instant;
  },
): Promise<void> => {
  await query(
    catalog,
    `recording the audit token ${token.id}`,
    `INSERT INTO dbgov.audit_token (id, auditor, hash, databases, kinds, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [token.id, token.auditor, Buffer.from(token.hash), token.databases, token.kinds, token.createdAt, token.expiresAt],
  );
};

/** Newest first. */
export const listAuditTokens = (catalog: Catalog): Promise<AuditToken[]> =>
  query<AuditToken>(catalog, "listing the audit tokens", `SELECT ${columns} FROM dbgov.audit_token ORDER BY created_at DESC, id`);

/** From now on it opens nothing. Whether there is such a token; one that was revoked before stays revoked at that time. */
export const revokeAuditToken = async (catalog: Catalog, id: string, at: Instant): Promise<boolean> => {
  const rows = await query(
    catalog,
    `revoking the audit token ${id}`,
    "UPDATE dbgov.audit_token SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING 1",
    [id, at],
  );
  return rows.length > 0;
};

/** The token with this hash that is valid at `at`, one more request of `route` counted for it; undefined when there is none. */
export const admitRequest = async (catalog: Catalog, hash: Uint8Array, route: string, at: Date): Promise<AuditToken | undefined> => {
  const [token] = await query<AuditToken>(
    catalog,
    "looking up an audit token",
    `WITH token AS (
       SELECT ${columns} FROM dbgov.audit_token WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $3
     ), counted AS (
       INSERT INTO dbgov.audit_access AS a (day, token, route, requests)
       SELECT ($3::timestamptz AT TIME ZONE 'UTC')::date, id, $2, 1 FROM token
       ON CONFLICT (day, summary, token, route) DO UPDATE SET requests = a.requests + 1
     )
     SELECT * FROM token`,
    [Buffer.from(hash), route, at],
  );
  return token;
};

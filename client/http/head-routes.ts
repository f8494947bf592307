import type { FastifyInstance } from "fastify";
import { pageAnchors, pageTimestamps } from "../../core/catalog/page-attestations.ts";
import { pageCheckpoints } from "../../core/catalog/page-checkpoints.ts";
import { toBase64 } from "../../core/ledger/verify/bytes.ts";
import { toHex } from "../../core/ledger/verify/hash.ts";
import { schemas } from "./api-schemas.ts";
import type { AuditPlace } from "./audit-api.ts";
import { explorerLinks } from "./explorers.ts";

interface Page {
  readonly after: number;
  readonly limit: number;
}

/** The log's heads: as published, how one follows from another, and who attests them from outside. Every token may see them. */
export const addHeadRoutes = (app: FastifyInstance, { site, log }: AuditPlace): void => {
  const { origin } = site.loaded.config.log;

  app.get(
    "/v1/scope",
    { schema: { summary: "What the token may see", response: { 200: schemas.scope.response } } },
    ({ auditToken: { auditor, databases, kinds, expiresAt } }) => Promise.resolve({ origin, auditor, databases, kinds, expiresAt }),
  );

  app.get<{ Querystring: Page }>(
    "/v1/checkpoints",
    {
      schema: {
        summary: "Published checkpoints",
        querystring: schemas.checkpoints.querystring,
        response: { 200: schemas.checkpoints.response },
      },
    },
    async ({ query: { after, limit } }) => {
      const checkpoints = await pageCheckpoints(await site.catalog(), origin, after, limit);
      return { checkpoints, next: checkpoints.length < limit ? null : checkpoints.at(-1)!.size };
    },
  );

  app.get<{ Querystring: { from: number; to: number } }>(
    "/v1/consistency",
    {
      schema: {
        summary: "The proof that the log of one size begins with the log of another",
        querystring: schemas.consistency.querystring,
        response: { 200: schemas.consistency.response },
      },
    },
    async ({ query: { from, to } }) => ({ from, to, proof: (await (await log()).consistencyProof(from, to)).map(toHex) }),
  );

  app.get<{ Querystring: Page }>(
    "/v1/anchors",
    {
      schema: {
        summary: "Checkpoints that are final on a chain, with links to public explorers",
        querystring: schemas.anchors.querystring,
        response: { 200: schemas.anchors.response },
      },
    },
    async ({ query: { after, limit } }) => {
      const rows = await pageAnchors(await site.catalog(), after, limit);
      return { anchors: rows.map((one) => ({ ...one, explorer: explorerLinks(one) })), next: nextAfter(rows, limit) };
    },
  );

  app.get<{ Querystring: Page }>(
    "/v1/timestamps",
    {
      schema: {
        summary: "Tokens of time-stamping authorities",
        querystring: schemas.timestamps.querystring,
        response: { 200: schemas.timestamps.response },
      },
    },
    async ({ query: { after, limit } }) => {
      const rows = await pageTimestamps(await site.catalog(), after, limit);
      return { timestamps: rows.map(({ token, ...one }) => ({ ...one, token: toBase64(token) })), next: nextAfter(rows, limit) };
    },
  );
};

/** Several rows may be of one size; a page has all that are of its last one, so that the next begins after it. */
const nextAfter = (rows: readonly { readonly size: number }[], limit: number): number | null =>
  rows.length < limit ? null : rows.at(-1)!.size;

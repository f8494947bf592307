import type { FastifyInstance } from "fastify";
import { type AuditToken, admitRequest } from "../../core/catalog/audit-tokens.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { Site } from "../../core/site/site.ts";
import { refuse } from "./api-errors.ts";
import { hashAuditToken, isAuditToken } from "./audit-token.ts";

declare module "fastify" {
  interface FastifyRequest {
    auditToken: AuditToken;
  }
}

/** How many requests with a wrong token one address may make in a minute. */
const mostWrongTokens = 30;

/**
 * Lets in who shows a valid token, and counts the request for it. The catalog is asked each time, so that a token which is revoked opens nothing
 * from that moment. An address that shows wrong ones is told to wait; a right one from there is let in, since many may sit behind one proxy.
 */
export const requireToken = (app: FastifyInstance, site: Site): void => {
  app.decorateRequest("auditToken", null as unknown as AuditToken);
  const wrongTokens = app.createRateLimit({ max: mostWrongTokens, timeWindow: 60_000, keyGenerator: ({ ip }) => `wrong ${ip}` });
  app.addHook("onRequest", async (request, reply) => {
    const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const route = `${request.method} ${request.routeOptions.url}`;
    const token =
      shown !== undefined && isAuditToken(shown)
        ? await admitRequest(await site.catalog(), hashAuditToken(shown), route, new Date())
        : undefined;
    if (token !== undefined) {
      request.auditToken = token;
      return;
    }
    const held = await wrongTokens(request);
    if (!held.isAllowed && held.isExceeded) {
      const failure = new Failure("AuditUnreachable", `too many requests with a wrong token: ask again in ${held.ttlInSeconds} s`);
      return refuse(reply.header("retry-after", held.ttlInSeconds), failure, 429);
    }
    const why = shown === undefined ? "no token was shown (Authorization: Bearer …)" : "the token is unknown, expired or revoked";
    return refuse(reply.header("www-authenticate", "Bearer"), new Failure("TokenRejected", why));
  });
};

import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import { type FastifyInstance, fastify } from "fastify";
import { type Log, openLog } from "../../core/ledger/log.ts";
import type { Site } from "../../core/site/site.ts";
import { answerErrors } from "./api-errors.ts";
import { failed } from "./api-schemas.ts";
import { requireToken } from "./authorize.ts";
import { docsPage, type OpenApi } from "./docs-page.ts";
import { addEntryRoutes } from "./entry-routes.ts";
import { addHeadRoutes } from "./head-routes.ts";
import { addTileRoutes } from "./tile-routes.ts";

/** What the routes answer from. */
export interface AuditPlace {
  readonly site: Site;
  /** The log at its published head, which is at most a second old. */
  log(): Promise<Log>;
  readonly signal: AbortSignal;
}

const freshForMs = 1_000;

const description =
  "Reads the log for auditors, and writes nothing. Each answer carries its proofs, so it need not be believed: `dbgov audit query` checks " +
  "them against a trust policy. Requests need a token: Authorization: Bearer TOKEN.";

/** The audit API, not listening yet. `perMinute` is how many requests one token may make. */
export const buildAuditApi = async (site: Site, perMinute: number, signal: AbortSignal): Promise<FastifyInstance> => {
  const app = fastify({ logger: false, routerOptions: { maxParamLength: 200 }, bodyLimit: 1, forceCloseConnections: true });
  answerErrors(app);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "dbgov audit API", description, version: "1" },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
  });
  const place: AuditPlace = { site, log: await freshLog(site, signal), signal };
  await app.register(async (read) => {
    await read.register(rateLimit, {
      max: perMinute,
      timeWindow: 60_000,
      // After the token is known.
      hook: "preHandler",
      keyGenerator: ({ auditToken }) => auditToken.id,
      errorResponseBuilder: (_, { max, after, statusCode }) =>
        Object.assign(new Error(`a token may make ${max} requests a minute: ask again in ${after}`), { statusCode }),
    });
    requireToken(read, site);
    read.addHook("onRoute", ({ schema = {} }) => {
      schema.response = { ...(schema.response as object | undefined), "4xx": failed, "5xx": failed };
    });
    addEntryRoutes(read, place);
    addHeadRoutes(read, place);
    addTileRoutes(read, place);
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => Promise.resolve(app.swagger()));
  app.get("/docs", { schema: { hide: true } }, (_, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(docsPage(app.swagger() as OpenApi)),
  );
  await app.ready();
  return app;
};

/** One view of the log for all requests, brought up to date when it is a second old; whoever asks meanwhile waits for the same. */
const freshLog = async (site: Site, signal: AbortSignal): Promise<() => Promise<Log>> => {
  const { origin, store } = site.loaded.config.log;
  const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner(), signal });
  let seenAt = Date.now();
  let looking: Promise<void> | undefined;
  return async () => {
    if (Date.now() - seenAt > freshForMs) {
      looking ??= log
        .refresh()
        .then(() => {
          seenAt = Date.now();
        })
        .finally(() => {
          looking = undefined;
        });
      await looking;
    }
    return log;
  };
};

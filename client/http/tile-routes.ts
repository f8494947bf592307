import type { FastifyInstance } from "fastify";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { type TileName, tileKey, tileWidth, widthOf } from "../../core/ledger/tiles.ts";
import type { AuditPlace } from "./audit-api.ts";

/**
 * The log as https://c2sp.org/tlog-tiles has it, under `/log`: other tools read it with the token in their header. Hashes are for every
 * token, since entries are salted; bundles of entries only for one that may see all.
 */
export const addTileRoutes = (app: FastifyInstance, { site, log, signal }: AuditPlace): void => {
  app.get("/log/checkpoint", { schema: { summary: "The newest checkpoint, a signed note", produces: ["text/plain"] } }, async (_, reply) =>
    reply
      .type("text/plain; charset=utf-8")
      .header("cache-control", "no-cache")
      .send((await log()).checkpoint().note),
  );

  app.get<{ Params: { "*": string } }>(
    "/log/tile/*",
    { schema: { summary: "A tile, as 0/x001/234 or entries/000.p/17", produces: ["application/octet-stream"] } },
    async ({ params, auditToken: { databases, kinds } }, reply) => {
      const name = tileNamed(params["*"]);
      const published = (await log()).size;
      const width = name === undefined ? 0 : widthOf(published, name.level === "entries" ? 0 : name.level, name.index);
      if (name === undefined || name.width > width) throw noSuchTile();
      if (name.level === "entries" && (databases !== null || kinds !== null)) {
        throw new Failure("NameUnknown", "bundles of entries are for tokens that may see all databases and all kinds");
      }
      const store = await site.store(site.loaded.config.log.store);
      // A partial tile that a wider one has replaced is gone.
      const bytes = await store.get(tileKey(name), signal).catch((error: unknown) => {
        throw isFailure(error, "ObjectMissing") && name.width < tileWidth ? noSuchTile() : error;
      });
      return reply
        .type("application/octet-stream")
        .header("cache-control", "private, immutable, max-age=31536000")
        .send(Buffer.from(bytes));
    },
  );
};

const noSuchTile = (): Failure => new Failure("NameUnknown", "the log has no such tile");

const tileNamed = (path: string): TileName | undefined => {
  const match = /^(entries|[0-5])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level, index, width] = match as unknown as [string, string, string, string | undefined];
  const name: TileName = {
    level: level === "entries" ? "entries" : Number(level),
    index: Number(index.replaceAll(/[x/]/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  // Only the one spelling that there is.
  return name.width <= tileWidth && tileKey(name) === `log/tile/${path}` ? name : undefined;
};

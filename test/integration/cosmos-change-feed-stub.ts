import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type PartitionKey, partitionKeyOf } from "../../core/databases/cosmos/documents.ts";
import { memberOf } from "../../core/databases/cosmos/json-text.ts";
import { type Answer, countDocuments, list, readFeed } from "./cosmos-stub-feed.ts";
import { newContainer, putDocument, rangeText, type StubContainer, type StubDatabase } from "./cosmos-stub-state.ts";

/**
 * A stub of what the emulator lacks, written from Microsoft's REST reference: the change feed ("List (ReadFeed) Documents":
 * `A-IM: Incremental feed`, `If-None-Match`, 304 and `etag`), keys that are checked ("Access control"), several partitions that
 * can be split (410 with 1002), hierarchical partition keys, scripts, throughput (`offers`), session tokens, quota, and documents
 * whose digits stay as they are. It knows the requests that dbgov and Microsoft's client send in the tests, and no query language.
 */
export interface CosmosStub {
  readonly endpoint: string;
  readonly key: string;
  readonly databases: ReadonlyMap<string, StubDatabase>;
  container(database: string, id: string): StubContainer;
  /** Milliseconds since 1970 that it takes for the present time. */
  clock: number;
  /** Called before each request is answered; a number is the status that it answers instead. */
  before: (request: {
    readonly method: string;
    readonly segments: readonly string[];
    readonly headers: IncomingMessage["headers"];
  }) => number | undefined;
  /** The most RU/s that a container or database may be created with. */
  throughputLimit: number;
  /** How many containers may share a database's throughput. */
  sharedAtMost: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StubOptions {
  readonly partitions?: number;
}

const members = {
  dbs: "Databases",
  colls: "DocumentCollections",
  sprocs: "StoredProcedures",
  triggers: "Triggers",
  udfs: "UserDefinedFunctions",
} as const;
const notFound: Answer = { status: 404, body: { code: "NotFound", message: "Resource Not Found. ActivityId: 1" } };

export async function openCosmosStub({ partitions = 1 }: StubOptions = {}): Promise<CosmosStub> {
  const databases = new Map<string, StubDatabase>();
  const key = randomBytes(64).toString("base64");
  const server: Server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const stub: CosmosStub = {
    endpoint,
    key,
    databases,
    container: (database, id) => databases.get(database)!.containers.get(id)!,
    clock: Date.now(),
    before: () => undefined,
    throughputLimit: 1_000,
    sharedAtMost: 25,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const segments = new URL(request.url ?? "/", endpoint).pathname
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
    const { method = "", headers } = request;
    const instead = stub.before({ method, segments, headers });
    let answer: Answer;
    if (instead !== undefined) answer = { status: instead, body: {}, headers: { "x-ms-retry-after-ms": "1" } };
    else if (!isSigned(method, segments, headers))
      answer = { status: 401, body: { code: "Unauthorized", message: "The input authorization token can't serve the request." } };
    else answer = answerTo(method, segments, headers, Buffer.concat(chunks));
    const body =
      answer.body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(JSON.stringify(answer.body));
    response.writeHead(answer.status, {
      "content-type": "application/json",
      date: new Date(stub.clock).toUTCString(),
      "x-ms-request-charge": "1",
      "x-ms-serviceversion": "version=2.14.0.0",
      ...answer.headers,
    });
    response.end(answer.status === 304 ? undefined : body);
  }

  /** The signature, computed anew from the reference's words. */
  function isSigned(method: string, segments: readonly string[], headers: IncomingMessage["headers"]): boolean {
    const feed = segments.length % 2 === 1;
    const type = (feed ? segments.at(-1) : segments.at(-2)) ?? "";
    const link = (feed ? segments.slice(0, -1) : segments).join("/");
    const text = [method.toLowerCase(), type.toLowerCase(), link, String(headers["x-ms-date"]).toLowerCase(), "", ""].join("\n");
    const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
    return decodeURIComponent(headers.authorization ?? "") === `type=master&ver=1.0&sig=${signature}`;
  }

  function answerTo(method: string, segments: readonly string[], headers: IncomingMessage["headers"], body: Buffer): Answer {
    const [, databaseId, , containerId, kind, itemId] = segments;
    if (segments.length === 0)
      return {
        status: 200,
        body: {
          _dbs: "//dbs/",
          readableLocations: [],
          writableLocations: [],
          userConsistencyPolicy: { defaultConsistencyLevel: "Session" },
        },
      };
    if (segments[0] === "offers") return { status: 200, body: { Offers: offers() } };
    if (databaseId === undefined)
      return method === "POST"
        ? createDatabase(body, headers)
        : list(
            members.dbs,
            [...databases].map(([id, { rid }]) => ({ id, _rid: rid })),
          );
    const database = databases.get(databaseId);
    if (database === undefined) return notFound;
    if (segments.length === 2) {
      if (method === "DELETE") databases.delete(databaseId);
      return method === "DELETE" ? { status: 204 } : { status: 200, body: { id: databaseId, _rid: database.rid } };
    }
    if (containerId === undefined)
      return method === "POST"
        ? createContainer(database, body, headers)
        : list(members.colls, [...database.containers.values()].map(described));
    const container = database.containers.get(containerId);
    if (container === undefined) return notFound;
    if (kind === undefined) return ofContainer(method, database, containerId, container, body);
    if (kind === "pkranges")
      return list(
        "PartitionKeyRanges",
        container.ranges.map((range) => rangeText(range, container.ranges.length)),
      );
    if (kind === "docs") return ofDocuments(method, container, headers, body, itemId);
    const scripts = container.scripts.get(kind) ?? new Map<string, Buffer>();
    container.scripts.set(kind, scripts);
    if (method === "GET") return list(members[kind as "udfs"], [...scripts.values()]);
    scripts.set(idIn(body), body);
    return { status: 201, body };
  }

  function ofContainer(method: string, database: StubDatabase, id: string, container: StubContainer, body: Buffer): Answer {
    if (method === "DELETE") database.containers.delete(id);
    if (method === "PUT") container.text = body;
    const usage = [...container.documents.values()].reduce((sum, { text }) => sum + text.length, 0);
    return method === "DELETE"
      ? { status: 204 }
      : {
          status: 200,
          body: described(container),
          headers: { "x-ms-resource-usage": `documentsSize=${Math.ceil(usage / 1_024)};documentsCount=${container.documents.size};` },
        };
  }

  function createDatabase(body: Buffer, headers: IncomingMessage["headers"]): Answer {
    const id = idIn(body);
    const throughput = throughputIn(headers);
    if (throughput === "refused") return refusedThroughput;
    if (databases.has(id)) return { status: 409, body: { message: "exists" } };
    databases.set(id, { rid: `db-${randomBytes(4).toString("hex")}`, containers: new Map(), throughput });
    return { status: 201, body: { id, _rid: databases.get(id)!.rid } };
  }

  function createContainer(database: StubDatabase, body: Buffer, headers: IncomingMessage["headers"]): Answer {
    const throughput = throughputIn(headers);
    if (throughput === "refused") return refusedThroughput;
    const sharing = [...database.containers.values()].filter((each) => each.throughput === undefined).length;
    if (database.throughput !== undefined && throughput === undefined && sharing >= stub.sharedAtMost) return tooManyShare;
    const container = newContainer(`coll-${randomBytes(4).toString("hex")}`, body, partitions, throughput);
    database.containers.set(idIn(body), container);
    return { status: 201, body: described(container) };
  }

  function throughputIn(headers: IncomingMessage["headers"]): object | undefined | "refused" {
    const manual = Number(headers["x-ms-offer-throughput"] ?? 0);
    const automatic = headers["x-ms-cosmos-offer-autopilot-settings"];
    const most = automatic === undefined ? manual : (JSON.parse(String(automatic)) as { maxThroughput: number }).maxThroughput;
    if (most > stub.throughputLimit) return "refused";
    if (automatic !== undefined) return { offerThroughput: most / 10, offerAutopilotSettings: { maxThroughput: most } };
    return manual > 0 ? { offerThroughput: manual } : undefined;
  }

  function offers(): object[] {
    const all = [...databases.values()].flatMap(({ rid, throughput, containers }) => [{ rid, throughput }, ...containers.values()]);
    return all.flatMap(({ rid, throughput }) =>
      throughput === undefined ? [] : [{ offerResourceId: rid, offerVersion: "V2", content: throughput }],
    );
  }

  function ofDocuments(
    method: string,
    container: StubContainer,
    headers: IncomingMessage["headers"],
    body: Buffer,
    id: string | undefined,
  ): Answer {
    const partitionKey = String(headers["x-ms-documentdb-partitionkey"] ?? "");
    if (id !== undefined) {
      const key = `${partitionKey}\n${JSON.stringify(id)}`;
      const found = container.documents.get(key);
      if (found === undefined) return notFound;
      if (method === "DELETE") container.documents.delete(key);
      return method === "DELETE" ? { status: 204 } : { status: 200, body: found.text };
    }
    if (headers["content-type"] === "application/query+json") return countDocuments(container, headers, body);
    if (method === "GET") return readFeed(container, headers);
    const expected = partitionKeyOf(body, JSON.parse(memberOf(container.text, "partitionKey")!.toString()) as PartitionKey);
    if (expected !== partitionKey)
      return {
        status: 400,
        body: { message: "PartitionKey extracted from document doesn't match the one specified in the header" },
        headers: { "x-ms-substatus": "1001" },
      };
    const { created, document } = putDocument(container, body, partitionKey, stub.clock);
    return { status: created ? 201 : 200, body: document.text, headers: { "x-ms-session-token": `${document.range}:-1#${container.lsn}` } };
  }
}

const tooManyShare: Answer = { status: 400, body: { message: "The number of containers in a shared throughput database exceeds 25." } };
const refusedThroughput: Answer = {
  status: 403,
  body: { message: "Your account is currently configured with a total throughput limit of 1000 RU/s." },
};
const idIn = (body: Buffer): string => (JSON.parse(body.toString()) as { id: string }).id;
const described = ({ text, rid }: StubContainer): Buffer =>
  Buffer.from(`${text.toString().slice(0, -1)},"_rid":${JSON.stringify(rid)},"_ts":1,"_self":"s","_etag":"e","_docs":"docs/"}`);

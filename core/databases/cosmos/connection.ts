import { createHash } from "node:crypto";
import { Failure } from "../../domain/failure.ts";
import { type Address, parseAddress } from "./address.ts";
import { exchange, type Reply, type Request } from "./exchange.ts";
import { cosmosFailure, isMissing } from "./failures.ts";
import type { Budget } from "./request-units.ts";
import { openSessions, type Sessions } from "./sessions.ts";
import { perSecondOf, readThroughput, type Throughput } from "./throughput.ts";

/** A database of an account. There is nothing to close: each request stands for itself. */
export interface Connection {
  readonly address: Address;
  /** By `_rid`; undefined where the server has no throughput settings. */
  readonly throughput: ReadonlyMap<string, Throughput> | undefined;
  /** The database's own `_rid`; undefined while it does not exist. */
  readonly rid: string | undefined;
  readonly serverVersion: string;
  /** By the server's clock, milliseconds since 1970; undefined where it does not say. */
  readonly openedAt: number | undefined;
  readonly sessions: Sessions;
  /** What may be spent on a container, of which `fraction` is one partition's share; without a `_rid`, on the database. */
  budget(rid?: string, partition?: { readonly id: string; readonly fraction: number }): Budget;
  /** Creates the database itself. */
  createDatabase(headers: Record<string, string>, signal: AbortSignal): Promise<Reply>;
  /** The headers of a read of one partition: by a replica that has seen at least what was seen of it before. */
  headersFor(container: string, range: string): Record<string, string>;
  /** Sends a request below the database: `resource` begins with `colls` or is empty. */
  send(request: Request, budget: Budget, signal: AbortSignal): Promise<Reply>;
}

/** What is assumed where the server does not tell: the free tier's. */
const provisionedOtherwise = 1_000;
/** A charge comes late, so a little is kept back for the last one of each second. */
const kept = 0.9;

/** Finds the database that `url` names; `DatabaseMissing` when there is none, unless that is said to be no matter. */
export async function connect(
  url: string,
  signal: AbortSignal,
  { mayBeMissing = false, waiting }: { readonly mayBeMissing?: boolean; readonly waiting?: ((why: string) => void) | undefined } = {},
): Promise<Connection> {
  signal.throwIfAborted();
  const address = parseAddress(url);
  const account = createHash("sha256").update(address.label).digest("hex").slice(0, 12);
  const budgetOf = (name: string, provisioned: number, fraction = 1): Budget => ({
    name: `${account} ${name}`,
    perSecond: Math.max(1, address.share * provisioned * fraction * kept),
  });
  const opening = budgetOf("", provisionedOtherwise);
  const database = ["dbs", address.databaseName];
  try {
    const found = await exchange(address, opening, { method: "GET", resource: database }, signal).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found === undefined && !mayBeMissing) throw missing(address);
    const rid = found === undefined ? undefined : ((JSON.parse(found.body.toString("utf8")) as { _rid?: string })._rid ?? "");
    const throughput = await readThroughput(address, opening, signal);
    const shared = rid === undefined ? undefined : throughput?.get(rid);
    const whole = budgetOf("", shared === undefined ? provisionedOtherwise : perSecondOf(shared));
    const sessions = openSessions();
    return {
      address,
      sessions,
      openedAt: timeOf(found),
      throughput,
      rid,
      serverVersion: versionOf(found),
      budget: (container, partition) => {
        const own = container === undefined ? undefined : throughput?.get(container);
        // Containers that share the database's throughput, or whose own is not known, draw on one budget.
        if (own === undefined) return whole;
        if (partition === undefined) return budgetOf(container!, perSecondOf(own));
        return budgetOf(`${container} ${partition.id}`, perSecondOf(own), partition.fraction);
      },
      createDatabase: (headers, during) =>
        exchange(
          address,
          whole,
          { method: "POST", resource: ["dbs"], headers, body: Buffer.from(JSON.stringify({ id: address.databaseName })) },
          during,
        ),
      headersFor: (container, range) => {
        const session = sessions.tokenOf(container, range);
        return {
          "x-ms-documentdb-partitionkeyrangeid": range,
          ...(session === undefined ? {} : { "x-ms-session-token": session }),
        };
      },
      send: async (request, budget, during) => {
        const reply = await exchange(address, budget, { ...request, resource: [...database, ...request.resource] }, during, waiting);
        const [, container, kind] = request.resource;
        if (container !== undefined && kind === "docs") sessions.remember(container, reply.headers.get("x-ms-session-token"));
        return reply;
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    throw cosmosFailure(error, address, "connecting");
  }
}

/** Connects and does the work. Errors become failures, except an abort, whose reason is thrown as it is. */
export async function connected<T>(
  url: string,
  signal: AbortSignal,
  during: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(url, signal);
  try {
    return await work(connection);
  } catch (error) {
    signal.throwIfAborted();
    throw cosmosFailure(error, connection.address, during);
  }
}

const missing = ({ label }: Address): Failure =>
  new Failure("DatabaseMissing", `Cosmos DB at ${label} has no database of that name (names differ by case).`);

const versionOf = (reply: Reply | undefined): string => {
  const said = reply?.headers.get("x-ms-serviceversion") ?? "";
  return /version=([\w.]+)/.exec(said)?.[1] ?? "Azure Cosmos DB";
};

const timeOf = (reply: Reply | undefined): number | undefined => {
  const time = Date.parse(reply?.headers.get("date") ?? "");
  return Number.isNaN(time) ? undefined : time;
};

import { type Db, type Document, MongoClient, MongoServerError, type RunCommandOptions } from "mongodb";
import { Failure } from "../../domain/failure.ts";
import { orAborted } from "../or-aborted.ts";
import { type Address, parseAddress } from "./address.ts";
import { mongoFailure } from "./failures.ts";
import { patiently } from "./throttling.ts";

/** A database behind a connected client that others may be using too. */
export interface Connection {
  readonly client: MongoClient;
  readonly db: Db;
  readonly address: Address;
  readonly hello: Hello;
  /** A command to the primary; waits while the server throttles. */
  run(command: Document, options?: RunCommandOptions): Promise<Document>;
  /** The same, to where the URL's read preference says. Not for cursors: each command may go to another member. */
  ask(command: Document): Promise<Document>;
  release(): void;
}

/** What the server says of itself, as far as anything here depends on it. */
export interface Hello {
  /** Present on a replica set's member. */
  readonly setName?: string;
  /** `isdbgrid` on a router of a sharded cluster. */
  readonly msg?: string;
  readonly maxBsonObjectSize: number;
  readonly maxMessageSizeBytes: number;
  readonly maxWriteBatchSize: number;
  /** Absent when the server knows no sessions. */
  readonly logicalSessionTimeoutMinutes?: number | null;
  /** Names the very process that answered; since 4.4. */
  readonly topologyVersion?: { readonly processId?: unknown };
}

interface Shared {
  readonly opened: Promise<{ client: MongoClient; hello: Hello }>;
  users: number;
  idle?: NodeJS.Timeout;
}

// A capture reads many small parts one after another: a handshake for each would cost more than the reading.
const lingerMs = 1_000;
/** What holds unless the URL says otherwise; the driver itself would let these win over the URL. Shared tiers have few connections for all. */
const defaults = { appName: "dbgov", serverSelectionTimeoutMS: 10_000, connectTimeoutMS: 10_000, maxPoolSize: 8 };
const commandNotFound = 59;
const shared = new Map<string, Shared>();

const defaultsFor = (url: string): Partial<typeof defaults> =>
  Object.fromEntries(Object.entries(defaults).filter(([name]) => !new RegExp(`[?&]${name}=`, "i").test(url)));

async function open(address: Address): Promise<{ client: MongoClient; hello: Hello }> {
  let client: MongoClient;
  try {
    client = new MongoClient(address.url, { ...defaultsFor(address.url), enableUtf8Validation: false });
  } catch (cause) {
    const words = cause instanceof Error ? address.scrub(cause.message).replace(/\.$/, "") : "unknown";
    throw new Failure("ConfigurationInvalid", `The MongoDB URL for ${address.label} is not usable: ${words}.`, { cause });
  }
  try {
    await client.connect();
    return { client, hello: await greet(client.db(address.databaseName)) };
  } catch (error) {
    await client.close().catch(() => undefined);
    throw mongoFailure(error, address, "connecting");
  }
}

/** What the server says of itself now. The first releases of 4.4 know only the older name. */
export async function greet(db: Db): Promise<Hello> {
  const reply = await db.command({ hello: 1 }).catch((error: unknown) => {
    if (error instanceof MongoServerError && error.code === commandNotFound) return db.command({ isMaster: 1 });
    throw error;
  });
  return reply as unknown as Hello;
}

/**
 * Connects to the database that `url` names, or joins a connection that is open already. Release it when done.
 * Fails with `ConfigurationInvalid`, `DatabaseUnreachable` (after 10 s, or what the URL says), `AuthenticationRejected` or `EngineUnsupported`.
 */
export async function connect(url: string, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const address = parseAddress(url);
  const entry: Shared = shared.get(url) ?? { opened: open(address), users: 0 };
  shared.set(url, entry);
  clearTimeout(entry.idle);
  entry.users += 1;
  const release = onlyOnce(() => leave(url, entry));
  try {
    const { client, hello } = await orAborted(entry.opened, signal);
    const db = client.db(address.databaseName);
    const run = (command: Document, options: RunCommandOptions = {}): Promise<Document> =>
      patiently(options.signal ?? signal, () => db.command(command, options));
    return { client, db, address, hello, run, ask: (command) => run(command, { readPreference: client.readPreference }), release };
  } catch (error) {
    // Nobody shall join a connection that failed; the next caller tries anew.
    if (!signal.aborted && shared.get(url) === entry) shared.delete(url);
    release();
    throw error;
  }
}

/** Connects, does the work and releases. Errors become failures, except an abort, whose reason is thrown as it is. */
export async function connected<T>(
  url: string,
  signal: AbortSignal,
  during: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(url, signal);
  try {
    return await orAborted(work(connection), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw mongoFailure(error, connection.address, during);
  } finally {
    connection.release();
  }
}

function leave(url: string, entry: Shared): void {
  entry.users -= 1;
  if (entry.users > 0) return;
  entry.idle = setTimeout(() => {
    if (shared.get(url) === entry) shared.delete(url);
    void entry.opened.then(({ client }) => client.close()).catch(() => undefined);
  }, lingerMs);
  entry.idle.unref();
}

const onlyOnce = (action: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
};

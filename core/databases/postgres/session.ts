import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import pg from "pg";
import { Failure } from "../../domain/failure.ts";
import { type Address, describe } from "./address.ts";
import { whenThereIsRoom } from "./connection-room.ts";
import { type Purpose, toFailure } from "./failures.ts";
import { openPlainSocket } from "./plain-socket.ts";

const connectTimeoutMs = 15_000;
const goodbyeTimeoutMs = 5_000;

/** One connection, its settings pinned. Whoever opens it closes it, on every path. */
export interface Session {
  readonly client: pg.Client;
  readonly address: Address;
  readonly purpose: Purpose;
  /** As `server_version_num`: 180006. */
  readonly version: number;
  /** As `server_encoding`: UTF8. */
  readonly encoding: string;
  /** The backend that serves this session. Behind a pooler it differs from the process that the greeting named. */
  readonly pid: number;
  /** Rows of one statement. Throws a `Failure`. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  readonly gone: boolean;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly ended: Promise<void>;
  /** Says goodbye; waits for the end of an abandonment that is under way. Never throws. */
  close(): Promise<void>;
  /** From now on this signal, and none before it, abandons the session when it aborts. For a session that outlives its user. */
  follow(signal: AbortSignal): void;
  /** Ends the backend and whatever it runs, without waiting for it to notice by itself. */
  abandon(): void;
}

/**
 * What output depends on is the same for every reader and writer, as with pg_dump; whatever limits time is off, but waiting
 * for locks. What runs here is simple and touches many rows: compiling it costs more than it saves. Row security off makes hidden rows an error while reading; a materialized view is refreshed as its owner sees it. `set_config` for what older servers do not know, so that one round trip does it all.
 */
const settingsSql = (purpose: Purpose): string => `
  SET statement_timeout = 0;
  SET lock_timeout = '30s';
  SET idle_in_transaction_session_timeout = 0;
  SET default_transaction_read_only = ${purpose === "read" ? "on" : "off"};
  SET client_encoding = 'UTF8';
  SET DateStyle = 'ISO';
  SET IntervalStyle = 'postgres';
  SET TimeZone = 'UTC';
  SET extra_float_digits = 3;
  SET bytea_output = 'hex';
  SET lc_monetary = 'C';
  SET xmloption = 'content';
  SET standard_conforming_strings = on;
  SET escape_string_warning = off;
  SET synchronize_seqscans = off;
  SET jit = off;
  SET row_security = ${purpose === "read" ? "off" : "on"};
  SET check_function_bodies = off;
  SET search_path = pg_catalog;
  ${purpose === "restore" ? "SET synchronous_commit = off; SET client_min_messages = 'warning';" : ""}
  SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout');
  SELECT pg_backend_pid() AS pid, current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding;`;

const tlsOptions = async (address: Address): Promise<ConnectionOptions | false> => {
  if (address.tls === "disable") return false;
  const file = async (path: string | undefined) => (path === undefined || path === "system" ? undefined : await readFile(path, "utf8"));
  const [ca, cert, key] = await Promise.all([file(address.rootCertificate), file(address.certificate), file(address.key)]);
  const verifies = address.tls === "verify-full" || address.tls === "verify-ca" || (address.tls === "require" && ca !== undefined);
  return {
    rejectUnauthorized: verifies,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // As libpq: only verify-full asks that the certificate names the host.
    ...(verifies && address.tls !== "verify-full" ? { checkServerIdentity: () => undefined } : {}),
  };
};

const newClient = (address: Address, ssl: ConnectionOptions | false): pg.Client =>
  new pg.Client({
    host: address.host,
    port: address.port,
    user: address.user,
    database: address.database,
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.options === undefined ? {} : { options: address.options }),
    application_name: "dbgov",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    ssl,
    // Under TLS the reading is OpenSSL's.
    ...(ssl === false ? { stream: openPlainSocket } : {}),
  });

const connected = async (address: Address, signal: AbortSignal): Promise<pg.Client> => {
  const attempt = async (ssl: ConnectionOptions | false): Promise<pg.Client> => {
    const client = newClient(address, ssl);
    client.on("error", () => undefined); // reported by whoever waits on the client; without a listener it would end the process
    const stop = (): void => void socketOf(client).destroy(new Error("aborted"));
    signal.addEventListener("abort", stop);
    try {
      await client.connect();
      return client;
    } catch (error) {
      socketOf(client).destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
  signal.throwIfAborted();
  const ssl = await tlsOptions(address);
  try {
    return await attempt(ssl);
  } catch (error) {
    signal.throwIfAborted();
    if (address.tls !== "prefer" || !(error instanceof Error) || error.message !== "The server does not support SSL connections")
      throw error;
    return await attempt(false);
  }
};

/** The socket of a client: the TLS socket where there is TLS. */
export const socketOf = (client: pg.Client): Socket => (client as unknown as { connection: { stream: Socket } }).connection.stream;

const endBackend = async (address: Address, pid: number): Promise<void> => {
  const client = await connected(address, AbortSignal.timeout(5_000));
  try {
    await client.query("SELECT pg_catalog.pg_terminate_backend($1)", [pid]);
  } finally {
    await client.end();
  }
};

/** Connects. Throws a `Failure`, or the signal's reason when it aborts; an abort later on abandons the session. */
export const openSession = async (address: Address, purpose: Purpose, signal: AbortSignal): Promise<Session> => {
  let client: pg.Client;
  try {
    client = await connected(address, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw toFailure(error, address, purpose);
  }
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let gone = false;
  client.once("end", () => {
    gone = true;
    end();
  });
  let settings: { pid: number; version: number; encoding: string };
  // A pooler greets at once, and lets the first query wait for a connection of its own.
  const stop = (): void => void socketOf(client).destroy();
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    const results = (await client.query(settingsSql(purpose))) as unknown as pg.QueryResult[];
    settings = results.at(-1)?.rows[0];
  } catch (error) {
    socketOf(client).destroy();
    signal.throwIfAborted();
    throw toFailure(error, address, purpose, "session settings");
  } finally {
    signal.removeEventListener("abort", stop);
  }
  let abandonment: Promise<void> | undefined;
  const abandon = (): void => {
    if (abandonment !== undefined || gone) return;
    abandonment = endBackend(address, settings.pid).catch(() => undefined); // the server ends it itself once it writes to the closed socket
    socketOf(client).destroy();
  };
  let followed = signal;
  const follow = (next: AbortSignal): void => {
    followed.removeEventListener("abort", abandon);
    followed = next;
    next.addEventListener("abort", abandon);
    if (next.aborted) abandon();
  };
  follow(signal);
  const query = async <Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]> => {
    try {
      return (await client.query<Row & pg.QueryResultRow>(sql, values === undefined ? [] : [...values])).rows;
    } catch (error) {
      followed.throwIfAborted();
      throw toFailure(error, address, purpose);
    }
  };
  const close = async (): Promise<void> => {
    followed.removeEventListener("abort", abandon);
    if (abandonment !== undefined) return await abandonment;
    const giveUp = setTimeout(() => socketOf(client).destroy(), goodbyeTimeoutMs);
    await client.end().catch(() => undefined);
    clearTimeout(giveUp);
  };
  return {
    client,
    address,
    purpose,
    ...settings,
    query,
    get gone() {
      return gone;
    },
    ended,
    follow,
    close,
    abandon,
  };
};

/** Runs `work` in a session of its own, for which it waits where the server is full, and which is closed afterwards whatever happens. */
export const withSession = async <T>(
  address: Address,
  purpose: Purpose,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const session = await whenThereIsRoom(address, signal, () => openSession(address, purpose, signal));
  try {
    return await work(session);
  } finally {
    await session.close();
  }
};

/** Refuses a pooler in transaction mode, which hands one backend to many clients: a snapshot or a setting would not stay with its session. */
export const refuseTransactionPooler = async (session: Session, signal: AbortSignal): Promise<void> => {
  const { processID } = session.client as unknown as { processID: number | null };
  if (processID === session.pid) return;
  // The last backend given back is the next one lent, so two idle clients that meet the same one prove that it is shared.
  const sees = await withSession(session.address, session.purpose, signal, async (other) => {
    const [first] = await session.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const [second] = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return first?.pid === second?.pid;
  });
  if (sees)
    throw new Failure(
      "EngineUnsupported",
      `${describe(session.address)} is a connection pooler in transaction mode, which cannot hold a snapshot: use the direct address of the server, or the pooler's session mode`,
    );
};

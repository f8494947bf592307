import { TLSSocket } from "node:tls";
import { Client } from "pg";
import type { Json } from "../finding.ts";
import { connectTimeoutMs, statementTimeoutMs } from "./session-limits.ts";

/** A connection on which a sweep reads. Every query runs in a read-only transaction of its own, so that poolers are fine too. */
export interface PostgresSession {
  /** Rows as JSON. Throws the driver's own error; `reason-of-error.ts` finds words for it. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, Json>[]>;
  /** How this very connection travels, as the client's end of it sees it. */
  readonly transport: PostgresTransport;
  close(): Promise<void>;
}

export interface PostgresTransport {
  readonly unixSocket: boolean;
  readonly encrypted: boolean;
  /** Whether the server's certificate was checked against a trusted authority. */
  readonly certificateVerified: boolean;
  readonly protocol: string | null;
  readonly cipher: string | null;
}

const transportOf = (client: Client): PostgresTransport => {
  // The driver's types hide the socket. The server's own view (pg_stat_ssl) is not enough: behind a pooler it describes another connection.
  const { connection } = client as unknown as { connection: { stream: unknown } };
  const socket = connection.stream;
  const tls = socket instanceof TLSSocket ? socket : undefined;
  return {
    unixSocket: client.host.startsWith("/"),
    encrypted: tls !== undefined,
    certificateVerified: tls?.authorized ?? false,
    protocol: tls?.getProtocol() ?? null,
    cipher: tls?.getCipher().name ?? null,
  };
};

export const openPostgresSession = async (url: string): Promise<PostgresSession> => {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs, application_name: "dbgov sweep" });
  // A connection that breaks between two queries must not end the process; the next query reports it.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
  return {
    transport: transportOf(client),
    async query(sql, values = []) {
      await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${statementTimeoutMs}`);
      try {
        return (await client.query(sql, [...values])).rows;
      } finally {
        // When the connection is lost there is nothing to roll back, and the first error says more.
        await client.query("ROLLBACK").catch(() => {});
      }
    },
    close: () => client.end(),
  };
};

import { type Document, MongoClient, type MongoClientOptions } from "mongodb";
import { bareUrl } from "./mongodb-url.ts";
import { connectTimeoutMs, statementTimeoutMs } from "./session-limits.ts";

/** A client with which a sweep reads: commands only, nothing that writes. */
export interface MongoSession {
  /** Runs a command in the database named, or in the URL's own. Throws the driver's own error. */
  command(command: Document, database?: string): Promise<Document>;
  readonly transport: { readonly tls: boolean; readonly certificateVerified: boolean };
  /** Runs a command at the same hosts over a connection that shows no credentials, optionally without TLS. */
  commandWithoutCredentials(command: Document, options: { readonly plaintext: boolean }): Promise<Document>;
  close(): Promise<void>;
}

/** The hosts have answered already: one that does not answer an attempt now is refusing it. */
const attemptTimeoutMs = 2_000;

const options: MongoClientOptions = {
  appName: "dbgov sweep",
  serverSelectionTimeoutMS: connectTimeoutMs,
  connectTimeoutMS: connectTimeoutMs,
  socketTimeoutMS: statementTimeoutMs,
  maxPoolSize: 1,
  retryReads: false,
  readPreference: "secondaryPreferred",
};

export const openMongoSession = async (url: string): Promise<MongoSession> => {
  const client = new MongoClient(url, options);
  try {
    await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
  const { tlsAllowInvalidCertificates, rejectUnauthorized } = client.options;
  // Unset when the URL does not mention it.
  const tls = Boolean(client.options.tls);
  return {
    // The driver refuses to talk in the clear when TLS is asked for, so a connected client with `tls` is on TLS.
    transport: { tls, certificateVerified: tls && tlsAllowInvalidCertificates !== true && rejectUnauthorized !== false },
    command: (command, database) => client.db(database).command(command),
    async commandWithoutCredentials(command, { plaintext }) {
      const bare = new MongoClient(bareUrl(url, { plaintext }), { ...options, serverSelectionTimeoutMS: attemptTimeoutMs });
      try {
        await bare.connect();
        return await bare.db("admin").command(command);
      } finally {
        await bare.close();
      }
    },
    close: () => client.close(),
  };
};

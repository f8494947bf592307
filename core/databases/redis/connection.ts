import { createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { orAborted } from "../or-aborted.ts";
import { type Address, parseAddress } from "./address.ts";
import { redisFailure } from "./failures.ts";

/** An argument of a command, or a part of a reply: strings are bytes. */
export type Argument = string | Buffer;
export type Reply = Buffer | string | number | null | Error | readonly Reply[];

/** One connection, in one logical database at a time, which counts the commands that it sends. */
export interface Connection {
  readonly address: Address;
  call(...command: readonly Argument[]): Promise<Reply>;
  /** Sends them at once; replies in their order, errors among them. */
  pipeline(commands: readonly (readonly Argument[])[]): Promise<Reply[]>;
  /** As one transaction: nothing comes between them. An error reply of one is in its place. */
  transaction(commands: readonly (readonly Argument[])[]): Promise<readonly Reply[]>;
  select(database: number): Promise<void>;
  /** So far. */
  commands(): number;
  close(): void;
}

const connectTimeoutMs = 10_000;

/** Connects to the server that `url` names. Fails with `ConfigurationInvalid`, `DatabaseUnreachable` or `AuthenticationRejected`. */
export async function connect(url: string, signal: AbortSignal, beforeCommands?: (count: number) => void): Promise<Connection> {
  signal.throwIfAborted();
  const address = parseAddress(url);
  const { host, port, tls, username, password } = address;
  const client = createClient({
    socket: { host, port, connectTimeout: connectTimeoutMs, reconnectStrategy: false, ...(tls ? { tls: true, servername: host } : {}) },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    RESP: 2,
    // Metered servers count every command; a name would be one more.
    disableClientInfo: true,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  // Each pending command is told by itself.
  client.on("error", () => undefined);
  const abort = (): void => client.destroy();
  let sent = password === undefined ? 0 : 1;
  const counted = (count: number): void => {
    signal.throwIfAborted();
    beforeCommands?.(count);
    sent += count;
  };
  const send = (command: readonly Argument[]): Promise<Reply> => client.sendCommand(command) as Promise<Reply>;
  const unlessError = (reply: Reply): Reply => {
    if (reply instanceof Error) throw reply;
    return reply;
  };
  try {
    await orAborted(client.connect(), signal);
  } catch (error) {
    if (client.isOpen) client.destroy();
    signal.throwIfAborted();
    throw redisFailure(error, address, "connecting");
  }
  signal.addEventListener("abort", abort, { once: true });
  const pipeline = async (commands: readonly (readonly Argument[])[]): Promise<Reply[]> => {
    counted(commands.length);
    return Promise.all(commands.map((command) => send(command).catch((error: unknown) => asReply(error, signal))));
  };
  return {
    address,
    call: async (...command) => {
      counted(1);
      return send(command);
    },
    pipeline,
    transaction: async (commands) => {
      const replies = await pipeline([["MULTI"], ...commands, ["EXEC"]]);
      // A command that was refused when queued aborts them all: its own words say more than EXECABORT.
      for (const reply of replies.slice(0, -1)) unlessError(reply);
      return unlessError(replies.at(-1) ?? null) as readonly Reply[];
    },
    select: async (database) => {
      counted(1);
      await send(["SELECT", String(database)]);
    },
    commands: () => sent,
    close: () => {
      signal.removeEventListener("abort", abort);
      if (client.isOpen) client.destroy();
    },
  };
}

/** Error replies are replies; a lost connection is not. */
const asReply = (error: unknown, signal: AbortSignal): Reply => {
  signal.throwIfAborted();
  if (error instanceof ErrorReply) return error;
  throw error;
};

/** Connects, does the work and closes. Errors become failures, except an abort, whose reason is thrown as it is. */
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
    throw redisFailure(error, connection.address, during);
  } finally {
    connection.close();
  }
}

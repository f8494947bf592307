import { Failure } from "../../domain/failure.ts";
import type { PartPlan, Plan, StreamPlan } from "../engine.ts";
import { type Connection, connected } from "./connection.ts";
import { methodOf } from "./hold.ts";
import type { ChosenMethod, Method } from "./method.ts";
import { scratchDatabases } from "./scratch-mark.ts";
import { isAtLeast, type Keyspace, readFacts, type ServerFacts, versionText } from "./server-facts.ts";
import type { StreamDetail } from "./stream-state.ts";

/** What reads a part. */
export interface PartSelector {
  readonly method: Method;
  /** The logical databases to read; null for all. */
  readonly databases: readonly number[] | null;
  readonly detail: StreamDetail;
  /** How many commands reading it may take; null for any number. */
  readonly commands: number | null;
}

/** What a restore needs to know of the keys before it sees them: both streams have it. */
export interface KeysTarget {
  /** The logical database that the source's URL names; null for all. */
  readonly database: number | null;
  /** Those that held keys when the backup was planned. */
  readonly databases: readonly number[];
  readonly detail: StreamDetail;
  readonly rdbVersion: number | null;
  readonly modules: readonly string[];
  readonly fieldExpiry: boolean;
}

export const keysStream = "keys";
/** Functions and users. */
export const definitionsStream = "server";

/** So many keys a `SCAN` is asked for. */
export const scanCount = 512;
/** Connecting, choosing, planning, functions and users. */
const overheadCommands = 40;
/** Sent for each key at most: one that is large is a transaction of its own. Before 7.0 expiry takes two times and what is left. */
const commandsPerKey = (method: Method, facts: ServerFacts): number =>
  ({ replication: 0, dump: isAtLeast(facts, [7, 0]) ? 4 : 6, types: 8 })[method];

export const planDatabase = (url: string, token: string, signal: AbortSignal): Promise<Plan> =>
  connected(url, signal, "planning", async (connection) => {
    const { address } = connection;
    const chosen = methodOf(token);
    const facts = await readFacts(connection);
    const scratch = address.database === undefined ? await scratchDatabases(connection, facts) : [];
    const all = facts.keyspace ?? [{ database: address.database ?? 0, keys: await sizeOf(connection), expiringHashes: 0 }];
    const wanted = all.filter(({ database }) => (address.database ?? database) === database && !scratch.includes(database));
    const target: KeysTarget = {
      database: address.database ?? null,
      databases: wanted.map(({ database }) => database),
      detail: facts.streamDetail,
      rdbVersion: chosen.rdbVersion ?? null,
      modules: facts.modules,
      fieldExpiry: wanted.some(({ expiringHashes }) => expiringHashes > 0),
    };
    const parts = partsOf(chosen.method, wanted, facts, address.database ?? null, address.commandBudget, connection);
    const streams: StreamPlan[] = [
      { name: definitionsStream, kind: "definition", framing: "opaque", target, parts: [{ selector: {}, estimatedBytes: 4_096 }] },
      { name: keysStream, kind: "rows", framing: "bson", target, parts },
    ];
    return {
      serverVersion: versionText(facts),
      databaseName: address.database === undefined ? "all" : String(address.database),
      streams,
      notes: notesOf(chosen, facts, scratch, wanted),
    };
  });

/** One replication is one part: two would be two moments. */
const partsOf = (
  method: Method,
  wanted: readonly Keyspace[],
  facts: ServerFacts,
  database: number | null,
  budget: number | undefined,
  { address }: Connection,
): PartPlan[] => {
  const detail = facts.streamDetail;
  const keys = wanted.reduce((sum, { keys }) => sum + keys, 0);
  if (method === "replication")
    return [
      {
        selector: { method, databases: database === null ? null : [database], detail, commands: null } satisfies PartSelector,
        estimatedBytes: facts.usedMemory,
      },
    ];
  const needed = (count: number): number => Math.ceil(count / scanCount) * 2 + count * commandsPerKey(method, facts) + 10;
  const total = overheadCommands + wanted.reduce((sum, space) => sum + needed(space.keys), 0);
  if (budget !== undefined && total > budget)
    throw new Failure(
      "CostCapExceeded",
      `Redis at ${address.label} holds ${keys} keys, which take up to ${total} commands to read; the commandBudget in its URL is ${budget}.`,
    );
  const spaces = wanted.length > 0 ? wanted : [{ database: database ?? 0, keys: 0, expiringHashes: 0 }];
  // What is to spare is shared by size: keys may be added while it is read.
  const spare = budget === undefined ? 0 : budget - total;
  return spaces.map((space) => ({
    selector: {
      method,
      databases: [space.database],
      detail,
      commands: budget === undefined ? null : needed(space.keys) + Math.floor(spare * (keys === 0 ? 1 : space.keys / keys)),
    } satisfies PartSelector,
    estimatedBytes: keys === 0 ? 0 : Math.ceil((facts.usedMemory * space.keys) / keys),
  }));
};

const sizeOf = async (connection: Connection): Promise<number> => {
  if (connection.address.database !== undefined && connection.address.database !== 0) await connection.select(connection.address.database);
  return Number(await connection.call("DBSIZE"));
};

const notesOf = ({ method, why }: ChosenMethod, facts: ServerFacts, scratch: readonly number[], wanted: readonly Keyspace[]): string[] => {
  const notes = [
    method === "replication"
      ? "Keys were taken by replication (PSYNC): one point in time, which is when the capture asked for it, shortly after the time of capture that is given. Functions and users were read beside it."
      : `Keys were read one after another (${method === "dump" ? "SCAN, with DUMP and expiry together" : "SCAN, then by type"}), each as it was then: ${why.join(", ")}.`,
  ];
  if (wanted.length > 1) notes.push(`Logical databases: ${wanted.map(({ database, keys }) => `${database} (${keys} keys)`).join(", ")}.`);
  if (scratch.length > 0) notes.push(`Scratch databases of drills were left out: ${scratch.join(", ")}.`);
  if (facts.clustered) notes.push("The server is a node of a cluster: these are the keys of its slots alone.");
  if (facts.modules.length > 0)
    notes.push(
      `Modules are loaded (${facts.modules.join(", ")}): values of their types are kept as they are, and need a server with the same modules.`,
    );
  if (facts.keyspace === undefined) notes.push("The server does not let this user ask for INFO: only the one logical database was read.");
  return notes;
};

import { ErrorReply } from "@redis/client";
import type { Connection } from "./connection.ts";
import { isRefusal } from "./failures.ts";
import type { StreamDetail } from "./stream-state.ts";

/** What the server says of itself. */
export interface ServerFacts {
  readonly flavor: "redis" | "valkey";
  /** As `8.0.2`. */
  readonly version: string;
  /** The version of Redis that it behaves as. */
  readonly compatible: readonly [major: number, minor: number];
  readonly streamDetail: StreamDetail;
  /** Logical databases that hold keys, ascending; undefined when the user may not know. */
  readonly keyspace: readonly Keyspace[] | undefined;
  readonly usedMemory: number;
  /** 0: no limit. */
  readonly maxMemory: number;
  readonly systemMemory: number;
  readonly clustered: boolean;
  /** Loaded modules by name, but for Valkey's own Lua, which has no values. */
  readonly modules: readonly string[];
}

export interface Keyspace {
  readonly database: number;
  readonly keys: number;
  /** Hashes with expiring fields. */
  readonly expiringHashes: number;
}

export const readFacts = async (connection: Connection): Promise<ServerFacts> => {
  const text = await connection.call("INFO").then(String, (error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
  return factsOf(text);
};

/** Logical databases that hold keys, also where the user may not ask for INFO: then each is asked, up to the first that there is not. */
export const keyspaceOf = async (connection: Connection, facts: ServerFacts): Promise<readonly Keyspace[]> => {
  if (facts.keyspace !== undefined) return facts.keyspace;
  const { database: own } = connection.address;
  const found: Keyspace[] = [];
  for (let database = own ?? 0; own === undefined || database === own; database += 1) {
    const there = await connection.select(database).then(
      () => true,
      (error: unknown) => {
        if (database > 0 && error instanceof ErrorReply && /out of range|not allowed in cluster/i.test(error.message)) return false;
        throw error;
      },
    );
    if (!there) break;
    const keys = Number(await connection.call("DBSIZE"));
    if (keys > 0) found.push({ database, keys, expiringHashes: 0 });
  }
  await connection.select(own ?? 0);
  return found;
};

/** From the text of INFO. A server that will not say is taken for one of Redis 7.2, and tried. */
export const factsOf = (info: string | undefined): ServerFacts => {
  const lines = (info ?? "").split(/\r?\n/).map((line) => line.split(/:(.*)/s));
  const fields = new Map(lines.map(([name = "", value = ""]) => [name, value]));
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  const [major = 7, minor = 2] = (fields.get("redis_version") ?? "7.2").split(".").map(Number);
  const valkey = fields.get("valkey_version");
  return {
    flavor: valkey === undefined ? "redis" : "valkey",
    version: valkey ?? fields.get("redis_version") ?? "unknown",
    compatible: [major, minor],
    streamDetail: major < 7 ? 1 : major === 7 && minor < 2 ? 2 : 3,
    keyspace:
      info === undefined
        ? undefined
        : lines.flatMap(([name = "", value = ""]) => keyspaceIn(name, value)).sort((a, b) => a.database - b.database),
    usedMemory: number("used_memory"),
    maxMemory: number("maxmemory"),
    systemMemory: number("total_system_memory"),
    clustered: number("cluster_enabled") === 1,
    modules: lines
      .flatMap(([name = "", value = ""]) => (name === "module" ? (/name=([^,]+)/.exec(value)?.slice(1) ?? []) : []))
      .filter((name) => name !== "lua"),
  };
};

const keyspaceIn = (name: string, value: string): Keyspace[] => {
  const database = /^db(\d+)$/.exec(name)?.[1];
  if (database === undefined) return [];
  const field = (key: string): number => Number(new RegExp(`(?:^|,)${key}=(\\d+)`).exec(value)?.[1] ?? 0);
  return [{ database: Number(database), keys: field("keys"), expiringHashes: field("subexpiry") + field("keys_with_volatile_items") }];
};

export const isAtLeast = ({ compatible: [major, minor] }: ServerFacts, wanted: readonly [number, number]): boolean =>
  major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);

/** For people: `8.0.2`, `9.1.2 (Valkey)`. */
export const versionText = ({ flavor, version }: ServerFacts): string => (flavor === "valkey" ? `${version} (Valkey)` : version);

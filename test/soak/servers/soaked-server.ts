import type { Random } from "../../../core/domain/seeded-random.ts";
import type { EngineName } from "../../../core/domain/snapshot.ts";
import type { Undoing } from "../undo.ts";
import { openCosmos } from "./cosmos.ts";
import { openMongodb } from "./mongodb.ts";
import { openPostgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";

/** A database server of a lane's own, with a database that is backed up and one that is restored into. */
export interface SoakedServer {
  readonly engine: EngineName;
  /** Both straight to the server, past the front. */
  readonly source: string;
  readonly target: string;
  start(): Promise<void>;
  /** Ends it at once, as a power cut would; what it has acknowledged is there when it is started again. */
  abort(): Promise<void>;
  /** It fails by itself, and is back when the promise resolves. */
  crash(): Promise<void>;
  /** Some of the source changes, some comes, some goes: by turns a little and a lot. */
  change(random: Random): Promise<void>;
  /** What is in a database, told by the server alone and not by anything of the product. */
  contentOf(url: string): Promise<string>;
  /** To be asked while a restore runs, having been made before: whether it has begun to write into the target. */
  watchTarget(): Promise<() => Promise<boolean>>;
  /** Scratch databases of drills that are there now. */
  scratches(): Promise<string[]>;
}

/** `bin`: the folder of PostgreSQL's programs. */
export type OpenServer = (folder: string, bin: string, undoing: Undoing) => Promise<SoakedServer>;

const openers: Readonly<Record<EngineName, OpenServer>> = {
  postgres: openPostgres,
  mongodb: openMongodb,
  redis: openRedis,
  cosmos: openCosmos,
};

export const openSoakedServer = (engine: EngineName, ...args: Parameters<OpenServer>): Promise<SoakedServer> => openers[engine](...args);

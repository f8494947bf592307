import type { Consistency, EngineName, Framing, StreamKind } from "../domain/snapshot.ts";

/**
 * One database engine behind one small interface. A driver touches its own folder and its line in `engines.ts` only.
 * Every method throws a `Failure`; `url` may hold a password, which must never reach an error's text.
 * Every method gives up promptly when `signal` aborts, and leaves no query running on the server.
 */
export interface Engine {
  readonly name: EngineName;

  /** Connects and says what the server is and what is wrong with it as a source; does not throw for mere findings. */
  probe(url: string, signal: AbortSignal): Promise<Probe>;

  /** Opens the consistent snapshot and keeps it open until closed. */
  hold(url: string, signal: AbortSignal): Promise<Hold>;

  /** Splits the database, as seen under `token`, into streams and parts of about `partBytes`. Refuses what cannot be captured well. */
  plan(url: string, token: string, options: PlanOptions, signal: AbortSignal): Promise<Plan>;

  /** The bytes of one part, in blocks of the reader's own size that are valid only until the next is asked for. */
  read(url: string, token: string, stream: StreamPlan, part: PartPlan, signal: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Which of these parts hold, under `token`, the very bytes that they gave when they were last read: `true` only where the server's
   * own state proves it, and in doubt never. Rows stay on the server. Absent where an engine cannot tell. Called once for each plan, with
   * all parts that an earlier snapshot has; `report` takes how many are done, each time that some are.
   */
  unchanged?(
    url: string,
    token: string,
    parts: readonly EarlierContent[],
    report: (done: number) => void,
    signal: AbortSignal,
  ): Promise<readonly boolean[]>;

  /** Prepares a restore into the database at `url`. Refuses (`TargetNotEmpty`) one that holds anything, unless `replace`. */
  restore(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration>;

  /** Creates an empty scratch database of that name beside the one at `url`, and returns its URL. A database of that name left by an earlier attempt is dropped first. */
  createScratch(url: string, name: string, signal: AbortSignal): Promise<string>;

  /** Drops it; succeeds when it is already gone. */
  dropScratch(url: string, name: string, signal: AbortSignal): Promise<void>;
}

/**
 * What an engine keeps of a stream as a snapshot saw it, so that `unchanged` can tell under a later one: a point in the database's own
 * time, and whatever must be the same for it to mean anything. JSON of the engine's own; it must cost nothing to take.
 */
export type Mark = unknown;

/** A part of the present plan, and what an earlier snapshot knew of the very same one. */
export interface EarlierContent {
  readonly stream: StreamPlan;
  readonly part: PartPlan;
  /** The stream's mark then. */
  readonly mark: Mark;
  /** Rows that the part gave then. */
  readonly rows: number;
}

export interface PlanOptions {
  readonly partBytes: number;
}

export interface Probe {
  readonly version: string;
  readonly databaseName: string;
  readonly estimatedBytes: number;
  /** What would make a capture fail or be incomplete: a missing permission, a missing client tool. Empty when all is well. */
  readonly problems: readonly {
    readonly type: "PermissionMissing" | "ClientToolMissing" | "EngineUnsupported";
    readonly message: string;
  }[];
}

export interface Hold {
  /** What other connections need to read the same snapshot; JSON or an identifier, no secret. */
  readonly token: string;
  readonly consistency: Consistency;
  /** Rejects with `HoldLost` when the connection, and so the snapshot, is gone. Never resolves before `close`. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

export interface Plan {
  readonly serverVersion: string;
  readonly databaseName: string;
  readonly streams: readonly StreamPlan[];
  /** Facts that the manifest repeats: what was left out, and why. */
  readonly notes: readonly string[];
}

export interface StreamPlan {
  /** Unique within the snapshot, and readable: `public.orders`, `"Odd Name".t`; definitions have a name of the engine's own, as `schema`. */
  readonly name: string;
  readonly kind: StreamKind;
  readonly framing: Framing;
  /** What the engine needs to write this stream back, as JSON: quoted table name, column list, collection name. */
  readonly target: unknown;
  readonly parts: readonly PartPlan[];
  /** For the next snapshot; absent where it has to read the stream again in any case. Not part of the manifest. */
  readonly mark?: Mark;
}

export interface PartPlan {
  /** What the engine needs to read this part, as JSON. */
  readonly selector: unknown;
  readonly estimatedBytes: number;
}

export interface RestoreOptions {
  readonly replace: boolean;
  /** The manifest's streams, definitions with their whole content. */
  readonly definitions: readonly { readonly name: string; readonly target: unknown; readonly content: Uint8Array }[];
  readonly parallelism: number;
}

export interface Restoration {
  /** Creates what must exist before data. Called once, first. */
  prepare(): Promise<void>;
  /** What the target could not take as it was, and what was done instead. Filled by `prepare`. */
  readonly notes: readonly string[];
  /** Writes one part's bytes. Called in parallel for different parts, also of one stream. All or nothing for each call. */
  write(
    stream: { readonly name: string; readonly target: unknown; readonly framing: Framing },
    content: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Indexes, constraints, sequences, views. Called once, after all data. */
  finish(): Promise<void>;
  /** Reads a restored stream back, for comparison, in any order of rows but with the very bytes that `read` gives. */
  readBack(stream: { readonly name: string; readonly target: unknown; readonly framing: Framing }): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

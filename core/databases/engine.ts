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

  /**
   * The bytes of one part, in blocks of the reader's own size that are valid only until the next is asked for. `waiting` is told why
   * no block comes, where the server says so: that it throttles.
   */
  read(
    url: string,
    token: string,
    stream: StreamPlan,
    part: PartPlan,
    signal: AbortSignal,
    waiting?: (why: string) => void,
  ): AsyncIterable<Uint8Array>;

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

  /** How `--only` and `--except` choose a part of a snapshot. */
  readonly selection: SelectionByName | SelectionByRecord;

  /** What `diff` has to know of an engine's definitions and rows. Pure. */
  readonly comparison: Comparison;

  /**
   * Opens a restore into the database at `url`. Nothing is written before `prepare`, which refuses (`TargetNotEmpty`) a database that
   * holds anything, unless `replace`. A part chosen by `only` is put beside what is there: then only what the part itself would
   * create must not exist, and `replace` drops no more than that.
   */
  restore(url: string, options: RestoreOptions, signal: AbortSignal): Promise<Restoration>;

  /** Begins an export into `folder`, which exists and is empty: files that the engine's own tools load. Asks no server. */
  export(folder: string, options: ExportOptions, signal: AbortSignal): Promise<Exportation>;

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
  /** The selectors of the last snapshot's parts, by stream name: where nature sets no ranges, those that are kept can be taken over. */
  readonly earlier?: Readonly<Record<string, readonly unknown[]>>;
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

/** A definition stream of a manifest, with its whole content. */
export interface Definition {
  readonly name: string;
  readonly target: unknown;
  readonly content: Uint8Array;
}

/** What of a manifest's rows stream concerns an engine. */
export interface RowsStream {
  readonly name: string;
  readonly target: unknown;
  readonly framing: Framing;
}

/** Patterns are held against names, and what is chosen are whole streams: tables, collections, containers. */
export interface SelectionByName {
  readonly by: "name";
  /** Everything that can be chosen. Pure. */
  names(definitions: readonly Definition[], streams: readonly RowsStream[]): readonly Selectable[];
}

export interface Selectable {
  /** As people know it, and unique: `public.orders`. */
  readonly name: string;
  /** The rows streams that hold its content; none for a view. Of a whole with parts that can be chosen too, those of its parts: they are chosen with it. */
  readonly streams: readonly string[];
}

/** Patterns are held against each record, as a Redis key, and streams are filtered while they are read. */
export interface SelectionByRecord {
  readonly by: "record";
  /** What the patterns are held against, for sentences: `key`. */
  readonly what: string;
  /** The word that patterns match in one record, whose bytes are as the stream's framing delimits them. Pure. */
  nameOf(stream: RowsStream, record: Uint8Array): string;
}

/** The chosen part: names as `Selectable` has them, or patterns (`*` for any run of characters) where records are chosen. */
export type SnapshotPart =
  /** These, beside what the target holds. */
  | { readonly by: "name"; readonly only: readonly string[] }
  /** Everything else, into an empty target. */
  | { readonly by: "name"; readonly except: readonly string[] }
  /** Records that match one of `only` (or any, when that is empty) and none of `except`; the others never reach `write`. */
  | { readonly by: "record"; readonly only: readonly string[]; readonly except: readonly string[] };

export interface RestoreOptions {
  readonly replace: boolean;
  readonly definitions: readonly Definition[];
  readonly parallelism: number;
  /** Absent: the whole snapshot. */
  readonly part?: SnapshotPart;
  /** Absent: nothing is kept that an attempt could go on from. */
  readonly progress?: RestoreProgress;
  /** The target is a scratch database, which will be dropped: nothing may be made beside it, as roles of its server. */
  readonly scratch?: true;
  /** PostgreSQL: no roles are created; owners and grants that name missing ones are left out. */
  readonly withoutRoles?: boolean;
  /** PostgreSQL: which tablespace of the target takes what was in another. */
  readonly tablespaces?: readonly { readonly from: string; readonly to: string }[];
}

/**
 * What is kept in the target, beside the data, so that a restore that was killed can go on: under `job` each part that is
 * written, made durable with the part or after it, never before; `finish` removes it. An engine that cannot do this soundly
 * fails with `UsageInvalid` when asked to resume.
 */
export interface RestoreProgress {
  /** The same for the same snapshot, target and chosen part: 16 hex digits. */
  readonly job: string;
  /** Go on with an earlier attempt. `prepare` fails with `UsageInvalid` when the target holds no trace of it. */
  readonly resume: boolean;
}

/** What a restore would do, without having done any of it. */
export interface RestorePreview {
  /** By kind, in the order of creation: `{ kind: "table", count: 12 }`. Content is not counted here. */
  readonly creates: readonly { readonly kind: string; readonly count: number }[];
  /** With `replace`: what the target holds that would be dropped, by name. */
  readonly drops: readonly string[];
  /** As `Restoration.notes` would say it. */
  readonly notes: readonly string[];
}

export interface Restoration {
  /** Looks at the target, and throws what `prepare` would throw before it writes anything. Instead of `prepare`, not before it. */
  preview(): Promise<RestorePreview>;
  /** Creates what must exist before data. Called once, first. */
  prepare(): Promise<void>;
  /** What the target could not take as it was, and what was done instead. Filled by `prepare`. */
  readonly notes: readonly string[];
  /** Whether anything may have been written to the target. Absent: from `prepare` on. */
  readonly touched?: boolean;
  /** Parts that an earlier attempt has written: they are not to be written again. Filled by `prepare` when it resumes. */
  readonly written: ReadonlySet<string>;
  /** Writes one part's bytes. Called in parallel for different parts, also of one stream. All or nothing for each call. `part` names it in `written`. */
  write(stream: RowsStream, content: AsyncIterable<Uint8Array>, part?: string): Promise<void>;
  /** Absent: streams are written in parts only. */
  readonly whole?: WholeWriting;
  /** Called once all of a stream is written: what can be done from now on, beside whatever else is written. */
  completed?(stream: RowsStream, bytes: number): readonly RestoreStep[];
  /** Indexes, constraints, sequences, views, as far as no step has made them. Called once, after all data and all steps. */
  finish(): Promise<void>;
  /** Reads a restored stream back, for comparison, in any order of rows but with the very bytes that `read` gives. */
  readBack(stream: RowsStream): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Writing a stream in one go, where that is quicker than in parts; what is lost when it breaks off is then the stream. */
export interface WholeWriting {
  /** `bytes` are the stream's, `total` those of all streams. */
  isBetter(stream: RowsStream, bytes: number, total: number): boolean;
  /** `content` is that of all its parts, none of which has been written. All or nothing. */
  write(stream: RowsStream, content: AsyncIterable<Uint8Array>, parts: readonly string[]): Promise<void>;
}

/** A piece of a restore. */
export interface RestoreStep {
  /** Bytes of content that it is about: the largest ones are begun first. */
  readonly size: number;
  /** Resolves to the steps that it has made possible. */
  run(): Promise<readonly RestoreStep[]>;
}

export interface ExportOptions {
  readonly definitions: readonly Definition[];
  /** The chosen rows streams, with their sizes; `write` is called for each of them. */
  readonly streams: readonly (RowsStream & { readonly rows: number; readonly bytes: number })[];
  /** Absent: the whole snapshot. */
  readonly part?: SnapshotPart;
  readonly databaseName: string;
  readonly serverVersion: string;
}

export interface Exportation {
  /** Writes the file or files of one stream: all its parts, one after another. Called in parallel for different streams. */
  write(stream: RowsStream, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes what describes the whole. Called once, last. */
  finish(): Promise<ExportSummary>;
}

export interface ExportSummary {
  /** What it is: `pg_dump archive, directory format`. */
  readonly format: string;
  /** The command that loads it, with TARGET_URL for the target's address. */
  readonly load: string;
  /** What the format cannot say. */
  readonly notes: readonly string[];
}

export interface Comparison {
  /** Each object that is defined, by kind and name (`table public.orders`), with a text that is the same as long as the definition is. */
  definitions(definitions: readonly Definition[]): ReadonlyMap<string, string>;
  /** What tells a row of this stream from every other one (primary key, `_id`), taken from its bytes; undefined where nothing does. */
  rowKey(definitions: readonly Definition[], stream: RowsStream): ((row: Uint8Array) => Uint8Array) | undefined;
}

import type { DatabaseRecord, EngineRecord } from "./engine-record.ts";
import type { Severity, Verdict } from "./finding.ts";
import type { MongoSession } from "./sessions/mongodb-session.ts";
import type { PostgresSession } from "./sessions/postgres-session.ts";

/**
 * A check judges one kind of resource: a live PostgreSQL or MongoDB database, what the engine's own record says of one
 * declared database, or what it says of the organization. A new check is one object in `checks/`, a line in
 * `checks/all-checks.ts`, and its id in the controls of `frameworks/`.
 */
interface CheckWords {
  /** Unique, stable: reports of years are compared by it. */
  readonly id: string;
  /** What is true when the check passes. */
  readonly title: string;
  readonly severity: Severity;
  /** Why an organization should care, in one or two sentences. */
  readonly rationale: string;
  /** What to do when it fails. */
  readonly remedy: string;
}

export interface CheckContext {
  /** The sweep's time. Checks read no clock. */
  readonly now: Date;
  /** The most that the database's plan allows, in bytes, when the operator told. */
  readonly sizeLimitBytes: number | undefined;
}

interface LiveCheckWords extends CheckWords {
  /** What to grant when the server refuses to answer, as in "membership in pg_monitor". */
  readonly permission: string;
}

export interface PostgresCheck extends LiveCheckWords {
  readonly appliesTo: "postgres";
  run(session: PostgresSession, context: CheckContext, signal: AbortSignal): Promise<Verdict>;
}

export interface MongoCheck extends LiveCheckWords {
  readonly appliesTo: "mongodb";
  run(session: MongoSession, context: CheckContext, signal: AbortSignal): Promise<Verdict>;
}

/** Judges what the engine recorded of one declared database. Pure. */
export interface DatabaseRecordCheck extends CheckWords {
  readonly appliesTo: "database-record";
  judge(database: DatabaseRecord, record: EngineRecord, now: Date): Verdict;
}

/** Judges what the engine recorded of the organization as a whole. Pure. */
export interface OrganizationRecordCheck extends CheckWords {
  readonly appliesTo: "organization-record";
  judge(record: EngineRecord, now: Date): Verdict;
}

export type Check = PostgresCheck | MongoCheck | DatabaseRecordCheck | OrganizationRecordCheck;

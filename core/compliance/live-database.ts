import type { EngineName } from "../domain/snapshot.ts";
import type { Check, CheckContext, MongoCheck, PostgresCheck } from "./check.ts";
import { allChecks } from "./checks/all-checks.ts";
import { inconclusive, type Verdict } from "./finding.ts";
import { describeReadFailure } from "./reason-of-error.ts";
import type { MongoSession } from "./sessions/mongodb-session.ts";
import { openPostgresSession } from "./sessions/postgres-session.ts";
import { withTimeLimit } from "./time-limit.ts";

export interface SweptDatabase {
  readonly name: string;
  readonly engine: EngineName;
  /** With user and password; appears nowhere in the report. null: it could not be read, so that live checks are inconclusive. */
  readonly url: string | null;
  /** The most that the database's plan allows; without it the check of its size does not apply. */
  readonly sizeLimitBytes?: number;
}

interface Judged {
  readonly check: Check;
  readonly verdict: Verdict;
}

interface Limits {
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
}

interface Session {
  close(): Promise<void>;
}

const verdictOfError = (error: unknown, permission: string): Verdict => {
  const { kind, code, words } = describeReadFailure(error);
  const sentence = `${words[0]?.toUpperCase()}${words.slice(1)}`;
  return kind === "permission"
    ? inconclusive(`${sentence}; it takes ${permission}.`, { error: kind, code, takes: permission })
    : inconclusive(`${sentence} (${code}).`, { error: kind, code });
};

/** Closing is a courtesy: a connection that cannot even be closed must not hold up a sweep. */
const closeQuietly = (session: Session): void => {
  session.close().catch(() => {});
};

/**
 * Runs the checks one after the other over one session, which is all that a small plan has to spare. A session that a
 * check has left hanging or broken is replaced. A server that cannot be reached is tried once, not once for each check.
 */
const judgeOver = async <S extends Session>(
  open: () => Promise<S>,
  checks: readonly { readonly check: PostgresCheck | MongoCheck; run(session: S, signal: AbortSignal): Promise<Verdict> }[],
  { signal, timeLimitMs }: Limits,
): Promise<Judged[]> => {
  const timedOut = (what: string) =>
    inconclusive(`${what} took longer than ${timeLimitMs / 1_000} s.`, { error: "time-limit", timeLimitMs });
  let session: S | undefined;
  let unreachable: Verdict | undefined;

  const connect = async (): Promise<S | Verdict> => {
    let late = false;
    try {
      const opening = open();
      opening.then((opened) => late && closeQuietly(opened)).catch(() => {});
      const opened = await withTimeLimit(timeLimitMs, signal, () => opening);
      if (opened.outcome === "done") return opened.value;
      late = true;
      return timedOut("Connecting");
    } catch (error) {
      late = true;
      signal.throwIfAborted();
      return verdictOfError(error, "the right to connect");
    }
  };

  const judgeOne = async ({ check, run }: (typeof checks)[number]): Promise<Verdict> => {
    if (unreachable !== undefined) return unreachable;
    if (session === undefined) {
      const connected = await connect();
      if ("result" in connected) {
        unreachable = connected;
        return connected;
      }
      session = connected;
    }
    const current = session;
    const giveUp = () => {
      closeQuietly(current);
      session = undefined;
    };
    try {
      const limited = await withTimeLimit(timeLimitMs, signal, (own) => run(current, own));
      if (limited.outcome === "done") return limited.value;
      giveUp();
      return timedOut("The check");
    } catch (error) {
      if (signal.aborted || describeReadFailure(error).kind !== "permission") giveUp();
      signal.throwIfAborted();
      return verdictOfError(error, check.permission);
    }
  };

  const judged: Judged[] = [];
  try {
    for (const item of checks) judged.push({ check: item.check, verdict: await judgeOne(item) });
  } finally {
    if (session !== undefined) closeQuietly(session);
  }
  return judged;
};

/** What every check for the database's engine says of it. Rejects only when the signal aborts. */
export const judgeLiveDatabase = async (database: SweptDatabase, limits: Limits): Promise<Judged[]> => {
  const { url } = database;
  const context: CheckContext = { now: limits.now, sizeLimitBytes: database.sizeLimitBytes };
  if (url === null) {
    const verdict = inconclusive("The database's URL could not be read where the sweep ran.", { error: "url-missing" });
    return allChecks.filter(({ appliesTo }) => appliesTo === database.engine).map((check) => ({ check, verdict }));
  }
  if (database.engine === "postgres") {
    const checks = allChecks
      .filter((check) => check.appliesTo === "postgres")
      .map((check) => ({
        check,
        run: (session: Awaited<ReturnType<typeof openPostgresSession>>, signal: AbortSignal) => check.run(session, context, signal),
      }));
    return judgeOver(() => openPostgresSession(url), checks, limits);
  }
  // No check is of a live Redis or Cosmos DB yet: what the engine recorded of it is judged.
  if (database.engine !== "mongodb") return [];
  const checks = allChecks
    .filter((check) => check.appliesTo === "mongodb")
    .map((check) => ({
      check,
      run: (session: MongoSession, signal: AbortSignal) => check.run(session, context, signal),
    }));
  return judgeOver(async () => (await import("./sessions/mongodb-session.ts")).openMongoSession(url), checks, limits);
};

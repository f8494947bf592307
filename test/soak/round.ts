import { setTimeout as delay } from "node:timers/promises";
import type { WorkflowHandle } from "@temporalio/client";
import { backupInputOf } from "../../client/run-policy.ts";
import { failureOfWorkflow } from "../../client/run-workflow.ts";
import { listSnapshots } from "../../core/catalog/read-snapshots.ts";
import type { SnapshotRecord } from "../../core/catalog/records.ts";
import { isFailure } from "../../core/domain/failure.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import type { Random } from "../../core/domain/seeded-random.ts";
import { restoreSources } from "../../core/site/restore-sources.ts";
import { restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { jobContext } from "../integration/stored-snapshot.ts";
import type { Fault, Work } from "./faults.ts";
import { mustNotBeOffered, offeredByStores } from "./offered.ts";
import { mustHold, type Outcome, type RoundResult, Violation } from "./outcome.ts";
import type { Place } from "./place.ts";
import { soakedDatabase } from "./site-config.ts";

/** A lane of the soak between two rounds. */
export interface Lane {
  readonly place: Place;
  /** What each snapshot of the lane must restore to. */
  readonly contents: Map<string, string>;
  /** How long each work takes undisturbed, in milliseconds, as last seen. */
  readonly usual: Partial<Record<Work, number>>;
}

/** A run that a fault has left waiting for one of the long time limits of a step is given up after so long. */
const mostWaitMs = 40_000;

export const openLane = async (place: Place): Promise<Lane> => {
  const lane: Lane = { place, contents: new Map(), usual: {} };
  await place.startWorker();
  await undisturbedBackup(lane);
  return lane;
};

/** One round: a fault strikes at a random moment of the work; then what is left is judged. */
export const runRound = async (lane: Lane, work: Work, fault: Fault, round: number, random: Random): Promise<RoundResult> => {
  const started = Date.now();
  const { outcome, run, at } = await works[work](lane, fault, random);
  return { round, work, fault: fault.name, at, outcome, run, seconds: (Date.now() - started) / 1_000 };
};

interface Judged {
  readonly outcome: Outcome;
  readonly run: string;
  readonly at: string;
}

const startWork = (lane: Lane, type: Work): Promise<WorkflowHandle> => {
  const { client, site, database } = lane.place;
  const input = {
    backup: backupInputOf(site, soakedDatabase),
    drill: { database: soakedDatabase, engine: database.engine },
    retention: { databases: [soakedDatabase] },
    restore: {},
  }[type];
  return client.workflow.start(type, { workflowId: `${type}/${soakedDatabase}`, taskQueue: "orchestrate", args: [input] });
};

/** Lets the fault strike at a random moment of a workflow, repairs it, and waits for the workflow's end. */
const disturbed = async (lane: Lane, work: Work, { strike, forGood }: Fault, random: Random): Promise<{ ended: Ended; at: string }> => {
  const { place } = lane;
  const moment = random.next() * 1.1 * (lane.usual[work] ?? 3_000);
  const began = Date.now();
  const handle = await startWork(lane, work);
  const ended = endOf(handle);
  let over = 0;
  void ended.then(() => {
    over = Date.now();
  });
  await Promise.race([delay(moment), ended]);
  const at = await pendingOf(handle);
  const repair = await strike(place, random);
  if (forGood === true) await giveUp(handle);
  await repair();
  const waited = new AbortController();
  const late = delay(mostWaitMs, undefined, { signal: waited.signal }).then(() => giveUp(handle));
  late.catch(() => {});
  const end = await ended;
  waited.abort();
  if (end.type === "done" && at === "over") lane.usual[work] = over - began;
  return { ended: end, at };
};

interface Ended {
  /** `done`, or the type of the failure. */
  readonly type: string;
  readonly message: string;
  readonly result?: unknown;
}

const endOf = async (handle: WorkflowHandle): Promise<Ended> => {
  try {
    return { type: "done", message: "", result: await handle.result() };
  } catch (error) {
    const failure = failureOfWorkflow(error);
    const { name, message, cause } = failure as Error;
    if (isFailure(failure)) return { type: failure.type, message };
    return { type: cause instanceof Error ? cause.name : name, message: cause instanceof Error ? cause.message : message };
  }
};

/** Nobody goes on with it. One that has ended meanwhile is left as it is. */
const giveUp = (handle: WorkflowHandle): Promise<unknown> => handle.terminate("given up by the soak").catch(() => {});

/** The activities that are under way, or `over`. */
const pendingOf = async (handle: WorkflowHandle): Promise<string> => {
  const { raw, status } = await handle.describe();
  if (status.name !== "RUNNING") return "over";
  const names = (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name ?? "");
  return [...new Set(names)].sort().join("+") || "between steps";
};

/** Runs one, and restores it; fails the soak unless both get through. */
export const undisturbedBackup = async (lane: Lane): Promise<void> => {
  const { database } = lane.place;
  const content = await database.contentOf(database.source);
  const began = Date.now();
  const ended = await endOf(await startWork(lane, "backup"));
  mustHold(ended.type === "done", `an undisturbed backup failed: ${ended.type}: ${ended.message}`);
  lane.usual.backup = Date.now() - began;
  const { snapshot, degraded } = ended.result as BackupResult;
  mustHold(!degraded, `an undisturbed backup is degraded: ${snapshot}`);
  lane.contents.set(snapshot, content);
  await mustRestore(lane, snapshot);
};

/** The snapshot restores, and is what the source was, by the product's own comparison and by ours. */
const mustRestore = async (lane: Lane, snapshot: string, only?: string): Promise<void> => {
  await mustRestoreFrom(lane, snapshot, await restoreSources(lane.place.site, snapshot, soakedDatabase, { only }));
};

const mustRestoreFrom = async (lane: Lane, snapshot: string, sources: SnapshotSource): Promise<void> => {
  const { database } = lane.place;
  const job = { ...sources, engine: database.engine, url: database.target, replace: true, parallelism: 2 };
  const { identical, differences } = await restoreSnapshot(job, jobContext());
  mustHold(identical, `${snapshot} was not restored identically: ${differences.join("; ")}`);
  await mustBe(lane, snapshot);
};

const mustBe = async ({ place, contents }: Lane, snapshot: string): Promise<void> => {
  const [expected, found] = [contents.get(snapshot), await place.database.contentOf(place.database.target)];
  mustHold(expected === found, `${snapshot} was restored as\n  ${found}\nwhere the source was\n  ${expected}`);
};

const reached = ({ states }: SnapshotRecord, wanted: string): boolean => states.some(({ state }) => state === wanted);

const backup = async (lane: Lane, fault: Fault, random: Random): Promise<Judged> => {
  const { site, database } = lane.place;
  const catalog = await site.catalog();
  const known = new Set((await listSnapshots(catalog, { removed: true })).map(({ snapshot }) => snapshot));
  await database.change(random);
  const content = await database.contentOf(database.source);
  const { ended, at } = await disturbed(lane, "backup", fault, random);
  const run = ended.type === "done" && (ended.result as BackupResult).degraded ? "degraded" : ended.type;
  const made = (await listSnapshots(catalog, { removed: true })).filter(({ snapshot }) => !known.has(snapshot));
  mustHold(made.length <= 1, `one run made ${made.length} snapshots`);
  const [snapshot] = made;
  if (ended.type === "done")
    mustHold(snapshot !== undefined && reached(snapshot, "logged"), "a run said that it was done, and its snapshot is not in the log");
  let outcome: Outcome = "none";
  if (snapshot !== undefined && reached(snapshot, "replicated")) {
    lane.contents.set(snapshot.snapshot, content);
    await mustRestore(lane, snapshot.snapshot);
    outcome = run === "done" ? "done" : run === "degraded" ? "degraded" : "kept";
  } else if (snapshot !== undefined) {
    lane.contents.set(snapshot.snapshot, content);
    await mustNotBeOffered(lane.place, snapshot.snapshot);
    if (snapshot.removedAt === null) await mustRestore(lane, snapshot.snapshot);
    outcome = "sealed";
  }
  for (const [id, sources] of await offeredByStores(lane.place, new Set([...known, ...made.map((each) => each.snapshot)]))) {
    if (!lane.contents.has(id)) lane.contents.set(id, content);
    await mustRestoreFrom(lane, id, sources);
  }
  if (outcome !== "done") await undisturbedBackup(lane);
  return { outcome, run, at };
};

const newest = async ({ place }: Lane): Promise<string> => {
  const snapshots = await listSnapshots(await place.site.catalog());
  const found = snapshots.find((snapshot) => reached(snapshot, "replicated"));
  if (found === undefined) throw new Violation("there is no snapshot any more");
  return found.snapshot;
};

const restore = async (lane: Lane, { strike }: Fault, random: Random): Promise<Judged> => {
  const { place } = lane;
  const snapshot = await newest(lane);
  if (lane.usual.restore === undefined) {
    const began = Date.now();
    const whole = await place.restore(snapshot, "--replace");
    mustHold(whole.code === 0, `an undisturbed restore failed: ${whole.stdout}${whole.stderr}`);
    lane.usual.restore = Date.now() - began;
  }
  const usual = lane.usual.restore;
  const moment = random.next() * 1.1 * usual;
  const began = Date.now();
  const hasBegun = await place.database.watchTarget();
  const running = place.restore(snapshot, "--replace");
  // Starting and comparing take most of the time: often enough the moment is in between, while it writes.
  const writing = random.next() < 0.6;
  if (writing) await Promise.race([begunToWrite(hasBegun, running), running]);
  await Promise.race([delay(writing ? random.between(0, 400) : moment), running]);
  const early = await Promise.race([running.then(() => true), Promise.resolve(false)]);
  const repair = await strike(place, random);
  await repair();
  const first = await running;
  const run = outcomeOf(first);
  const at = early ? "over" : writing ? "writing" : `${Math.round((moment / usual) * 20) * 5} % of its usual time`;
  if (run === "done") {
    if (early) lane.usual.restore = Date.now() - began;
    await mustBe(lane, snapshot);
    return { outcome: "done", run, at };
  }
  const resumed = await place.restore(snapshot, "--resume");
  if (resumed.code === 0) {
    await mustBe(lane, snapshot);
    return { outcome: "resumed", run, at };
  }
  // Only where nothing was written yet is there nothing to go on with.
  const { error } = JSON.parse(resumed.stdout.trim().split("\n").at(-1) ?? "{}") as { error?: { type: string; message: string } };
  mustHold(error?.type === "UsageInvalid", `--resume failed after ${run}: ${resumed.stdout}${resumed.stderr}`);
  const anew = await place.restore(snapshot, "--replace");
  mustHold(anew.code === 0, `a restore anew failed: ${anew.stdout}${anew.stderr}`);
  await mustBe(lane, snapshot);
  return { outcome: "replaced", run, at };
};

const begunToWrite = async (hasBegun: () => Promise<boolean>, until: Promise<unknown>): Promise<void> => {
  let over = false;
  void until.then(() => {
    over = true;
  });
  while (!over && !(await hasBegun())) await delay(10);
};

const outcomeOf = ({ code, stdout }: { code: number; stdout: string }): string => {
  if (code === 0) return "done";
  const last = stdout.trim().split("\n").at(-1) ?? "";
  return last.startsWith("{") ? ((JSON.parse(last) as { error?: { type: string } }).error?.type ?? `exit code ${code}`) : "killed";
};

const drill = async (lane: Lane, fault: Fault, random: Random): Promise<Judged> => {
  const { ended, at } = await disturbed(lane, "drill", fault, random);
  if (ended.type !== "done") {
    const next = await endOf(await startWork(lane, "drill"));
    mustHold(next.type === "done", `an undisturbed drill failed: ${next.type}: ${next.message}`);
  }
  const scratches = await lane.place.database.scratches();
  mustHold(scratches.length === 0, `a drill left ${scratches.join(", ")}`);
  return { outcome: ended.type === "done" ? "done" : "again", run: ended.type, at };
};

const retention = async (lane: Lane, fault: Fault, random: Random): Promise<Judged> => {
  const { ended, at } = await disturbed(lane, "retention", fault, random);
  if (ended.type !== "done") {
    const next = await endOf(await startWork(lane, "retention"));
    mustHold(next.type === "done", `an undisturbed retention failed: ${next.type}: ${next.message}`);
  }
  await mustRestore(lane, await newest(lane), random.oneOf([undefined, "landing", "second"]));
  return { outcome: ended.type === "done" ? "done" : "again", run: ended.type, at };
};

const works: Record<Work, (lane: Lane, fault: Fault, random: Random) => Promise<Judged>> = { backup, restore, drill, retention };

/** Runs it undisturbed; fails the soak unless it gets through. */
export const mustRun = async (lane: Lane, work: Work): Promise<void> => {
  const ended = await endOf(await startWork(lane, work));
  mustHold(ended.type === "done", `an undisturbed ${work} failed: ${ended.type}: ${ended.message}`);
};

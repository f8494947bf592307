import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { formatDuration } from "../../core/domain/duration.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { type ComponentName, componentNames, componentOf, type StackAddresses, usualComponents } from "./components.ts";
import { withLock } from "./lock.ts";
import { endProcess, isAlive, launchDetached } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { placeOf, readState, type StackState, settle, writeState } from "./state.ts";

const startWithinMs = 90_000;
const stopWithinMs = 10_000;

const locked = async <T>(folder: string, work: (state: StackState) => Promise<T>): Promise<T> => {
  await mkdir(folder, { recursive: true });
  return withLock(join(folder, "stack.lock"), async () => work(readState(folder)));
};

export const logOf = (folder: string, process: string): string => join(folder, "logs", `${process}.log`);

const lastLines = (log: string): string => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n") : "");

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return error instanceof Error ? `${error.message}${cause}` : String(error);
};

const awaitHealthy = async (folder: string, name: ComponentName, state: StackState): Promise<void> => {
  const component = componentOf(name);
  const own = state.components[name]!;
  const deadline = Date.now() + startWithinMs;
  for (;;) {
    const reason = await component.check(placeOf(folder, name, own)).then(() => undefined, reasonOf);
    if (reason === undefined) return;
    const dead = Object.entries(own.processes).find(([, running]) => !isAlive(running));
    if (dead !== undefined) {
      const log = logOf(folder, dead[0]);
      throw new Failure("StackFailed", `${dead[0]} ended while it started; its log ${log} ends with:\n${lastLines(log)}`);
    }
    if (Date.now() > deadline) {
      const logs = Object.keys(own.processes).map((process) => logOf(folder, process));
      throw new Failure(
        "StackFailed",
        `${name} did not answer within ${formatDuration(startWithinMs)} (${reason}); see ${logs.join(", ")}`,
      );
    }
    await delay(40);
  }
};

/** Starts what is not running of one component and waits until it answers. Changes nothing if all of it does. */
const bringUp = async (folder: string, name: ComponentName, state: StackState, save: () => Promise<void>, progress: Progress) => {
  const component = componentOf(name);
  const own = state.components[name]!;
  const place = placeOf(folder, name, own);
  const running = Object.values(own.processes);
  if (running.length > 0 && running.every(isAlive)) {
    const healthy = await component.check(place).then(
      () => true,
      () => false,
    );
    if (healthy) return;
  }
  const started = Date.now();
  const launches = await component.prepare(place, progress).catch((error: unknown) => {
    throw isFailure(error)
      ? error
      : new Failure("StackFailed", `${name} cannot be made ready in ${place.folder}: ${reasonOf(error)}`, { cause: error });
  });
  await mkdir(join(folder, "logs"), { recursive: true });
  for (const [process, launch] of Object.entries(launches)) {
    const before = own.processes[process];
    if (before !== undefined && isAlive(before)) continue;
    if (before !== undefined) await endProcess(before, "SIGKILL", 0);
    own.processes[process] = { ...(await launchDetached(launch, logOf(folder, process))), startedAt: new Date().toISOString() };
    await save();
  }
  await awaitHealthy(folder, name, state);
  progress(name, `up after ${formatDuration(Date.now() - started)}: ${component.shown(place)}`);
};

const takeDown = async (name: ComponentName, state: StackState): Promise<void> => {
  const own = state.components[name];
  if (own === undefined) return;
  const signal = componentOf(name).stopSignal ?? "SIGTERM";
  await Promise.all(Object.values(own.processes).map((running) => endProcess(running, signal, stopWithinMs)));
  own.processes = {};
};

const addressesOf = async (folder: string, names: readonly ComponentName[], state: StackState): Promise<StackAddresses> => {
  const pairs = names.map(async (name) => [name, await componentOf(name).address(placeOf(folder, name, state.components[name]!))] as const);
  return Object.fromEntries(await Promise.all(pairs)) as StackAddresses;
};

/** Settles every promise before it rejects with the first error, so that no start goes on behind a failure's back. */
const allSettled = async (works: readonly Promise<unknown>[]): Promise<void> => {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
};

/**
 * Starts the components (the usual ones, unless named) that are not running in `folder`, and resolves once each answers. What runs
 * already is left as it is. Fetches or builds first what this machine lacks. Processes outlive the caller. Rejects with
 * the first component's failure, after all have come to an end; those that did start stay up.
 */
export const stackUp = async (options: {
  folder: string;
  components?: readonly ComponentName[];
  onProgress?: Progress;
}): Promise<StackAddresses> => {
  const folder = resolve(options.folder);
  const names = options.components ?? usualComponents;
  const progress: Progress = options.onProgress ?? (() => {});
  await allSettled(names.map((name) => componentOf(name).setUp(progress)));
  return locked(folder, async (state) => {
    await chmod(folder, 0o711);
    await settle(folder, state, names);
    await writeState(folder, state);
    let saving = Promise.resolve();
    const save = () => (saving = saving.then(() => writeState(folder, state)));
    await allSettled(names.map((name) => bringUp(folder, name, state, save, progress)));
    return addressesOf(folder, names, state);
  });
};

export interface ComponentStatus {
  /** The process; a component of several has one line for each (`ipfs-1`, `ipfs-2`, …). */
  readonly component: string;
  /** `failed`: it should run, but is dead or does not answer. */
  readonly state: "running" | "stopped" | "failed";
  readonly pid: number | undefined;
  readonly address: string | undefined;
  readonly log: string;
  /** Milliseconds since it was started; undefined unless its process lives. */
  readonly uptime: number | undefined;
  /** Why it is `failed`. */
  readonly reason: string | undefined;
}

/** The state of every component that the stack in `folder` has; asks each whether it answers. Changes nothing. */
export const stackStatus = async (folder: string): Promise<ComponentStatus[]> => {
  const state = readState(resolve(folder));
  const statusOf = async (name: ComponentName): Promise<ComponentStatus[]> => {
    const own = state.components[name];
    const none = { pid: undefined, uptime: undefined, reason: undefined };
    if (own === undefined || Object.keys(own.processes).length === 0)
      return [{ component: name, state: "stopped", address: undefined, log: logOf(resolve(folder), name), ...none }];
    const place = placeOf(resolve(folder), name, own);
    const reason = await componentOf(name)
      .check(place)
      .then(() => undefined, reasonOf);
    const anyDead = Object.values(own.processes).some((running) => !isAlive(running));
    return Object.entries(own.processes).map(([process, running]) => {
      const alive = isAlive(running);
      // One dead peer makes the others' check fail, but it is not they who failed.
      const failed = !alive || (reason !== undefined && !anyDead);
      return {
        component: process,
        state: failed ? "failed" : "running",
        pid: running.pid,
        address: componentOf(name).shown(place, process),
        log: logOf(resolve(folder), process),
        uptime: alive ? Date.now() - Date.parse(running.startedAt) : undefined,
        reason: alive ? (failed ? reason : undefined) : "its process has ended",
      };
    });
  };
  return (await Promise.all(componentNames.map(statusOf))).flat();
};

/** Stops every component of the stack in `folder`; with `purge`, also removes its data, ports and passwords. */
export const stackDown = async (folderGiven: string, options: { purge?: boolean } = {}): Promise<void> => {
  const folder = resolve(folderGiven);
  if (!existsSync(folder)) return;
  await locked(folder, async (state) => {
    await allSettled(componentNames.map((name) => takeDown(name, state)));
    await writeState(folder, state);
    if (!options.purge) return;
    for (const name of componentNames) {
      const own = state.components[name];
      if (own === undefined) continue;
      for (const outside of componentOf(name).outside?.(placeOf(folder, name, own)) ?? [])
        await rm(outside, { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
  });
};

/** Starts one component in `folder`, like `stackUp` with it alone. */
export const startComponent = async <Name extends ComponentName>(
  name: Name,
  folder: string,
  onProgress?: Progress,
): Promise<StackAddresses[Name]> =>
  (await stackUp({ folder, components: [name], ...(onProgress === undefined ? {} : { onProgress }) }))[name];

/** Stops one component in an orderly way; `stackUp` or `startComponent` starts it again with its data, on its ports. */
export const stopComponent = (name: ComponentName, folderGiven: string): Promise<void> => {
  const folder = resolve(folderGiven);
  return locked(folder, async (state) => {
    await takeDown(name, state);
    await writeState(folder, state);
  });
};

/** SIGKILL, as a crash would: for tests. `process` names one of several (`ipfs-2`); without it, all of the component. */
export const killComponent = (name: ComponentName, folderGiven: string, process?: string): Promise<void> => {
  const folder = resolve(folderGiven);
  return locked(folder, async (state) => {
    const all = Object.entries(state.components[name]?.processes ?? {});
    await Promise.all(
      all.filter(([own]) => process === undefined || own === process).map(([, running]) => endProcess(running, "SIGKILL", 5_000)),
    );
  });
};

import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A process by number and birth: a number alone may by now be another program's. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly birth: string;
}

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** User and group to run as, when not the caller's own. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

let bootId: string | undefined;
const boot = (): string => (bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());

const birthOf = (pid: number): string | undefined => {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // Fields after the command's closing parenthesis: state first, start time as the 20th.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" || fields[0] === "X" ? undefined : `${boot()}/${fields[19]}`;
    }
    const [state, ...started] = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
  } catch {
    return undefined;
  }
};

export const isAlive = (identity: ProcessIdentity): boolean => birthOf(identity.pid) === identity.birth;

/** Starts a process that outlives this one, in a group of its own, with its output appended to `log`. */
export const launchDetached = (launch: Launch, log: string): Promise<ProcessIdentity> =>
  new Promise((resolve, reject) => {
    const output = openSync(log, "a", 0o600);
    const child = spawn(launch.command, launch.args, {
      cwd: launch.cwd,
      env: { ...process.env, ...launch.env },
      detached: true,
      stdio: ["ignore", output, output],
      ...launch.user,
    });
    closeSync(output);
    child.once("error", reject);
    child.once("spawn", () => {
      child.unref();
      resolve({ pid: child.pid!, birth: birthOf(child.pid!) ?? "ended at once" });
    });
  });

const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in that group.
  }
};

const hasEnded = async (identity: ProcessIdentity, withinMs: number): Promise<boolean> => {
  const deadline = Date.now() + withinMs;
  while (isAlive(identity)) {
    if (Date.now() > deadline) return false;
    await delay(15);
  }
  return true;
};

/** Ends a process and its group: `signal` first, SIGKILL for what is left after `patienceMs`. */
export const endProcess = async (identity: ProcessIdentity, signal: NodeJS.Signals, patienceMs: number): Promise<void> => {
  const sameBoot = process.platform !== "linux" || identity.birth.startsWith(boot());
  if (isAlive(identity)) {
    signalGroup(identity.pid, signal);
    if (await hasEnded(identity, patienceMs)) return signalGroup(identity.pid, "SIGKILL");
    signalGroup(identity.pid, "SIGKILL");
    await hasEnded(identity, 5_000);
  } else if (sameBoot && birthOf(identity.pid) === undefined) {
    // Its leader is dead. As long as others live in the group, its number belongs to no other process.
    signalGroup(identity.pid, "SIGKILL");
  }
};

import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../core/domain/failure.ts";
import type { Place } from "./component.ts";
import { type ComponentName, componentOf } from "./components.ts";
import { chooseFreePorts } from "./ports.ts";
import type { ProcessIdentity } from "./processes.ts";

export interface RunningProcess extends ProcessIdentity {
  /** ISO 8601. */
  readonly startedAt: string;
}

interface ComponentState {
  readonly ports: Readonly<Record<string, number>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** The processes that should run, by name; empty after a stop. */
  processes: Record<string, RunningProcess>;
}

/** What `stack.json` holds: readable by its owner only, since it has the passwords. */
export interface StackState {
  version: 1;
  components: Partial<Record<ComponentName, ComponentState>>;
}

const fileOf = (folder: string) => join(folder, "stack.json");

export const readState = (folder: string): StackState => {
  try {
    return JSON.parse(readFileSync(fileOf(folder), "utf8")) as StackState;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { version: 1, components: {} };
    throw new Failure("Unexpected", `${fileOf(folder)} cannot be read; run \`dbgov stack down --purge\` or remove the folder`, { cause });
  }
};

/** Whole or not at all, also if the machine stops in the middle. */
export const writeState = async (folder: string, state: StackState): Promise<void> => {
  const file = fileOf(folder);
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
};

export const placeOf = (folder: string, name: ComponentName, state: ComponentState): Place => ({
  folder: join(folder, name),
  ports: state.ports,
  secrets: state.secrets,
});

/** Chooses ports and secrets for those of `names` that have none yet, and makes their folders. */
export const settle = async (folder: string, state: StackState, names: readonly ComponentName[]): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    await mkdir(join(folder, name), { recursive: true });
    if (state.components[name] !== undefined) continue;
    const { ports, makeSecrets } = componentOf(name);
    const taken = new Set(Object.values(state.components).flatMap((other) => Object.values(other.ports)));
    const chosen = await chooseFreePorts(ports.length, taken);
    state.components[name] = {
      ports: Object.fromEntries(ports.map((port, index) => [port, chosen[index]!])),
      secrets: makeSecrets?.() ?? {},
      processes: {},
    };
  }
};

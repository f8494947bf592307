import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { StackAddresses } from "../stack/components.ts";
import type { Arm } from "./arm.ts";
import { openBenchSite } from "./bench-site.ts";
import type { DataSet } from "./data-set.ts";
import { machineryArm, ourArm } from "./our-arms.ts";
import { arms, type Measured, type Sample, type State, states } from "./sample.ts";
import { floorArm, kopiaArm, pgRestoreArm, pipeArm, resticArm } from "./shell-arms.ts";
import type { Tools } from "./tools.ts";

/** What is backed up. */
export interface Source {
  readonly engine: "postgres" | "mongodb";
  readonly url: string;
}

export interface Bench {
  readonly stack: Pick<StackAddresses, "postgres" | "temporal">;
  readonly tools: Tools;
  readonly folder: string;
  /** Leaves out what the summary does not need. */
  readonly quick: boolean;
  /** Processes whose time counts as the database's: its server, and the catalog's where that is another. */
  readonly serversOf: (engine: Source["engine"]) => readonly number[];
  readonly temporalPid: number;
  readonly say: (text: string) => void;
}

export interface Round extends Pick<Bench, "stack" | "tools" | "temporalPid"> {
  readonly source: Source;
  readonly servers: readonly number[];
  /** Its own, empty. */
  readonly folder: string;
}

/** Which round it is, and whether it does what takes long, and is the same in every round, once only. */
interface RoundPlace {
  readonly number: number;
  readonly of: number;
  readonly sparing: boolean;
}

/** Who takes part in a state. Nothing about a dump depends on the one before it, but its time on what is in the database. */
const takesPart = (arm: Arm, state: State, { number, sparing }: RoundPlace): boolean => {
  // No target is about these.
  if (arm.name === "machinery" || arm.name === "pipeOneThread") return state === "full" && number === 1 && !sparing;
  if (arm.name === "floor" || arm.name === "pipe") return state === "full" || !sparing;
  return true;
};

/** Changes come once, where only the size of the repository needs them: in the last round, so that the source is as it was in all before it. */
const statesOf = ({ only }: DataSet, { number, of, sparing }: RoundPlace): State[] =>
  (Object.keys(states) as State[]).filter((state) => {
    if (only?.includes(state) === false) return false;
    return !sparing || number === of || state === "full" || state === "unchanged";
  });

/** A dump that is read into `psql` takes three times as long as the others, and is what no target is about. */
const restores = (arm: Arm, { number, sparing }: RoundPlace): boolean =>
  arm.restore !== undefined && (arm.name === "ours" || arm.name === "pgRestore" || (number === 1 && !sparing));

/** Everyone begins elsewhere in each round, so that nobody is always the first after something. */
const rotated = <T>(list: readonly T[], by: number): T[] => [...list.slice(by % list.length), ...list.slice(0, by % list.length)];

/** All states, in each all arms one after the other, so that what else the machine does meets them all alike. */
export const runRound = async (
  bench: Bench,
  data: DataSet,
  { number, of }: Pick<RoundPlace, "number" | "of">,
  customDump: string,
): Promise<Sample[]> => {
  const { stack, tools, temporalPid, quick, say } = bench;
  const place: RoundPlace = { number, of, sparing: quick || data.mostRounds !== undefined };
  const folder = join(bench.folder, "round");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const source = await data.reset();
  const round: Round = { stack, tools, temporalPid, source, folder, servers: bench.serversOf(source.engine) };
  const site = await openBenchSite({
    folder: join(folder, "site"),
    stack,
    databases: [
      { name: "source", ...source },
      { name: "empty", engine: "postgres", url: stack.postgres.url },
    ],
  });
  const samples: Sample[] = [];
  const add = (arm: Arm, work: Sample["work"], measured: Measured): void => {
    samples.push({ dataSet: data.name, round: number, arm: arm.name, work, ...measured });
    const what = work === "restore" ? "restore" : states[work];
    say(`  ${what.padEnd(16)} ${arms[arm.name].padEnd(26)} ${measured.seconds.toFixed(2)} s`);
  };
  try {
    const all = [
      floorArm(round),
      pipeArm(round, 2),
      pipeArm(round, 1),
      await kopiaArm(round),
      await resticArm(round),
      await ourArm(round, site),
      ...(source.engine === "postgres" ? [await machineryArm(round)] : []),
    ];
    for (const state of statesOf(data, place)) {
      if (state !== "full" && state !== "unchanged") await data.change(state);
      await data.settle();
      const now = all.filter((arm) => takesPart(arm, state, place));
      for (const arm of rotated(now, number)) add(arm, state, await arm.backUp());
      if (state !== "full" || source.engine !== "postgres" || data.only !== undefined) continue;
      const restoring = [...all, pgRestoreArm(round, customDump)].filter((arm) => restores(arm, place));
      for (const arm of rotated(restoring, number)) {
        const target = await createSampleDatabase(stack.postgres.url, "bench_target");
        add(arm, "restore", await arm.restore!(target));
      }
    }
    return samples;
  } finally {
    await site.close();
  }
};

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { randomOf, shuffled } from "../../core/domain/seeded-random.ts";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { unlessBrokenOff } from "../bench/break-off.ts";
import { type Fault, faults, type Work } from "./faults.ts";
import { mustLeaveNothing } from "./leftovers.ts";
import type { RoundResult } from "./outcome.ts";
import { openPlace } from "./place.ts";
import { openLane, runRound } from "./round.ts";

export interface SoakOptions {
  readonly seed: number;
  /** Their numbers, from 1. */
  readonly rounds: readonly number[];
  /** So many at the same time, each with servers of its own. */
  readonly lanes: number;
  /** Address of Temporal. */
  readonly temporal: string;
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  readonly engine: EngineName;
  readonly onRound: (result: RoundResult) => void;
  readonly onFailure: (failed: FailedRound) => void;
}

export interface FailedRound {
  readonly round: number;
  readonly work: string;
  readonly fault: string;
  readonly reason: string;
}

export interface SoakResult {
  readonly rounds: readonly RoundResult[];
  readonly failed: readonly FailedRound[];
}

/** What is left behind is looked for after so many rounds of a lane, and at its end. */
const roundsBetweenLooks = 8;

/** Every pair of a work and a fault that fits it, each as often as any other: the round's number says which. */
const pairsOf = (engine: EngineName): { work: Work; fault: Fault }[] =>
  faults.filter(({ notFor }) => notFor !== engine).flatMap((fault) => fault.in.map((work) => ({ work, fault })));

export const taskOf = (engine: EngineName, seed: number, round: number): { work: Work; fault: Fault } => {
  const pairs = pairsOf(engine);
  const [deck, card] = [Math.floor((round - 1) / pairs.length), (round - 1) % pairs.length];
  return shuffled(pairs, randomOf(seed, -1 - deck))[card]!;
};

/**
 * Runs the rounds. A lane whose round failed is closed, and another one opened for the rounds that are left; one that could not even
 * be opened ends the soak, as the next would not be either.
 */
export const soak = async (options: SoakOptions): Promise<SoakResult> => {
  const { seed, onRound, onFailure } = options;
  const left = [...options.rounds];
  const rounds: RoundResult[] = [];
  const failed: FailedRound[] = [];

  const useLane = async (name: string): Promise<void> => {
    const place = await openPlace({ name, temporal: options.temporal, bin: options.bin, engine: options.engine });
    let now = { round: 0, work: "backup", fault: "none" };
    try {
      const lane = await openLane(place);
      for (let count = 1; left.length > 0; count += 1) {
        const round = left.shift()!;
        const { work, fault } = taskOf(options.engine, seed, round);
        now = { round, work, fault: fault.name };
        const result = await runRound(lane, work, fault, round, randomOf(seed, round));
        rounds.push(result);
        onRound(result);
        if (count % roundsBetweenLooks === 0) await mustLeaveNothing(lane);
      }
      now = { ...now, fault: `what is left after ${now.fault}` };
      await mustLeaveNothing(lane);
    } catch (error) {
      await unlessBrokenOff();
      if (now.round === 0) left.length = 0;
      const reason = `${inspect(error, { depth: 4 })}\n${await lastComplaints(place.folder)}`;
      failed.push({ ...now, reason });
      onFailure({ ...now, reason });
    } finally {
      await place.close();
    }
  };
  const lanes = Array.from({ length: options.lanes }, async (_, at) => {
    for (let use = 1; left.length > 0; use += 1) await useLane(`soak-${process.pid}-${seed}-${at + 1}-${use}-${Date.now().toString(36)}`);
  });
  await Promise.all(lanes);
  return { rounds, failed };
};

/** What the lane's workers logged as errors at last. */
const lastComplaints = async (folder: string): Promise<string> => {
  const logs = (await readdir(folder)).filter((name) => /^worker-\d+\.log$/.test(name));
  const texts = await Promise.all(logs.map((name) => readFile(join(folder, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => !line.includes('"level":"INFO"') && line !== "");
  return lines.sort().slice(-12).join("\n");
};

/** What a round came to. Anything else ends the soak: see `Violation`. */
export const outcomes = {
  done: "the work got through in spite of it; the snapshot restores identically",
  degraded: "the backup got through without one of its stores; the snapshot restores identically",
  kept: "the run failed or was given up after its snapshot was complete, which restores identically",
  sealed: "the run failed or was given up between sealing and copying: never offered as a snapshot; the next run succeeded",
  none: "the run failed or was given up, and there is no snapshot of it; the next run succeeded",
  resumed: "the restore was broken off; with --resume the target became identical",
  replaced: "the restore was broken off before it had begun to write, or when all was written; anew, the target became identical",
  again: "the drill or retention failed; the next one succeeded",
} as const;

export type Outcome = keyof typeof outcomes;

export interface RoundResult {
  readonly round: number;
  readonly work: string;
  readonly fault: string;
  /** What was going on when it struck. */
  readonly at: string;
  readonly outcome: Outcome;
  /** How the run itself ended. */
  readonly run: string;
  readonly seconds: number;
}

/** What must never be: found by a round, which can be run alone by its seed and number. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export const mustHold = (condition: boolean, what: string): void => {
  if (!condition) throw new Violation(what);
};

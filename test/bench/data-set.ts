import type { Source } from "./rounds.ts";
import type { State } from "./sample.ts";

export type Change = Exclude<State, "full" | "unchanged">;

/** A database to be measured on: loaded once, brought back to its beginning before each round. */
export interface DataSet {
  readonly name: string;
  readonly title: string;
  /** What each change does, for readers. */
  readonly changes: Readonly<Record<Change, string>>;
  /** Its server takes so long that more rounds would not be worth it, and changes only one. */
  readonly mostRounds?: number;
  /** What is measured on it. @default every state, and restores */
  readonly only?: readonly State[];
  /** Loads what an earlier bench has not. */
  load(): Promise<void>;
  /** The source as it was loaded. */
  reset(): Promise<Source>;
  change(change: Change): Promise<void>;
  /** What its change left behind in caches and hint bits is done before anything is timed. */
  settle(): Promise<void>;
}

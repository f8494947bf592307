import type { StackAddresses } from "../stack/components.ts";

/** What every simulation of scale works with. */
export interface Ground {
  readonly stack: Pick<StackAddresses, "postgres" | "temporal">;
  /** Its own; made, and removed by whoever gave it. */
  readonly folder: string;
  /** Begins the names of its databases, and is Temporal's namespace, which exists. */
  readonly name: string;
  readonly say: (text: string) => void;
}

/** One thing that has to hold: `value` is at most `limit`. */
export interface Bound {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: "s" | "MB" | "events" | "missed";
}

export interface SimulationResult {
  readonly title: string;
  /** In words, with the figures that are no bounds. */
  readonly said: readonly string[];
  readonly bounds: readonly Bound[];
}

export const holds = ({ value, limit }: Bound): boolean => value <= limit;

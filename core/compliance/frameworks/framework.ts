import type { FrameworkId } from "../finding.ts";

/**
 * A framework as far as databases and their copies can show evidence for it. Titles of controls are our own words, not
 * the standard's text. A finding supports or contradicts a control; it never alone proves that one is met.
 */
export interface Framework {
  readonly id: FrameworkId;
  readonly name: string;
  /** What the controls' ids refer to. */
  readonly basis: string;
  readonly controls: readonly Control[];
}

export interface Control {
  readonly id: string;
  readonly title: string;
  /** Ids of the checks whose findings are evidence for it. */
  readonly checks: readonly string[];
}

/** Whether what a store's service ends by itself is safe for now. Pure arithmetic. */

export interface EndingThing {
  readonly what: string;
  /** ISO 8601; null when it never ends. */
  readonly until: string | null;
  /** How far the money reaches, ISO 8601; null when that is unknown or no question. */
  readonly fundedUntil: string | null;
  /** One sentence of the store's own, where somebody must act. */
  readonly problem?: string;
}

export interface RenewalVerdict {
  readonly kind: "ending" | "unfunded";
  readonly message: string;
}

const day = (iso: string): string => iso.slice(0, 10);

/** What somebody must do about it: its end, or that of the money, is nearer than the margin. After a renewal was tried; empty when all is well. */
export const judgeRenewals = (store: string, things: readonly EndingThing[], marginDays: number, now: Date): RenewalVerdict[] => {
  const margin = now.getTime() + marginDays * 86_400_000;
  const verdicts: RenewalVerdict[] = [];
  for (const { what, until, fundedUntil, problem } of things) {
    const told = problem === undefined ? "" : `: ${problem}`;
    if (fundedUntil !== null && Date.parse(fundedUntil) < margin) {
      verdicts.push({ kind: "unfunded", message: `the money for ${what} in store ${store} reaches until ${day(fundedUntil)}${told}` });
    } else if (until !== null && Date.parse(until) < margin) {
      verdicts.push({ kind: "ending", message: `${what} in store ${store} ends on ${day(until)}, and was not renewed${told}` });
    } else if (problem !== undefined) {
      verdicts.push({ kind: "ending", message: `${what} in store ${store}${told}` });
    }
  }
  return verdicts;
};

/** Random numbers that are the same for the same seed and round, whatever happened in the rounds before. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number, from `least` to `most`. */
  between(least: number, most: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

export const randomOf = (seed: number, round: number): Random => {
  // Mulberry32: small, and good enough to choose moments by.
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(round + 1, 0x85ebca6b)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return { next, between, oneOf: (choices) => choices[between(0, choices.length - 1)]! };
};

export const shuffled = <T>(items: readonly T[], random: Random): T[] => {
  const deck = [...items];
  for (let at = deck.length - 1; at > 0; at -= 1) {
    const other = random.between(0, at);
    [deck[at], deck[other]] = [deck[other]!, deck[at]!];
  }
  return deck;
};

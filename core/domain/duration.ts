const milliseconds = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `30s`, `15m`, `26h` or `7d`; undefined for anything else. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+)([smhd])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * milliseconds[match[2] as keyof typeof milliseconds];
};

/** For text that the configuration's schema has already accepted. */
export const durationMs = (text: string): number => {
  const value = parseDuration(text);
  if (value === undefined) throw new RangeError(`not a duration: ${text}`);
  return value;
};

/** `1.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`: for eyes. */
export const formatDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const pairs = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ] as const;
  const first = pairs.findIndex(([, size]) => seconds >= size);
  const [unit, size] = pairs[first]!;
  const rest = pairs[first + 1];
  const remainder = rest === undefined ? 0 : Math.floor((seconds % size) / rest[1]);
  return `${Math.floor(seconds / size)} ${unit}${rest !== undefined && remainder > 0 ? ` ${remainder} ${rest[0]}` : ""}`;
};

const units = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** Bytes of `500MB`, `5 GB` or `1.5TiB`; undefined for anything else. Units are those that services bill in: powers of 1000, or of 1024 with an `i`. */
export const parseSize = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/.exec(text);
  const bytes = match === null ? Number.NaN : Math.floor(Number(match[1]) * units[match[2] as keyof typeof units]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
};

/** For text that the configuration's schema has already accepted. */
export const sizeBytes = (text: string): number => {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new RangeError(`not a size: ${text}`);
  return bytes;
};

/** `1.4 MB`, in powers of 1000: for eyes. */
export const formatSize = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`;
  const names = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1_000 && unit < names.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${names[unit]}`;
};

import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where people read. Colors and moving progress only where the stream is a terminal; `NO_COLOR` is honored. */
const colored = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && process.env.NO_COLOR === undefined;

export const paint = (style: Style, text: string): string => (colored(process.stdout) ? styleText(style, text) : text);

export const good = (text: string): string => paint("green", text);
export const bad = (text: string): string => paint("red", text);
export const warn = (text: string): string => paint("yellow", text);
export const dim = (text: string): string => paint("dim", text);
export const bold = (text: string): string => paint("bold", text);

export const say = (line = ""): void => void process.stdout.write(`${line}\n`);

/** The width of what is seen, without the color codes. */
const seen = (text: string): number => stripVTControlCharacters(text).length;

/** Columns as wide as their widest cell, two spaces apart. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => seen(row[at] ?? ""))));
  const line = (cells: readonly string[], style: (text: string) => string = (text) => text): string =>
    cells
      .map((cell, at) => style(cell) + " ".repeat(Math.max(0, (widths[at] ?? 0) - seen(cell))))
      .join("  ")
      .trimEnd();
  return [line(head, dim), ...rows.map((row) => line(row))].join("\n");
};

/** `1 pack`, `3,300 rows`. */
export const plural = (count: number, one: string, many = `${one}s`): string => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export { formatSize as formatBytes } from "../../core/domain/size.ts";

/** `2026-11-24 02:15:00`, of an ISO instant in UTC. */
export const utcSecond = (iso: string): string => iso.slice(0, 19).replace("T", " ");

/** `2026-11-24 02:15`. */
export const utcMinute = (iso: string): string => iso.slice(0, 16).replace("T", " ");

/** `2 h ago`: how long before `now`, in milliseconds. */
export const formatAge = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
};

export interface Progress {
  /** Whether anybody watches. What is not seen need not be asked for. */
  readonly live: boolean;
  update(text: string): void;
  /** Ends the line, with a last word if there is one. */
  end(text?: string): void;
}

/** One line on standard error that is rewritten in place; silent where nobody watches. */
export const openProgress = (enabled: boolean): Progress => {
  const live = enabled && process.stderr.isTTY === true;
  const width = process.stderr.columns || 100;
  return {
    live,
    update: (text) => {
      // Colors are left out: a line that is cut must not be cut within a color code.
      if (live) process.stderr.write(`\r\u001b[2K${stripVTControlCharacters(text).slice(0, width - 1)}`);
    },
    end: (text) => {
      if (live) process.stderr.write("\r\u001b[2K");
      if (text !== undefined && enabled) process.stderr.write(`${text}\n`);
    },
  };
};

/** A fenced block of shell commands in a Markdown page. */
export interface ShellBlock {
  readonly line: number;
  /** `runnable`: a test runs it. `by-hand`: it needs what a test has not got. */
  readonly mark: "runnable" | "by-hand";
  /** What it may end with: 0, unless the fence says `exits A or B`. */
  readonly exits: readonly number[];
  readonly script: string;
}

/** Every block of the page whose fence is "sh", in order. Throws for one that is marked neither `runnable` nor `by-hand`. */
export const shellBlocks = (page: string): ShellBlock[] =>
  [...page.matchAll(/^```sh\b ?(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, info = "", script = ""] = match;
    const line = page.slice(0, match.index).split("\n").length;
    const [mark] = info.split(" ");
    if (mark !== "runnable" && mark !== "by-hand")
      throw new Error(`line ${line}: a block of commands is marked neither runnable nor by-hand`);
    const exits = /exits ([\d or]+)$/.exec(info)?.[1]?.split(" or ").map(Number) ?? [0];
    return { line, mark, exits, script };
  });

/** The first fenced block of that language. */
export const fencedBlock = (page: string, language: string): string => {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no block of ${language}`);
  return found;
};

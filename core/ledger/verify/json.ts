/** How much JSON may hold before it is read: an attacker's file must cost neither time nor memory. */
export interface JsonLimits {
  readonly characters: number;
  readonly depth: number;
  /** Elements and members, all together. */
  readonly values: number;
}

/**
 * The JSON in `text`; otherwise why it is refused. A key that an object has twice is refused, since two readers could take different ones
 * for what is proven.
 */
export const readJson = (text: string, limits: JsonLimits): { readonly value: unknown } | { readonly reason: string } => {
  if (text.length > limits.characters) return { reason: `is larger than ${limits.characters / 1_048_576} MiB` };
  const flaw = flawOf(text, limits);
  if (flaw !== undefined) return { reason: flaw };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { reason: "is not JSON" };
  }
};

/** One pass over the characters; whether they are JSON at all is for the parser to say. */
const flawOf = (text: string, { depth, values }: JsonLimits): string | undefined => {
  /** The keys of each object that is open; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  let counted = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : undefined);
      keyIsNext = character === "{";
      if (open.length > depth) return `nests deeper than ${depth}`;
      counted++;
    } else if (character === "}" || character === "]") {
      open.pop();
      keyIsNext = false;
    } else if (character === ",") {
      keyIsNext = open.at(-1) !== undefined;
      counted++;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (end === undefined) return "is not JSON";
      if (keyIsNext) {
        const key = keyIn(text.slice(at, end + 1));
        const keys = open.at(-1);
        if (key === undefined) return "is not JSON";
        if (keys?.has(key)) return `has the key ${JSON.stringify(key).slice(0, 80)} twice in one object`;
        keys?.add(key);
        keyIsNext = false;
      }
      at = end;
    }
    if (counted > values) return `has more than ${values} values`;
  }
  return undefined;
};

const endOfString = (text: string, start: number): number | undefined => {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at;
  }
  return undefined;
};

/** As the parser reads it: escapes can write one key in many ways. */
const keyIn = (literal: string): string | undefined => {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
};

import { type Document, isMap, isNode, isPair, type LineCounter, type Node, type Pair } from "yaml";

/** A place in the configuration: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** `databases[0].engine` */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`), "");

/** Line and column, from 1, of a value; of what is missing, those of the nearest thing around it that is there. */
export const locate = (document: Document, lines: LineCounter, path: Path): { line: number; column: number } => {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const offset = offsetOf(document, path.slice(0, depth));
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    }
  }
  return { line: 1, column: 1 };
};

const offsetOf = (document: Document, path: Path): number | undefined => {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isNode(node) && node.range) return node.range[0];
  // A key without a value, as `url:`, has a position of its own.
  return keyOffset(document, path);
};

/** Where a key stands, rather than its value. */
const keyOffset = (document: Document, path: Path): number | undefined => {
  const map = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => isPair(item) && String((item as Pair<Node>).key) === String(path.at(-1)));
  return (pair as Pair<Node> | undefined)?.key?.range?.[0];
};

/** Line and column of a key, for keys that should not be there. */
export const locateKey = (document: Document, lines: LineCounter, path: Path): { line: number; column: number } => {
  const offset = keyOffset(document, path);
  if (offset === undefined) return locate(document, lines, path);
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
};

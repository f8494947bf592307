import { Failure } from "../domain/failure.ts";

/** Azure takes 1,024 characters, and Arweave 2,048 bytes of tags with the key percent-encoded among them. */
const longestKey = 600;
/** File systems take 255 bytes. */
const longestSegment = 240;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const forbidden = /[\u0000-\u001f\u007f\\]/;

const checkSegment = (key: string, segment: string): void => {
  if (segment === "") throw invalid(key, "has an empty part");
  if (segment === "." || segment === "..") throw invalid(key, `has the part "${segment}"`);
  if (segment.endsWith(".")) throw invalid(key, "has a part that ends in a dot, which Azure drops");
  if (Buffer.byteLength(segment) > longestSegment) throw invalid(key, `has a part of more than ${longestSegment} bytes`);
};

const invalid = (key: string, why: string): Failure =>
  new Failure("UsageInvalid", `the object key ${JSON.stringify(key.slice(0, 80))} ${why}`);

const checkText = (key: string): void => {
  if (Buffer.byteLength(key) > longestKey) throw invalid(key, `is longer than ${longestKey} bytes`);
  if (forbidden.test(key)) throw invalid(key, "has a control character or a backslash");
  if (!key.isWellFormed()) throw invalid(key, "is not well-formed Unicode");
  if (key.startsWith(reservedPrefix)) throw invalid(key, `starts with ${reservedPrefix}, which stores keep for themselves`);
};

/** Names that begin so are a store's own (unfinished files), never objects. */
export const reservedPrefix = ".dbgov-";

/** Throws `UsageInvalid` unless every kind of store can hold an object under `key`, and only inside the store. */
export const checkKey = (key: string): void => {
  checkText(key);
  for (const segment of key.split("/")) checkSegment(key, segment);
};

/** The same for the beginning of keys: empty, or cut anywhere. */
export const checkPrefix = (prefix: string): void => {
  checkText(prefix);
  const segments = prefix.split("/");
  for (const segment of segments.slice(0, -1)) checkSegment(prefix, segment);
  if (segments.at(-1) === "..") throw invalid(prefix, 'has the part ".."');
};

/** The folder that holds everything under `prefix`: `packs/a` → `packs`, `log/` → `log`, `ma` → ``. */
export const folderOfPrefix = (prefix: string): string => prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")));

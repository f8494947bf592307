import { editDistance } from "../config/nearest.ts";
import type { Definition, Engine, RowsStream, Selectable, SnapshotPart } from "../databases/engine.ts";
import { Failure } from "../domain/failure.ts";
import type { Manifest, ManifestStream } from "../repository/manifest.ts";
import { createRowSplitter } from "../repository/row-splitter.ts";

/** What a person asked for: patterns, in which `*` stands for any run of characters. Both empty: everything. */
export interface Choice {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

export interface ChosenPart {
  /** Absent: the whole snapshot. */
  readonly part?: SnapshotPart;
  /** The rows streams that are read, as the manifest has them. */
  readonly streams: readonly ManifestStream[];
  /** Where records are chosen: lets those through that are. */
  readonly filter?: (stream: RowsStream, content: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** Refuses (`NameUnknown`) a pattern that no name of the snapshot matches, with the nearest ones, and a choice that leaves nothing. */
export const choosePart = (engine: Engine, manifest: Manifest, definitions: readonly Definition[], choice: Choice): ChosenPart => {
  const streams = manifest.streams.filter(({ kind }) => kind === "rows");
  if (choice.only.length + choice.except.length === 0) return { streams };
  const { selection } = engine;
  if (selection.by === "record") {
    const matches = { only: choice.only.map(patternOf), except: choice.except.map(patternOf) };
    const keeps = (name: string): boolean =>
      (matches.only.length === 0 || matches.only.some((matcher) => matcher.test(name))) &&
      !matches.except.some((matcher) => matcher.test(name));
    return {
      part: { by: "record", ...choice },
      streams,
      filter: (stream, content) => filterRecords(stream, content, (record) => keeps(selection.nameOf(stream, record))),
    };
  }
  const names = selection.names(definitions, streams);
  const [wanted, unwanted] = [withParts(choice.only, names, manifest), withParts(choice.except, names, manifest)];
  const chosen = names.filter(({ name }) => (choice.only.length === 0 || wanted.has(name)) && !unwanted.has(name));
  if (chosen.length === 0) throw new Failure("UsageInvalid", `nothing of snapshot ${manifest.snapshot} is left by --only and --except`);
  const read = new Set(
    chosen.flatMap(({ name, streams: held }) => (held.length === 1 || held.length === 0 ? held : wholeOf(name, held, unwanted, names))),
  );
  return {
    part: choice.only.length > 0 ? { by: "name", only: chosen.map(({ name }) => name) } : { by: "name", except: [...unwanted] },
    streams: streams.filter(({ name }) => read.has(name)),
  };
};

/** The streams of a whole, but for parts of it that are not wanted. */
const wholeOf = (whole: string, held: readonly string[], unwanted: ReadonlySet<string>, names: readonly Selectable[]): string[] => {
  const without = new Set(names.filter(({ name }) => name !== whole && unwanted.has(name)).flatMap(({ streams }) => streams));
  return held.filter((stream) => !without.has(stream));
};

/** Names that match, and those of the parts of what matches. */
const withParts = (patterns: readonly string[], names: readonly Selectable[], { snapshot }: Manifest): Set<string> => {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const matcher = patternOf(pattern);
    const matching = names.filter(({ name }) => matcher.test(name));
    if (matching.length === 0) throw noMatch(pattern, names, snapshot);
    const streams = new Set(matching.flatMap((match) => match.streams));
    for (const { name } of matching) found.add(name);
    for (const { name, streams: held } of names) if (held.length > 0 && held.every((stream) => streams.has(stream))) found.add(name);
  }
  return found;
};

const noMatch = (pattern: string, names: readonly Selectable[], snapshot: string): Failure => {
  const near = nearestNames(
    pattern,
    names.map(({ name }) => name),
  );
  const list = near.length === 0 ? "it holds none" : `the nearest: ${near.join(", ")}`;
  return new Failure("NameUnknown", `nothing in snapshot ${snapshot} is called ${pattern}; ${list}`);
};

const shown = 3;

/** By how many letters differ, of the whole name or of what follows its last dot. */
const nearestNames = (pattern: string, names: readonly string[]): string[] => {
  const word = pattern.replaceAll("*", "").toLowerCase();
  const distance = (name: string): number => {
    const [whole, tail] = [name.toLowerCase(), name.slice(name.lastIndexOf(".") + 1).toLowerCase()];
    return Math.min(editDistance(word, whole), editDistance(word, tail), tail.includes(word) ? 1 : Number.POSITIVE_INFINITY);
  };
  return names
    .map((name) => ({ name, distance: distance(name) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, shown)
    .map(({ name }) => name);
};

/** The whole name has to match. */
const patternOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.*+?^${}()|[\]\\/]/g, (letter) => (letter === "*" ? ".*" : `\\${letter}`))}$`, "s");

async function* filterRecords(
  stream: RowsStream,
  content: AsyncIterable<Uint8Array>,
  keeps: (record: Uint8Array) => boolean,
): AsyncGenerator<Uint8Array> {
  let kept: Buffer[] = [];
  const splitter = createRowSplitter(stream.framing, (record) => {
    if (keeps(record)) kept.push(Buffer.from(record));
  });
  const take = (): Uint8Array => {
    const block = Buffer.concat(kept);
    kept = [];
    return block;
  };
  for await (const block of content) {
    splitter.push(block);
    if (kept.length > 0) yield take();
  }
  splitter.finish();
  if (kept.length > 0) yield take();
}

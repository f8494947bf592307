import type { RowsStream, Selectable, SnapshotPart } from "../engine.ts";
import type { Definition } from "./definitions.ts";

/** Time-series collections keep their documents in another one, where the server shows it. */
export const bucketsOf = (name: string): string => `system.buckets.${name}`;

/** Every collection and view, with the stream that has its documents. */
export const selectableCollections = (definitions: readonly Definition[], streams: readonly RowsStream[]): Selectable[] => {
  const known = new Set(streams.map(({ name }) => name));
  return definitions.map(({ name }) => ({ name, streams: [name, bucketsOf(name)].filter((stream) => known.has(stream)) }));
};

/** Which definitions belong to the part. */
export const chosenDefinitions = (definitions: readonly Definition[], part: SnapshotPart | undefined): Definition[] => {
  if (part?.by !== "name") return [...definitions];
  const names = new Set("only" in part ? part.only : part.except);
  return definitions.filter(({ name }) => names.has(name) === "only" in part);
};

/** Views that read what is left out show nothing of it, and work again once it is there. */
export const partNotes = (all: readonly Definition[], chosen: readonly Definition[]): string[] => {
  const there = new Set(chosen.map(({ name }) => name));
  const known = new Set(all.map(({ name }) => name));
  return chosen
    .filter(({ type }) => type === "view")
    .flatMap(({ name, options: { viewOn, pipeline } }) =>
      [...new Set([viewOn as unknown, ...readBy(pipeline)])]
        .filter((read) => typeof read === "string" && known.has(read) && !there.has(read))
        .map((read) => `View ${name} reads ${String(read)}, which is left out.`),
    );
};

/** What a pipeline reads beside its own collection, at whatever depth: `$lookup`, `$graphLookup` and `$unionWith`. */
const readBy = (value: unknown): unknown[] => {
  if (Array.isArray(value)) return value.flatMap(readBy);
  if (typeof value !== "object" || value === null) return [];
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return entries.flatMap(([key, inner]) => {
    const field = (name: string): unknown => (inner instanceof Map ? inner.get(name) : (inner as Record<string, unknown> | null)?.[name]);
    if (key === "$lookup" || key === "$graphLookup") return [field("from"), ...readBy(inner)];
    if (key === "$unionWith") return [typeof inner === "string" ? inner : field("coll"), ...readBy(inner)];
    return readBy(inner);
  });
};

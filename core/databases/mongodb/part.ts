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

/** Views on what is left out show nothing, and work again once it is there. */
export const partNotes = (all: readonly Definition[], chosen: readonly Definition[]): string[] => {
  const there = new Set(chosen.map(({ name }) => name));
  const known = new Set(all.map(({ name }) => name));
  return chosen
    .filter(({ type, options }) => type === "view" && known.has(String(options.viewOn)) && !there.has(String(options.viewOn)))
    .map(({ name, options }) => `View ${name} is on ${String(options.viewOn)}, which is left out.`);
};

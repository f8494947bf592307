import type { EarlierContent, Engine, Mark, PartPlan, Plan, StreamPlan } from "../databases/engine.ts";
import type { CapturedPart } from "./capture-batch.ts";
import { addressKey, type CapturePlan } from "./capture-plan.ts";

/**
 * What the next snapshot may take over of this one: its ranges, each with the mark by which the server can tell whether it changed.
 * It lies in the landing store for as long as it is the newest of its database, sealed under the index key, since it names tables.
 * An aid only: without it, or with one of another version, the next snapshot reads everything.
 */
export interface TakeoverRecord {
  readonly version: typeof takeoverVersion;
  readonly snapshot: string;
  /** Snapshots since everything was last read. */
  readonly sinceFull: number;
  readonly parts: readonly EarlierPart[];
}

export const takeoverVersion = 2;

export interface EarlierPart {
  /** The part that it was of, so that only the very same one takes it over. */
  readonly place: string;
  readonly mark: Mark;
  readonly range: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sum: string;
  readonly packs: readonly string[];
}

export const takeoverKey = (snapshot: string): string => `${takeoverPrefix}${snapshot}`;

export const takeoverPrefix = "takeover/";

/** What makes a part the same one in the next plan: stream, columns, and the blocks or keys that it reads. */
const placeOf = (stream: StreamPlan, part: PartPlan): string => JSON.stringify([stream.name, stream.target, part.selector]);

/** The selectors of earlier parts, by their stream's name, for `PlanOptions`. */
export const earlierSelectors = (earlier: readonly EarlierPart[]): Record<string, unknown[]> => {
  const places = earlier.map(({ place }) => JSON.parse(place) as [stream: string, target: unknown, selector: unknown]);
  const byStream = Map.groupBy(places, ([stream]) => stream);
  return Object.fromEntries([...byStream].map(([stream, its]) => [stream, its.map(([, , selector]) => selector)]));
};

/** The earlier parts that are, by the server's word, what this plan's parts are now; by `addressKey`. Asks nothing where there is no earlier part. */
export const findUnchanged = async (
  plan: Plan,
  earlier: readonly EarlierPart[],
  ask: (parts: readonly EarlierContent[]) => ReturnType<NonNullable<Engine["unchanged"]>>,
): Promise<Record<string, EarlierPart>> => {
  const byPlace = new Map(earlier.map((part) => [part.place, part]));
  const candidates = plan.streams.flatMap((stream, streamAt) =>
    stream.parts.flatMap((part, partAt) => {
      const found = byPlace.get(placeOf(stream, part));
      return found === undefined ? [] : [{ key: addressKey([streamAt, partAt]), found, stream, part }];
    }),
  );
  if (candidates.length === 0) return {};
  const same = await ask(candidates.map(({ found: { mark, rows }, stream, part }) => ({ stream, part, mark, rows })));
  return Object.fromEntries(candidates.flatMap(({ key, found }, index) => (same[index] === true ? [[key, found]] : [])));
};

/** The parts of a snapshot that were not captured by it, as if they had been. */
export const takenOverParts = (takenOver: CapturePlan["takenOver"]): CapturedPart[] =>
  Object.entries(takenOver).map(([key, { range, rows, bytes, sum, packs }]) => {
    const [stream, part] = key.split("/").map(Number) as [number, number];
    return { part: [stream, part], range, rows, bytes, sum, packs, envelopes: [] };
  });

/** What a snapshot leaves to the next one. */
export const takeoverRecord = (snapshot: string, plan: Plan, captured: readonly CapturedPart[], sinceFull: number): TakeoverRecord => {
  const parts = captured.flatMap(({ part, range, rows, bytes, sum, packs }): EarlierPart[] => {
    const stream = plan.streams[part[0]];
    const planned = stream?.parts[part[1]];
    if (stream?.mark === undefined || planned === undefined) return [];
    return [{ place: placeOf(stream, planned), mark: stream.mark, range, rows, bytes, sum, packs }];
  });
  return { version: takeoverVersion, snapshot, sinceFull, parts };
};

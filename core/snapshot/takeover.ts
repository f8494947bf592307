import type { PartPlan, Plan, StreamPlan, Witness } from "../databases/engine.ts";
import type { CapturedPart } from "./capture-batch.ts";
import type { PartAddress } from "./capture-plan.ts";

/**
 * What the next snapshot may take over of this one: its ranges, each with the server's word on what they held. It lies in
 * the landing store for as long as it is the newest of its database, sealed under the index key, since it names tables.
 * An aid only: without it the next snapshot reads everything.
 */
export interface TakeoverRecord {
  readonly snapshot: string;
  /** Snapshots since everything was last read. */
  readonly sinceFull: number;
  readonly parts: readonly EarlierPart[];
}

export interface EarlierPart {
  /** The part that it was of, so that only the very same one takes it over. */
  readonly place: string;
  readonly witness: Witness;
  readonly range: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sum: string;
  readonly packs: readonly string[];
}

export const takeoverKey = (snapshot: string): string => `takeover/${snapshot}`;

/** What makes a part the same one in the next plan: stream, columns, and the blocks or keys that it reads. */
const placeOf = (stream: StreamPlan, part: PartPlan): string => JSON.stringify([stream.name, stream.target, part.selector]);

/** As `stream/part`, the key that a plan's parts are looked up by. */
export const addressKey = ([stream, part]: PartAddress): string => `${stream}/${part}`;

/** The earlier parts that this plan's parts may take over. */
export const matchEarlier = (plan: Plan, earlier: readonly EarlierPart[]): Record<string, EarlierPart> => {
  const byPlace = new Map(earlier.map((part) => [part.place, part]));
  const matched: Record<string, EarlierPart> = {};
  plan.streams.forEach((stream, streamAt) => {
    stream.parts.forEach((part, partAt) => {
      const found = byPlace.get(placeOf(stream, part));
      if (found !== undefined) matched[addressKey([streamAt, partAt])] = found;
    });
  });
  return matched;
};

/** What a snapshot leaves to the next one. */
export const takeoverRecord = (snapshot: string, plan: Plan, captured: readonly CapturedPart[], sinceFull: number): TakeoverRecord => {
  const parts = captured.flatMap(({ part, witness, range, rows, bytes, sum, packs }): EarlierPart[] => {
    const stream = plan.streams[part[0]];
    const planned = stream?.parts[part[1]];
    if (witness === undefined || stream === undefined || planned === undefined) return [];
    return [{ place: placeOf(stream, planned), witness, range, rows, bytes, sum, packs }];
  });
  return { snapshot, sinceFull, parts };
};

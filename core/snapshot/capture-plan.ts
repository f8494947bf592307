import type { PartPlan, Plan, StreamPlan } from "../databases/engine.ts";
import type { PartToCapture } from "./capture-batch.ts";
import type { EarlierPart } from "./takeover.ts";

/** A part by its place in the plan: `[stream, part]`. */
export type PartAddress = readonly [stream: number, part: number];

export interface CapturePlan {
  readonly plan: Plan;
  /** What one capture activity reads, in the order in which it reads it. */
  readonly batches: readonly (readonly PartAddress[])[];
  /** What is in no batch: parts that the server calls unchanged, taken over unread, by `addressKey`. */
  readonly takenOver: Readonly<Record<string, EarlierPart>>;
  /** What the server calls unchanged, and is read all the same, in a full read or to empty a pack: reading must give the same. */
  readonly expected: Readonly<Record<string, EarlierPart>>;
  /** The snapshot that these are of; null when there is none. */
  readonly earlierSnapshot: string | null;
  readonly sinceFull: number;
}

/** Bytes on the database's disk. A part is what a retry reads again at most, and what one range tells of; a batch is what one activity captures. */
export const captureGrain = { partBytes: 64 * 2 ** 20, batchBytes: 64 * 2 ** 20 } as const;

const partAt = (plan: Plan, [stream, part]: PartAddress): { stream: StreamPlan; part: PartPlan } => {
  const found = plan.streams[stream];
  const foundPart = found?.parts[part];
  if (found === undefined || foundPart === undefined) throw new RangeError(`the plan has no part ${stream}/${part}`);
  return { stream: found, part: foundPart };
};

/** As `stream/part`, the key that a plan's parts are looked up by. */
export const addressKey = ([stream, part]: PartAddress): string => `${stream}/${part}`;

/** What a job needs of the plan to capture these parts. */
export const partsToCapture = (
  { plan, expected }: Pick<CapturePlan, "plan" | "expected">,
  addresses: readonly PartAddress[],
): PartToCapture[] => addresses.map((address) => ({ address, ...partAt(plan, address), expected: expected[addressKey(address)] }));

/** Many tiny parts cost a round trip each: a batch takes no more than this many. */
const maxPartsPerBatch = 400;

/**
 * Groups the parts into batches of about `batchBytes`, the largest first, so that no worker is left alone with a big
 * one at the end. Small parts that lie together in the plan stay together. What did not change is in batches, and so in packs, of its own:
 * in a pack with what changes every night it would be alone soon, and would be read again to empty the pack.
 */
export const groupParts = (
  plan: Plan,
  batchBytes: number,
  { takenOver, expected }: Pick<CapturePlan, "takenOver" | "expected"> = { takenOver: {}, expected: {} },
): CapturePlan["batches"] => {
  interface Batch {
    bytes: number;
    readonly parts: PartAddress[];
  }
  const batches: Batch[] = [];
  const last: { changed?: Batch; unchanged?: Batch } = {};
  plan.streams.forEach((stream, streamAt) => {
    stream.parts.forEach((part, partAt) => {
      const key = addressKey([streamAt, partAt]);
      if (takenOver[key] !== undefined) return;
      const bytes = Math.max(part.estimatedBytes, 1);
      const kind = expected[key] === undefined ? "changed" : "unchanged";
      let open = last[kind];
      if (open === undefined || open.bytes + bytes > batchBytes || open.parts.length >= maxPartsPerBatch) {
        open = { bytes: 0, parts: [] };
        last[kind] = open;
        batches.push(open);
      }
      open.bytes += bytes;
      open.parts.push([streamAt, partAt]);
    });
  });
  batches.sort((a, b) => b.bytes - a.bytes);
  return batches.map((batch) => batch.parts);
};

/** Estimated, of all parts that are not taken over. */
export const bytesToRead = (plan: Plan, takenOver: CapturePlan["takenOver"]): number =>
  plan.streams
    .flatMap(({ parts }, streamAt) => parts.filter((_, partAt) => takenOver[addressKey([streamAt, partAt])] === undefined))
    .reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0);

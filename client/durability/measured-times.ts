import { readFile, writeFile } from "node:fs/promises";
import type { StoreKind } from "../../core/stores/store.ts";

/** What `npm run drill:disaster -- --write` measured of finding and replacing what stores had lost, on real servers of each kind. */
export interface MeasuredTimes {
  readonly date: string;
  readonly machine: string;
  readonly stores: Readonly<Partial<Record<StoreKind, MeasuredStore>>>;
}

export interface MeasuredStore {
  /** What answered instead of the service that one pays. */
  readonly stand: string;
  /** It is a simulator: its own part of the time means nothing. */
  readonly simulated: boolean;
  /** A pass over all copies in the store, with the command's start. */
  readonly asked: number;
  readonly askingSeconds: number;
  /** Lost packs, from the finding until the last was there again and read back. */
  readonly replaced: number;
  readonly replacedBytes: number;
  readonly replacingSeconds: number;
}

const path = new URL("measured-times.json", import.meta.url);

export const readMeasuredTimes = async (): Promise<MeasuredTimes> => JSON.parse(await readFile(path, "utf8")) as MeasuredTimes;

export const writeMeasuredTimes = (times: MeasuredTimes): Promise<void> => writeFile(path, `${JSON.stringify(times, undefined, 2)}\n`);

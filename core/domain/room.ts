import { Failure } from "./failure.ts";
import { formatSize } from "./size.ts";

/** From this part of what is allowed on it counts as filling up: what is left is too little room for a bad day, and enough to act. */
export const fillingFrom = 0.85;

/** A quota of a landing store as captures mind it, pack by pack: stores of one account share it. Plain data, so that threads can have it. */
export interface LandingRoom {
  readonly account: string;
  readonly stores: readonly string[];
  /** Null: no limit. */
  readonly bytes: number | null;
  readonly objects: number | null;
}

/** Throws `StoreFull` when what has just been announced is more than the quota. */
export const requireWithin = (
  room: LandingRoom,
  store: string,
  usage: readonly { readonly bytes: number; readonly objects: number }[],
): void => {
  const bytes = usage.reduce((sum, entry) => sum + entry.bytes, 0);
  const objects = usage.reduce((sum, entry) => sum + entry.objects, 0);
  const over =
    room.bytes !== null && bytes > room.bytes
      ? `${formatSize(room.bytes)} (${formatSize(bytes)} with what comes next)`
      : room.objects !== null && objects > room.objects
        ? `${room.objects} objects`
        : undefined;
  if (over === undefined) return;
  throw new Failure("StoreFull", `the landing store ${store} is full: its quota is ${over}; raise it, land elsewhere, or keep less`);
};

/** Throws `StoreFull` when nothing more would fit. */
export const requireSpare = (
  room: LandingRoom,
  store: string,
  usage: readonly { readonly bytes: number; readonly objects: number }[],
): void => requireWithin(room, store, [...usage, { bytes: 1, objects: 1 }]);

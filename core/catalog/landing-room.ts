import { type LandingRoom, requireWithin } from "../domain/room.ts";
import type { Queryable } from "./catalog.ts";
import { lockRoom } from "./locks.ts";
import { storeUsageIn } from "./store-usage.ts";

const isLimited = (room: LandingRoom | undefined): room is LandingRoom =>
  room !== undefined && (room.bytes !== null || room.objects !== null);

/** Captures that land in one account's stores are heard one after the other, where there is a quota to mind. */
export const lockLandingRoom = async (db: Queryable, room: LandingRoom | undefined): Promise<void> => {
  if (isLimited(room)) await lockRoom(db, room.account);
};

/** Throws `StoreFull`, which undoes the transaction, when what it has announced in the store is more than the quota. */
export const requireLandingRoom = async (db: Queryable, room: LandingRoom | undefined, store: string): Promise<void> => {
  if (isLimited(room)) requireWithin(room, store, await storeUsageIn(db, room.stores));
};

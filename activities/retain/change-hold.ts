import { liftHold } from "../../core/catalog/lift-hold.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { standingHolds } from "../../core/catalog/standing-holds.ts";
import type { HoldChange } from "../../core/domain/run.ts";
import type { ActivityEnvironment } from "../environment.ts";

export const createChangeHold = ({ site }: ActivityEnvironment) => ({
  /** Places or lifts a hold. Returns the database that it concerns, for the log. */
  changeHold: async (change: HoldChange): Promise<{ database: string | null }> => {
    const catalog = await (await site()).catalog();
    const { id, by, lifted, ...named } = change;
    const standing = (await standingHolds(catalog)).find((hold) => hold.id === id);
    if (lifted) await liftHold(catalog, id, by, new Date());
    else await placeHold(catalog, { id, by, ...named, at: new Date() });
    const { database, snapshot } = lifted && standing !== undefined ? standing : named;
    return { database: database ?? (snapshot === null ? null : ((await getSnapshot(catalog, snapshot))?.database ?? null)) };
  },
});

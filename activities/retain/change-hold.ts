import { keepHeld } from "../../core/catalog/keep-held.ts";
import { liftHold } from "../../core/catalog/lift-hold.ts";
import { placeHold } from "../../core/catalog/place-hold.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { standingHolds } from "../../core/catalog/standing-holds.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { HoldChange } from "../../core/domain/run.ts";
import { approversInForce } from "../../core/site/approvers-in-force.ts";
import type { ActivityEnvironment } from "../environment.ts";

/** `kept`: snapshots that were marked to go, and stay because of the hold. */
export interface HoldChanged {
  readonly database: string | null;
  readonly kept?: readonly string[];
}

export const createChangeHold = ({ site }: ActivityEnvironment) => ({
  /** Places or lifts a hold. Returns the database that it concerns, for the log. Where there are approvers, lifting takes two of them. */
  changeHold: async (change: HoldChange): Promise<HoldChanged> => {
    const at = await site();
    const catalog = await at.catalog();
    const { id, by, lifted, until, ...named } = change;
    const standing = (await standingHolds(catalog)).find((hold) => hold.id === id);
    if (lifted && (await approversInForce(at)).approvers.length > 0)
      throw new Failure("ApprovalNeeded", `lifting hold ${id} takes two persons`);
    if (lifted) await liftHold(catalog, id, by, new Date());
    else await placeHold(catalog, { id, by, ...named, at: new Date(), until: until ?? null });
    const kept = lifted ? [] : await keepHeld(catalog);
    const { database, snapshot } = lifted && standing !== undefined ? standing : named;
    const found = database ?? (snapshot === null ? null : ((await getSnapshot(catalog, snapshot))?.database ?? null));
    return { database: found, ...(kept.length > 0 ? { kept } : {}) };
  },
});

import { readInForce, writeInForce } from "../catalog/in-force.ts";
import { type Approver, approverOf } from "../repository/approver-key.ts";
import type { Site } from "./site.ts";

/** Who may ask and approve now, and whether the file names others. */
export interface ApproversInForce {
  readonly approvers: readonly Approver[];
  /** The file's list differs and waits for two of those in force. */
  readonly waiting: boolean;
}

export const approversSubject = "approvers";

export const approversOfFile = (site: Site): Approver[] => site.loaded.config.approval.approvers.map(approverOf);

export const idsOf = (approvers: readonly Approver[]): string[] => approvers.map(({ id }) => id).sort();

/**
 * Those whom the catalog has, and the file's while it has none. Who can write the file alone cannot make themselves an approver, nor
 * leave out the others.
 */
export const approversInForce = async (site: Site): Promise<ApproversInForce> => {
  const listed = site.loaded.config.approval.approvers;
  const standing = await readInForce<typeof listed>(await site.catalog(), approversSubject);
  // None are in force where two persons agreed that there are none: the next list is a first one again.
  if (standing === undefined || standing.length === 0) return { approvers: approversOfFile(site), waiting: false };
  const approvers = standing.map(approverOf);
  return { approvers, waiting: idsOf(approvers).join() !== idsOf(approversOfFile(site)).join() };
};

/** The first list of approvers that retention sees is in force from then on. Idempotent. */
export const settleApprovers = async (site: Site): Promise<ApproversInForce> => {
  const found = await approversInForce(site);
  const listed = site.loaded.config.approval.approvers;
  const catalog = await site.catalog();
  const standing = await readInForce<typeof listed>(catalog, approversSubject);
  if (listed.length > 0 && (standing === undefined || standing.length === 0))
    await writeInForce(catalog, approversSubject, listed, new Date());
  return found;
};

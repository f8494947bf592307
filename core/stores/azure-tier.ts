import type { BlobGetPropertiesResponse, BlockBlobClient } from "@azure/storage-blob";
import { azureCode } from "./azure-failure.ts";
import type { RehydratePriority, StoredObject, StoreTier } from "./store.ts";

/**
 * Access tiers of blobs, as Set Blob Tier has them. In `Archive` a blob is offline: its properties can be had and it can be deleted, anything
 * else is 409 `BlobArchived`. A new tier brings it back within hours; until then its properties name the old tier and an archive status.
 */
const nameOf = { cool: "Cool", cold: "Cold", archive: "Archive" } as const;

/** What a blob's properties say of one that is offline; nothing for all others. */
export const offlineState = ({
  accessTier,
  archiveStatus,
  contentMD5,
}: Pick<BlobGetPropertiesResponse, "accessTier" | "archiveStatus" | "contentMD5">): Pick<StoredObject, "offline" | "md5"> => {
  if (accessTier !== "Archive") return {};
  const md5 = contentMD5 === undefined ? {} : { md5: Buffer.from(contentMD5).toString("hex") };
  return { offline: archiveStatus === undefined ? "archived" : "coming", ...md5 };
};

/** Any other tier than `archive` would bring an archived blob back, at a price: it stays, as does one that is on its way back. */
export const moveToTier = async (blob: BlockBlobClient, tier: StoreTier, signal: AbortSignal): Promise<void> => {
  if (offlineState(await blob.getProperties({ abortSignal: signal })).offline !== undefined) return;
  await blob.setAccessTier(nameOf[tier], { abortSignal: signal });
};

/**
 * Has an archived blob brought back to the hot tier, which alone bills no minimum time: it is archived again soon. One that is coming is
 * asked for again only to make it faster.
 */
export const bringBack = async (blob: BlockBlobClient, priority: RehydratePriority, signal: AbortSignal): Promise<"online" | "coming"> => {
  const found = await blob.getProperties({ abortSignal: signal });
  const { offline } = offlineState(found);
  if (offline === undefined) return "online";
  const faster = priority === "high" && found.rehydratePriority !== "High";
  if (offline === "coming" && !faster) return "coming";
  // Whoever asked before may have named another tier, to which it then comes: to ask for a second one is refused.
  const to = /rehydrate-pending-to-(\w+)/.exec(found.archiveStatus ?? "")?.[1] ?? "hot";
  const tier = to.charAt(0).toUpperCase() + to.slice(1);
  try {
    await blob.setAccessTier(tier, { abortSignal: signal, rehydratePriority: priority === "high" ? "High" : "Standard" });
  } catch (error) {
    if (azureCode(error) !== "BlobBeingRehydrated") throw error;
  }
  return offlineState(await blob.getProperties({ abortSignal: signal })).offline === undefined ? "online" : "coming";
};

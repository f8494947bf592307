import type { BlobItem, ContainerClient } from "@azure/storage-blob";
import { formatDuration } from "../domain/duration.ts";
import { Failure } from "../domain/failure.ts";
import { azureCode, isMissingBlob } from "./azure-failure.ts";

const dayMs = 86_400_000;

interface Protection {
  readonly until: Date | undefined;
  readonly locked: boolean;
  readonly held: boolean;
}

/**
 * Locks the blob's current version until `until`: nobody can shorten that, the account's owner included. `where` begins the sentence
 * of what goes wrong. A later date stays, and is locked if it was not.
 */
export const lockBlob = async (container: ContainerClient, where: string, key: string, until: Date, signal: AbortSignal): Promise<void> => {
  const blob = container.getBlobClient(key);
  // The service keeps whole seconds.
  const wanted = new Date(Math.ceil(until.getTime() / 1_000) * 1_000);
  const protection = async (): Promise<Protection> => {
    const found = await blob.getProperties({ abortSignal: signal });
    return {
      until: found.immutabilityPolicyExpiresOn,
      locked: found.immutabilityPolicyMode?.toLowerCase() === "locked",
      held: found.legalHold === true,
    };
  };
  const before = await protection();
  const later = before.until !== undefined && before.until >= wanted ? before.until : wanted;
  if (before.locked && later === before.until) return;
  await blob.setImmutabilityPolicy({ expiriesOn: later, policyMode: "Locked" }, { abortSignal: signal });
  const after = await protection();
  if (!after.locked || after.until === undefined || after.until < wanted) {
    throw new Failure("StoreRejected", `${where}: the service took the lock until ${wanted.toISOString()}, and the blob has none such`);
  }
};

/**
 * Deletes the blob with all its versions, or nothing of it: `StoreRetained` while one of them is locked or held. Where the account keeps
 * versions, a deletion would only hide the current one.
 */
export const deleteBlob = async (container: ContainerClient, where: string, key: string, signal: AbortSignal): Promise<void> => {
  const blob = container.getBlobClient(key);
  const retained = (why: string, until?: Date): Failure =>
    new Failure("StoreRetained", `${where}: ${why}`, until === undefined ? {} : { details: { until: until.toISOString() } });
  try {
    const current = await blob.getProperties({ abortSignal: signal }).catch((error: unknown) => {
      if (!isMissingBlob(error)) throw error;
      return undefined;
    });
    // Where there is no current version, a deletion that broke off may have left the others.
    const isPlain = current !== undefined && current.versionId === undefined;
    const versions = isPlain ? [] : await versionsOf(container, key, signal);
    const now = new Date();
    const locks = versions.flatMap(({ properties }) => properties.immutabilityPolicyExpiresOn ?? []).filter((until) => until > now);
    if (versions.some(({ properties }) => properties.legalHold === true)) throw retained("a legal hold is on it");
    if (locks.length > 0) {
      const until = new Date(Math.max(...locks.map(Number)));
      throw retained(`it is locked until ${until.toISOString()}`, until);
    }
    if (current !== undefined) await blob.delete({ abortSignal: signal, deleteSnapshots: "include" });
    // The current version cannot be deleted by its own name; with the deletion it became one of the others.
    for (const { versionId: version } of versions) {
      if (version !== undefined) await deleteVersion(container, key, version, signal);
    }
  } catch (error) {
    const code = azureCode(error);
    if (code === "BlobImmutableDueToPolicy") throw retained("a policy of the container makes it immutable");
    if (code === "BlobImmutableDueToLegalHold") throw retained("a legal hold is on it");
    throw error;
  }
};

const deleteVersion = async (container: ContainerClient, key: string, version: string, signal: AbortSignal): Promise<void> => {
  try {
    await container.getBlobClient(key).withVersion(version).delete({ abortSignal: signal });
  } catch (error) {
    if (!isMissingBlob(error)) throw error;
  }
};

const versionsOf = async (container: ContainerClient, key: string, signal: AbortSignal): Promise<BlobItem[]> => {
  const options = { prefix: key, includeVersions: true, includeImmutabilityPolicy: true, includeLegalHold: true, abortSignal: signal };
  const found = await Array.fromAsync(container.listBlobsFlat(options));
  return found.filter(({ name }) => name === key);
};

/** What the service still keeps of the blob `key`, which was deleted: a sentence for the operator, or undefined for nothing. */
export const leftAfterDeletion = async (container: ContainerClient, key: string, signal: AbortSignal): Promise<string | undefined> => {
  const left = await Array.fromAsync(
    container.listBlobsFlat({ prefix: key, includeDeleted: true, includeVersions: true, abortSignal: signal }),
  );
  if (left.length === 0) return undefined;
  const days = Math.max(...left.map(({ properties }) => properties.remainingRetentionDays ?? 0));
  // The service counts whole days that remain, of which the first has begun.
  const time = days === 0 ? "a time that it does not tell" : formatDuration((days + 1) * dayMs);
  return `soft delete is on: what is deleted stays readable for who may undelete it, and is billed, for up to ${time} more; only then is a deletion real`;
};

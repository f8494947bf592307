import { createHash } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import { Failure } from "../domain/failure.ts";
import { azureCode, isMissingBlob } from "./azure-failure.ts";
import { plainEtag } from "./transfer.ts";

/** What is sent, checked and tried again as one piece: about half a minute on a line of 2 Mbit/s. */
const blockBytes = 8 << 20;
/** Block uploads of one object at the same time. */
const lanes = 2;
const attempts = 4;

type Tier = "hot" | "cool" | "cold" | undefined;

const md5 = (bytes: Uint8Array): Buffer => createHash("md5").update(bytes).digest();

/**
 * Uploads `bytes` without copying them; the service checks the MD5 of every piece as it arrives and keeps that of the
 * whole. The object appears whole, with the last call. Blocks that an upload of the same bytes left behind are not sent again. Returns its etag.
 */
export const uploadBlob = async (
  blob: BlockBlobClient,
  bytes: Uint8Array,
  tier: Tier,
  signal: AbortSignal,
  progressed: () => void,
): Promise<string> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (bytes.length <= blockBytes ? uploadWhole : uploadBlocks)(blob, bytes, tier, signal, progressed);
    } catch (error) {
      // An archived blob is not written again: where it holds these bytes, nothing needs to be.
      const archived = azureCode(error) === "BlobArchived";
      // Committing a block list drops every other uncommitted block of that name: somebody else has just put the same object.
      if ((azureCode(error) !== "InvalidBlockList" || attempt === attempts) && !archived) throw error;
      const stored = await blob.getProperties({ abortSignal: signal });
      if (stored.contentMD5 !== undefined && md5(bytes).equals(stored.contentMD5)) return plainEtag(stored.etag);
      if (archived) throw error;
    }
  }
};

/** `Hot` and its like, as the service writes them. */
const tierOption = (tier: Tier): { tier?: string } => (tier === undefined ? {} : { tier: tier.charAt(0).toUpperCase() + tier.slice(1) });

const uploadWhole = async (
  blob: BlockBlobClient,
  bytes: Uint8Array,
  tier: Tier,
  signal: AbortSignal,
  progressed: () => void,
): Promise<string> => {
  const digest = md5(bytes);
  const answer = await blob.upload(bytes, bytes.length, {
    abortSignal: signal,
    onProgress: progressed,
    transactionalContentMD5: digest,
    blobHTTPHeaders: { blobContentMD5: digest, blobContentType: "application/octet-stream" },
    ...tierOption(tier),
  });
  if (answer.contentMD5 !== undefined && !digest.equals(answer.contentMD5)) {
    throw new Failure("ObjectCorrupt", `${blob.name}: the service received other bytes than were sent`);
  }
  return plainEtag(answer.etag);
};

const uploadBlocks = async (
  blob: BlockBlobClient,
  bytes: Uint8Array,
  tier: Tier,
  signal: AbortSignal,
  progressed: () => void,
): Promise<string> => {
  const blocks = Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, index) => {
    const block = bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
    const digest = md5(block);
    // By its content: what an earlier attempt has staged is found again, and writers of the same bytes stage the same blocks.
    return { block, digest, id: Buffer.from(`${String(index).padStart(6, "0")}-${digest.toString("hex")}`).toString("base64") };
  });
  const staged = await stagedBlocks(blob, signal);
  progressed();
  const waiting = blocks.filter(({ id, block }) => staged.get(id) !== block.length).values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const { block, digest, id } of waiting) {
      if (failed) return;
      try {
        await blob.stageBlock(id, block, block.length, { abortSignal: signal, onProgress: progressed, transactionalContentMD5: digest });
      } catch (error) {
        failed = true;
        throw error;
      }
      progressed();
    }
  };
  // Where one block fails, the one beside it may still arrive: it need not be sent again.
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  const answer = await blob.commitBlockList(
    blocks.map(({ id }) => id),
    {
      abortSignal: signal,
      blobHTTPHeaders: { blobContentMD5: md5(bytes), blobContentType: "application/octet-stream" },
      ...tierOption(tier),
    },
  );
  return plainEtag(answer.etag);
};

/** The sizes of the blocks that wait for a commit, by their ids. The service has checked the MD5 of each, which is in its id. */
const stagedBlocks = async (blob: BlockBlobClient, signal: AbortSignal): Promise<Map<string, number>> => {
  try {
    const { uncommittedBlocks = [] } = await blob.getBlockList("uncommitted", { abortSignal: signal });
    return new Map(uncommittedBlocks.map(({ name, size }) => [name, size]));
  } catch (error) {
    if (isMissingBlob(error)) return new Map();
    throw error;
  }
};

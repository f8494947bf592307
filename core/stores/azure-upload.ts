import { createHash, randomBytes } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import { Failure } from "../domain/failure.ts";
import { azureCode } from "./azure-failure.ts";
import { plainEtag } from "./transfer.ts";

/** What is sent, checked and tried again as one piece: about half a minute on a line of 2 Mbit/s. */
const blockBytes = 8 << 20;
/** Block uploads of one object at the same time. */
const lanes = 2;
const attempts = 4;

const md5 = (bytes: Uint8Array): Buffer => createHash("md5").update(bytes).digest();

/**
 * Uploads `bytes` without copying them; the service checks the MD5 of every piece as it arrives and keeps that of the
 * whole. The object appears whole, with the last call. Returns its etag.
 */
export const uploadBlob = async (
  blob: BlockBlobClient,
  bytes: Uint8Array,
  signal: AbortSignal,
  progressed: () => void,
): Promise<string> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (bytes.length <= blockBytes
        ? uploadWhole(blob, bytes, signal, progressed)
        : uploadBlocks(blob, bytes, signal, progressed));
    } catch (error) {
      // Committing a block list drops every other uncommitted block of that name: somebody else has just put the same object.
      if (azureCode(error) !== "InvalidBlockList" || attempt === attempts) throw error;
      const stored = await blob.getProperties({ abortSignal: signal });
      if (stored.contentMD5 !== undefined && md5(bytes).equals(stored.contentMD5)) return plainEtag(stored.etag);
    }
  }
};

const uploadWhole = async (blob: BlockBlobClient, bytes: Uint8Array, signal: AbortSignal, progressed: () => void): Promise<string> => {
  const digest = md5(bytes);
  const answer = await blob.upload(bytes, bytes.length, {
    abortSignal: signal,
    onProgress: progressed,
    transactionalContentMD5: digest,
    blobHTTPHeaders: { blobContentMD5: digest, blobContentType: "application/octet-stream" },
  });
  if (answer.contentMD5 !== undefined && !digest.equals(answer.contentMD5)) {
    throw new Failure("ObjectCorrupt", `${blob.name}: the service received other bytes than were sent`);
  }
  return plainEtag(answer.etag);
};

const uploadBlocks = async (blob: BlockBlobClient, bytes: Uint8Array, signal: AbortSignal, progressed: () => void): Promise<string> => {
  const run = randomBytes(12).toString("hex");
  const ids = Array.from({ length: Math.ceil(bytes.length / blockBytes) }, (_, index) =>
    Buffer.from(`${run}-${String(index).padStart(6, "0")}`).toString("base64"),
  );
  const waiting = ids.entries();
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const lane = async (): Promise<void> => {
    for (const [index, id] of waiting) {
      const block = bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
      await blob.stageBlock(id, block, block.length, { abortSignal: either, onProgress: progressed, transactionalContentMD5: md5(block) });
      progressed();
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } catch (error) {
    stopped.abort();
    throw error;
  }
  const answer = await blob.commitBlockList(ids, {
    abortSignal: signal,
    blobHTTPHeaders: { blobContentMD5: md5(bytes), blobContentType: "application/octet-stream" },
  });
  return plainEtag(answer.etag);
};

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { plainEtag } from "./transfer.ts";

/** So often an upload tells that it goes on: about once a second on a line of 512 kbit/s. */
const sliceBytes = 64 << 10;

/**
 * Sends `bytes` in one request, which S3 takes whole or not at all, without copying them. The service checks their MD5.
 * Returns the etag that the service gives.
 */
export const uploadToS3 = async (
  client: S3Client,
  place: { readonly Bucket: string; readonly Key: string },
  bytes: Uint8Array,
  signal: AbortSignal,
  progressed: () => void,
): Promise<string> => {
  const command = new PutObjectCommand({
    ...place,
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: createHash("md5").update(bytes).digest("base64"),
    ContentType: "application/octet-stream",
  });
  // After the signature, which needs the bytes at once, and anew in each try.
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body?: unknown };
      return next({
        ...args,
        request: Object.assign(Object.create(Object.getPrototypeOf(request)), request, { body: slices(bytes, progressed) }),
      });
    },
    { step: "deserialize", priority: "low", name: "tellProgress" },
  );
  const { ETag } = await client.send(command, { abortSignal: signal });
  return plainEtag(ETag);
};

/** Each slice is taken when the one before is on its way. */
const slices = (bytes: Uint8Array, progressed: () => void): Readable =>
  Readable.from(
    (function* () {
      for (let offset = 0; offset < bytes.length; offset += sliceBytes) {
        progressed();
        yield bytes.subarray(offset, offset + sliceBytes);
      }
    })(),
    { objectMode: false, highWaterMark: sliceBytes },
  );

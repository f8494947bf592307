import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";

/** A bucket of a test file's own on that service, which goes when its tests have ended; and a client that looks behind a store's back. */
export const bucketForTests = async (
  { endpoint, ...credentials }: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string },
  purpose: string,
): Promise<{ bucket: string; admin: S3Client }> => {
  const bucket = `${purpose}-${randomUUID()}`;
  const admin = new S3Client({
    region: "us-east-1",
    endpoint,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
  await admin.send(new CreateBucketCommand({ Bucket: bucket }));
  after(async () => {
    for (;;) {
      const { Contents = [] } = await admin.send(new ListObjectsV2Command({ Bucket: bucket }));
      if (Contents.length === 0) break;
      for (const { Key } of Contents) await admin.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
    await admin.send(new DeleteBucketCommand({ Bucket: bucket }));
    admin.destroy();
  });
  return { bucket, admin };
};

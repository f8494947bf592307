import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";

/**
 * Deletes an object. A bucket that keeps versions only hides it behind a marker, and says so: there all its versions are deleted,
 * since "deleted" means that the bytes are gone. One that is locked, or that the key may not delete, is an error.
 */
export const deleteFromS3 = async (
  client: S3Client,
  place: { readonly Bucket: string; readonly Key: string },
  signal: AbortSignal,
  progressed: () => void,
): Promise<void> => {
  const { DeleteMarker, VersionId } = await client.send(new DeleteObjectCommand(place), { abortSignal: signal });
  if (DeleteMarker !== true && VersionId === undefined) return;
  for (let at: { KeyMarker?: string; VersionIdMarker?: string } = {}; ; ) {
    const command = new ListObjectVersionsCommand({ Bucket: place.Bucket, Prefix: place.Key, ...at });
    const page = await client.send(command, { abortSignal: signal });
    // The content before the markers: what broke off in between must not show an object that is half deleted.
    for (const { Key, VersionId: id } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      if (Key !== place.Key || id === undefined) continue;
      await client.send(new DeleteObjectCommand({ ...place, VersionId: id }), { abortSignal: signal });
      progressed();
    }
    if (page.IsTruncated !== true || page.NextKeyMarker !== place.Key) return;
    at = {
      KeyMarker: page.NextKeyMarker,
      ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
    };
  }
};

import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import { Failure } from "../domain/failure.ts";
import { retainedInS3, type S3Place } from "./s3-lock.ts";

interface Deletion {
  /** Begins the sentence of a failure. */
  readonly what: string;
  readonly client: S3Client;
  readonly place: S3Place;
  readonly signal: AbortSignal;
  readonly progressed: () => void;
}

/**
 * Deletes an object. A bucket that keeps versions only hides it behind a marker, and says so: there all its versions are deleted,
 * since "deleted" means that the bytes are gone. One that is locked is `StoreRetained`, and can be seen and read as before; also where
 * a deletion before this was killed while it was hidden.
 */
export const deleteFromS3 = async (deletion: Deletion): Promise<void> => {
  const { what, client, place, signal, progressed } = deletion;
  const { DeleteMarker, VersionId } = await client.send(new DeleteObjectCommand(place), { abortSignal: signal });
  if (DeleteMarker !== true && VersionId === undefined) return;
  try {
    // A page's content before its markers: what broke off in between must not show an object that is half deleted.
    for await (const { isMarker: _, ...version } of versionsOf(deletion)) {
      await client.send(new DeleteObjectCommand(version), { abortSignal: signal }).catch(async (error) => {
        throw (await retainedInS3(what, client, version, signal)) ?? error;
      });
      progressed();
    }
  } catch (error) {
    // What stays must be found: by a verification, and by the next attempt to delete it.
    if (error instanceof Failure && error.type === "StoreRetained") await show(deletion);
    throw error;
  }
};

/** Takes every marker away that hides the object, whoever left it. */
const show = async (deletion: Deletion): Promise<void> => {
  for await (const { isMarker, ...marker } of versionsOf(deletion)) {
    if (isMarker) await deletion.client.send(new DeleteObjectCommand(marker), { abortSignal: deletion.signal });
  }
};

interface Version extends S3Place {
  readonly isMarker: boolean;
}

async function* versionsOf({ what, client, place, signal }: Deletion): AsyncGenerator<Version> {
  for (let at: { KeyMarker?: string; VersionIdMarker?: string } = {}; ; ) {
    const command = new ListObjectVersionsCommand({ Bucket: place.Bucket, Prefix: place.Key, ...at });
    const page = await client.send(command, { abortSignal: signal });
    const versions = [
      ...(page.Versions ?? []).map((version) => ({ ...version, isMarker: false })),
      ...(page.DeleteMarkers ?? []).map((marker) => ({ ...marker, isMarker: true })),
    ];
    for (const { Key, VersionId, isMarker } of versions) {
      if (Key === place.Key && VersionId !== undefined) yield { ...place, VersionId, isMarker };
    }
    // To the end: the pages of a service that lists in an order of its own may hold other keys first.
    if (page.IsTruncated !== true) return;
    if (page.NextKeyMarker === undefined || (page.NextKeyMarker === at.KeyMarker && page.NextVersionIdMarker === at.VersionIdMarker)) {
      throw new Failure("StoreRejected", `${what}: the service says that there are more versions, and not where they begin`);
    }
    at = {
      KeyMarker: page.NextKeyMarker,
      ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
    };
  }
}

import { createHash } from "node:crypto";
import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Failure } from "../domain/failure.ts";
import { isMissingInS3, s3Code } from "./s3-failure.ts";

/** An object, in the version that is read without naming one, or in a certain one. */
export interface S3Place {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string;
}

interface Lock {
  /** Until when the version cannot be deleted. */
  readonly until: Date | undefined;
  /** Whether nobody can shorten that. In the other mode, governance, some may. */
  readonly isFinal: boolean;
  readonly held: boolean;
}

/** How services say that there is no lock on an object, or none in the whole bucket. */
const noLock =
  /^(NoSuchObjectLockConfiguration|ObjectLockConfigurationNotFoundError|InvalidRequest|NotImplemented|MethodNotAllowed|NoSuchKey)$/;

const orNone = async <T>(asking: Promise<T>): Promise<T | undefined> => {
  try {
    return await asking;
  } catch (error) {
    if (isMissingInS3(error) || noLock.test(s3Code(error))) return undefined;
    throw error;
  }
};

/** What keeps the object from being deleted, as Object Lock says. */
export const lockInS3 = async (client: S3Client, place: S3Place, signal: AbortSignal): Promise<Lock> => {
  const abortSignal = signal;
  const retention = await orNone(client.send(new GetObjectRetentionCommand(place), { abortSignal }));
  const hold = await orNone(client.send(new GetObjectLegalHoldCommand(place), { abortSignal }));
  const { RetainUntilDate: until, Mode: mode } = retention?.Retention ?? {};
  return { until, isFinal: mode === "COMPLIANCE", held: hold?.LegalHold?.Status === "ON" };
};

/**
 * Locks the object's current version until `until` at least, so that nobody can shorten it (compliance mode), not even the bucket's
 * owner. Does nothing where it is locked so for longer; a lock of governance mode with a later date, as a bucket's default sets it, becomes final as it is.
 */
export const protectInS3 = async (client: S3Client, place: S3Place, until: Date, signal: AbortSignal): Promise<void> => {
  const { until: now, isFinal } = await lockInS3(client, place, signal);
  const isLater = now !== undefined && now >= until;
  if (isLater && isFinal) return;
  const Retention = { Mode: "COMPLIANCE", RetainUntilDate: isLater ? now : until } as const;
  // Services take the change of mode for one that needs the right to shorten.
  const change = now === undefined || isFinal ? {} : { BypassGovernanceRetention: true };
  await client.send(withMd5(new PutObjectRetentionCommand({ ...place, Retention, ...change })), { abortSignal: signal });
};

export const holdInS3 = async (client: S3Client, place: S3Place, held: boolean, signal: AbortSignal): Promise<void> => {
  const LegalHold = { Status: held ? "ON" : "OFF" } as const;
  await client.send(withMd5(new PutObjectLegalHoldCommand({ ...place, LegalHold })), { abortSignal: signal });
};

/** S3 wants a checksum with these: the SDK sends a CRC, and services that are older than that (Storj's gateway) take only an MD5. */
const withMd5 = <Command extends PutObjectRetentionCommand | PutObjectLegalHoldCommand>(command: Command): Command => {
  // One stack of the two is as good as the other for what is added.
  (command.middlewareStack as PutObjectRetentionCommand["middlewareStack"]).add(
    (next) => (args) => {
      const { body, headers } = args.request as { body: string; headers: Record<string, string> };
      headers["content-md5"] = createHash("md5").update(body).digest("base64");
      return next(args);
    },
    { step: "build", name: "md5OfBody" },
  );
  return command;
};

/** Why a delete was refused, where a lock is the reason; undefined where it is something else. */
export const retainedInS3 = async (what: string, client: S3Client, place: S3Place, signal: AbortSignal): Promise<Failure | undefined> => {
  const { until, held } = await lockInS3(client, place, signal);
  if (held) return new Failure("StoreRetained", `${what}: a legal hold is on the object`);
  if (until === undefined || until <= new Date()) return undefined;
  const iso = until.toISOString();
  return new Failure("StoreRetained", `${what}: the object is locked until ${iso}`, { details: { until: iso } });
};

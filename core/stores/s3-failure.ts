import { Failure } from "../domain/failure.ts";
import { failureOfConnection, failureOfStatus, withoutSecrets } from "./http-failure.ts";

interface ServiceError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const statusOf = (error: unknown): number | undefined => (error as ServiceError | undefined)?.$metadata?.httpStatusCode;

/** S3's own code (`NoSuchBucket`, `SlowDown`, …); empty where the answer had no body, as one to HEAD. */
export const s3Code = (error: unknown): string => {
  const name = (error as ServiceError | undefined)?.name ?? "";
  return /^[A-Z]\w+$/.test(name) && !/^(Unknown|UnknownError|Error|TypeError)$/.test(name) ? name : "";
};

/** There is no such object; or no such bucket, which only an answer with a body tells apart. */
export const isMissingInS3 = (error: unknown): boolean => statusOf(error) === 404;

/** What codes mean that a status alone does not tell, and what to do about them. */
const meanings: readonly (readonly [codes: RegExp, type: Failure["type"], words: string])[] = [
  [/^NoSuchBucket$/, "StoreUnreachable", "the bucket does not exist"],
  // The first three are Storj's names, the last MinIO's; AWS has no limit to reach.
  [
    /^(StorageLimitExceeded|SegmentsLimitExceeded|QuotaExceeded|XMinioAdminBucketQuotaExceeded|XMinioStorageFull)$/,
    "StoreFull",
    "the quota is used up",
  ],
  [/^(BadDigest|InvalidDigest|XAmzContentSHA256Mismatch|IncompleteBody)$/, "StoreUnreachable", "the upload arrived damaged"],
  [/^InvalidRange$/, "ObjectCorrupt", "the object ends before the bytes that were asked for"],
  [/^(InvalidAccessKeyId|SignatureDoesNotMatch)$/, "StoreRejected", "the access key or its secret is wrong"],
  [/^RequestTimeTooSkewed$/, "StoreRejected", "the clocks of this machine and of the service differ by too much; set this one's"],
  [
    /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/,
    "StoreRejected",
    "the bucket is in another region, or of another service",
  ],
  [/^InvalidObjectState$/, "StoreRejected", "the object is in an archive class, and must be made readable there first"],
];

/**
 * What Storj's gateway says with a 500 where an object cannot be put together. Nodes that are away may come back; what nodes say that they have lost does not, and
 * the object has to be written again. It asks a few nodes more than it needs, and the SDK has tried three times by now.
 */
const tooFewPieces = (what: string, error: unknown): Failure | undefined => {
  const { message } = error as Error;
  const options = { cause: withoutSecrets(error) };
  const failed = message.match(/error retrieving piece/g)?.length ?? 0;
  if (failed > 0 && failed === message.match(/file does not exist/g)?.length) {
    return new Failure("ObjectMissing", `${what}: storage nodes have lost too many of the object's pieces`, options);
  }
  if (failed === 0 && !message.includes("unable to create order limits")) return undefined;
  return new Failure("StoreUnreachable", `${what}: too few storage nodes that have the object's pieces answer`, options);
};

/** What an error of the SDK means. Its message is left out: it can repeat the string that was signed. */
export const failureOfS3 = (what: string, error: unknown): Failure => {
  if (error instanceof Failure) return error;
  const status = statusOf(error);
  if (status === undefined) return failureOfConnection(what, error);
  const code = s3Code(error);
  const meaning = meanings.find(([codes]) => codes.test(code));
  if (meaning !== undefined) return new Failure(meaning[1], `${what}: ${meaning[2]} (${code})`, { cause: withoutSecrets(error) });
  const pieces = status === 500 ? tooFewPieces(what, error) : undefined;
  if (pieces !== undefined) return pieces;
  // An answer that cannot be read is one of something else than S3.
  if (status < 300) return new Failure("StoreRejected", `${what}: the answer is not one of S3`, { cause: withoutSecrets(error) });
  return failureOfStatus(what, status, code, error);
};

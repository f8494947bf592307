import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { Failure } from "../domain/failure.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import { probeByWriting } from "./probe.ts";
import { type Bucket, s3Address, s3Client } from "./s3-connection.ts";
import { deleteFromS3 } from "./s3-deletion.ts";
import { failureOfS3, isMissingInS3, s3Code } from "./s3-failure.ts";
import { holdInS3, protectInS3 } from "./s3-lock.ts";
import { uploadToS3 } from "./s3-upload.ts";
import type { Store, StoreCapabilities, StoredObject, StoreKind, StoreOptions } from "./store.ts";
import { withinLimit } from "./time-limit.ts";
import { checkStoredSize, collect, plainEtag, rangeWithin } from "./transfer.ts";

export const s3Capabilities: StoreCapabilities = {
  // What S3 takes in one request; a pack is far below.
  largestObject: 5 * (1 << 30),
  rangedReads: true,
  deletion: "real",
  public: false,
  listing: "unordered",
  // AWS has it since 2024, many others that speak the protocol do not.
  conditionalWrites: false,
  immutability: "version",
  minimumDays: 0,
  expires: "never",
  presence: "bytes read back and hashed",
  durableWhen: "the service answers; what that means is the service's matter",
};

/** What a service that speaks S3 is, where it has a kind of its own. */
export interface S3Service {
  readonly kind: StoreKind;
  readonly capabilities: StoreCapabilities;
}

const plainS3: S3Service = { kind: "s3", capabilities: s3Capabilities };

/** A bucket of a service that speaks S3. Does no I/O. Throws `ConfigurationInvalid` for an endpoint that cannot be one. */
export const openS3Store = (config: Bucket, options: StoreOptions = {}, service: S3Service = plainS3): Store => {
  const { silenceMs = 30_000, pageSize } = options;
  const client = s3Client(config);
  const where = `store "${config.name}" (${s3Address(config)})`;
  const folder = config.prefix === "" ? "" : `${config.prefix}/`;
  const placeOf = (key: string) => ({ Bucket: config.bucket, Key: folder + key });

  const attempt = <T>(doing: string, signal: AbortSignal, work: Parameters<typeof withinLimit<T>>[1]): Promise<T> => {
    const what = `${where}: ${doing}`;
    return withinLimit({ what, signal, ms: silenceMs }, async (stop, progressed) => {
      try {
        return await work(stop, progressed);
      } catch (error) {
        throw stop.aborted ? error : failureOfS3(what, error);
      }
    });
  };

  let bucketSeen = false;
  /**
   * Throws unless `error` says that the object alone is missing. The answer to HEAD has no body to tell that from a missing
   * bucket, nor has the 404 of what is no S3 at all: then the bucket is asked for, until it was seen once.
   */
  const checkMissing = async (error: unknown, signal: AbortSignal): Promise<void> => {
    const code = s3Code(error);
    if (!isMissingInS3(error) || code === "NoSuchBucket") throw error;
    if (code === "NoSuchKey" || bucketSeen) return;
    try {
      await client.send(new HeadBucketCommand({ Bucket: config.bucket }), { abortSignal: signal });
    } catch (other) {
      throw isMissingInS3(other) ? new Failure("StoreUnreachable", `${where}: the bucket does not exist`) : other;
    }
    bucketSeen = true;
  };

  const describe = async (key: string, signal: AbortSignal): Promise<StoredObject | undefined> => {
    try {
      const found = await client.send(new HeadObjectCommand(placeOf(key)), { abortSignal: signal });
      return { key, bytes: found.ContentLength ?? 0, receipt: plainEtag(found.ETag) };
    } catch (error) {
      await checkMissing(error, signal);
      return undefined;
    }
  };

  const store: Store = {
    name: config.name,
    kind: service.kind,
    capabilities: service.capabilities,

    put: async (key, bytes, signal) => {
      checkKey(key);
      return attempt(`put of ${key}`, signal, async (stop, progressed) => {
        const etag = await uploadToS3(client, placeOf(key), bytes, stop, progressed);
        const stored = await describe(key, stop);
        // Another writer of the same name may have come after: then the size is theirs.
        if (stored === undefined || stored.receipt === etag) checkStoredSize(`${where}: ${key}`, stored?.bytes, bytes.length);
        return { id: etag, bytes: bytes.length };
      });
    },

    get: async (key, signal, range) => {
      checkKey(key);
      const what = `${where}: ${key}`;
      return attempt(`get of ${key}`, signal, async (stop, progressed) => {
        if (range?.length === 0) {
          const found = await describe(key, stop);
          if (found === undefined) throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
          rangeWithin(what, found.bytes, range);
          return new Uint8Array();
        }
        const asked = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
        const answer = await client
          .send(new GetObjectCommand({ ...placeOf(key), ...asked }), { abortSignal: stop })
          .catch(async (error) => {
            await checkMissing(error, stop);
            throw new Failure("ObjectMissing", `${where}: there is no object ${key}`);
          });
        const body = answer.Body as AsyncIterable<Uint8Array> & { destroy(): void };
        try {
          const { length } = rangeWithin(what, sizeOf(what, answer, range?.offset), range);
          return await collect(what, body, length, progressed);
        } finally {
          body.destroy();
        }
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      return attempt(`stat of ${key}`, signal, (stop) => describe(key, stop));
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      const doing = `list of ${prefix}*`;
      // By whole folders: Storj's gateways refuse a prefix that ends within a name, or walk through all names for it.
      const from = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for (let token: string | undefined; ; ) {
        const command = new ListObjectsV2Command({
          Bucket: config.bucket,
          Prefix: folder + from,
          ...(token === undefined ? {} : { ContinuationToken: token }),
          ...(pageSize === undefined ? {} : { MaxKeys: pageSize }),
        });
        const page = await attempt(doing, signal, (stop) => client.send(command, { abortSignal: stop }));
        yield* objectsOf(page, folder).filter(({ key }) => key.startsWith(prefix));
        if (page.IsTruncated !== true) return;
        if (!page.NextContinuationToken || page.NextContinuationToken === token) {
          throw new Failure("StoreRejected", `${where}: ${doing}: the service says that there is more, and not where it begins`);
        }
        token = page.NextContinuationToken;
      }
    },

    delete: async (key, signal) => {
      checkKey(key);
      await attempt(`delete of ${key}`, signal, async (stop, progressed) => {
        try {
          await deleteFromS3({ what: `${where}: delete of ${key}`, client, place: placeOf(key), signal: stop, progressed });
        } catch (error) {
          await checkMissing(error, stop);
        }
      });
    },

    probe: (signal) => probeByWriting(store, signal),
    close: async () => client.destroy(),
  };
  if (service.capabilities.immutability === "none") return store;
  return {
    ...store,

    protect: async (key, until, signal) => {
      checkKey(key);
      await attempt(`lock of ${key}`, signal, (stop) => protectInS3(client, placeOf(key), until, stop));
    },

    legalHold: async (key, held, signal) => {
      checkKey(key);
      await attempt(`${held ? "" : "end of the "}legal hold on ${key}`, signal, (stop) => holdInS3(client, placeOf(key), held, stop));
    },
  };
};

/** Without the empty objects that consoles make for folders. */
const objectsOf = ({ Contents = [] }: ListObjectsV2CommandOutput, folder: string): StoredObject[] =>
  Contents.filter(({ Key = "/" }) => !Key.endsWith("/")).map(({ Key = "", Size = 0, ETag }) => ({
    key: Key.slice(folder.length),
    bytes: Size,
    receipt: plainEtag(ETag),
  }));

/** The object's whole size. A service that takes no notice of the range that it was asked for is found out here. */
const sizeOf = (
  what: string,
  answer: { readonly ContentRange?: string | undefined; readonly ContentLength?: number | undefined },
  offset: number | undefined,
): number => {
  if (offset === undefined) {
    if (answer.ContentLength !== undefined) return answer.ContentLength;
    throw new Failure("StoreRejected", `${what}: the service does not say how large the object is`);
  }
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? "") ?? [];
  if (Number(from) !== offset) throw new Failure("StoreRejected", `${what}: the service did not send the range that it was asked for`);
  return Number(total);
};

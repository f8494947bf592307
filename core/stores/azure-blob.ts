import { randomUUID } from "node:crypto";
import type { ContainerClient, ContainerListBlobFlatSegmentResponse } from "@azure/storage-blob";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { containerAddress, containerClient } from "./azure-connection.ts";
import { azureCode, failureOfAzure, isMissingBlob } from "./azure-failure.ts";
import { deleteBlob, leftAfterDeletion, lockBlob } from "./azure-retention.ts";
import { bringBack, moveToTier, offlineState } from "./azure-tier.ts";
import { uploadBlob } from "./azure-upload.ts";
import { oneAtATime } from "./in-turn.ts";
import { checkKey, checkPrefix } from "./keys.ts";
import { probeByWriting } from "./probe.ts";
import type { Receipt, Store, StoreCapabilities, StoredObject, StoreOptions } from "./store.ts";
import { withinLimit } from "./time-limit.ts";
import { checkStoredSize, collect, plainEtag, rangeWithin } from "./transfer.ts";

export const azureBlobCapabilities: StoreCapabilities = {
  // Fifty thousand blocks of eight MiB.
  largestObject: 50_000 * (8 << 20),
  rangedReads: true,
  deletion: "real",
  public: false,
  listing: "lexicographic",
  conditionalWrites: true,
  immutability: "version",
  // Of the tier "hot"; a store with another says its own.
  minimumDays: 0,
  expires: "never",
  presence: "bytes read back and hashed; of an archived object its size, ETag and MD5 alone, which is `present` and not `proven`",
  offlineTier: "archive: back within 15 hours (`high`: about 1); billed for 180 days at least",
  durableWhen: "the service answers, having written as many copies as the account's redundancy says",
};

const minimumDaysOf = { hot: 0, cool: 30, cold: 90 } as const;

type AzureBlobConfig = Extract<StoreConfig, { kind: "azure-blob" }>;

/** A container of Azure Blob Storage. Does no I/O. Throws `ConfigurationInvalid` for a connection that cannot be one. */
export const openAzureBlobStore = (config: AzureBlobConfig, options: StoreOptions = {}): Store => {
  const { silenceMs = 30_000, create = true, pageSize } = options;
  const container = containerClient(config.name, config.connection, config.container, config.identity);
  const where = `store "${config.name}" (${containerAddress(container)})`;
  const inTurn = oneAtATime();

  const attempt = <T>(doing: string, signal: AbortSignal, work: Parameters<typeof withinLimit<T>>[1]): Promise<T> => {
    const what = `${where}: ${doing}`;
    return withinLimit({ what, signal, ms: silenceMs }, async (stop, progressed) => {
      try {
        return await work(stop, progressed);
      } catch (error) {
        throw stop.aborted ? error : failureOfAzure(what, error);
      }
    });
  };

  /** A container that may be created counts as an empty one while it does not exist. */
  const whenMissing = <T>(error: unknown, value: T): T => {
    if (isMissingBlob(error) && (create || azureCode(error) !== "ContainerNotFound")) return value;
    throw error;
  };

  const describe = async (key: string, signal: AbortSignal): Promise<StoredObject | undefined> => {
    try {
      const found = await container.getBlockBlobClient(key).getProperties({ abortSignal: signal });
      return { key, bytes: found.contentLength ?? 0, receipt: plainEtag(found.etag), ...offlineState(found) };
    } catch (error) {
      // An answer to HEAD has no body, but Azure repeats the code in a header, so a missing container is still told apart.
      return whenMissing(error, undefined);
    }
  };

  const store: Store = {
    name: config.name,
    kind: "azure-blob",
    capabilities: { ...azureBlobCapabilities, minimumDays: config.tier === undefined ? 0 : minimumDaysOf[config.tier] },

    put: async (key, bytes, signal) => {
      checkKey(key);
      const put = (): Promise<Receipt> =>
        attempt(`put of ${key}`, signal, async (stop, progressed) => {
          const blob = container.getBlockBlobClient(key);
          const upload = (): Promise<string> => uploadBlob(blob, bytes, config.tier, stop, progressed);
          const etag = await upload().catch(async (error: unknown) => {
            if (!create || azureCode(error) !== "ContainerNotFound") throw error;
            await container.createIfNotExists({ abortSignal: stop });
            return upload();
          });
          const stored = await describe(key, stop);
          // Another writer of the same name may have come after: then the size is theirs.
          if (stored === undefined || stored.receipt === etag) checkStoredSize(`${where}: ${key}`, stored?.bytes, bytes.length);
          return { id: etag, bytes: bytes.length };
        });
      // Uploads of one name in blocks would drop each other's blocks.
      return inTurn(key, signal, put);
    },

    get: async (key, signal, range) => {
      checkKey(key);
      const what = `${where}: ${key}`;
      return attempt(`get of ${key}`, signal, async (stop, progressed) => {
        const missing = (): Failure => new Failure("ObjectMissing", `${where}: there is no object ${key}`);
        if (range?.length === 0) {
          const found = await describe(key, stop);
          if (found === undefined) throw missing();
          rangeWithin(what, found.bytes, range);
          return new Uint8Array();
        }
        const answer = await container
          .getBlobClient(key)
          .download(range?.offset ?? 0, range?.length, { abortSignal: stop, maxRetryRequests: 2 })
          .catch((error: unknown) => whenMissing(error, undefined));
        if (answer?.readableStreamBody === undefined) throw missing();
        const total = Number(answer.contentRange?.split("/").at(-1) ?? answer.contentLength);
        const { length } = rangeWithin(what, total, range);
        return collect(what, answer.readableStreamBody as AsyncIterable<Uint8Array>, length, progressed);
      });
    },

    stat: async (key, signal) => {
      checkKey(key);
      return attempt(`stat of ${key}`, signal, (stop) => describe(key, stop));
    },

    async *list(prefix, signal) {
      checkPrefix(prefix);
      for (let token: string | undefined; ; ) {
        const page = await attempt(`list of ${prefix}*`, signal, (stop) => pageOf(container, prefix, token, pageSize, stop, whenMissing));
        yield* page.objects;
        if (page.next === undefined) return;
        token = page.next;
      }
    },

    delete: async (key, signal) => {
      checkKey(key);
      await attempt(`delete of ${key}`, signal, async (stop) => {
        try {
          await deleteBlob(container, `${where}: delete of ${key}`, key, stop);
        } catch (error) {
          whenMissing(error, undefined);
        }
      });
    },

    probe: (signal) => probeByWriting(store, signal),

    protect: async (key, until, signal) => {
      checkKey(key);
      await attempt(`lock of ${key}`, signal, (stop) => lockBlob(container, `${where}: ${key}`, key, until, stop));
    },

    legalHold: async (key, held, signal) => {
      checkKey(key);
      await attempt(`legal hold of ${key}`, signal, async (stop) => {
        await container.getBlobClient(key).setLegalHold(held, { abortSignal: stop });
      });
    },

    tier: async (key, tier, signal) => {
      checkKey(key);
      await attempt(`move of ${key} to the ${tier} tier`, signal, async (stop) => {
        await moveToTier(container.getBlockBlobClient(key), tier, stop);
      });
    },

    rehydrate: async (key, priority, signal) => {
      checkKey(key);
      return attempt(`rehydration of ${key}`, signal, (stop) => bringBack(container.getBlockBlobClient(key), priority, stop));
    },

    notices: async (signal) => {
      const key = `probe/${randomUUID()}`;
      await store.put(key, new Uint8Array(1), signal);
      await store.delete(key, signal);
      const left = await attempt("look for what deletion leaves", signal, (stop) => leftAfterDeletion(container, key, stop));
      return left === undefined ? [] : [left];
    },

    close: async () => {},
  };
  return store;
};

interface Page {
  readonly objects: StoredObject[];
  readonly next: string | undefined;
}

const pageOf = async (
  container: ContainerClient,
  prefix: string,
  token: string | undefined,
  pageSize: number | undefined,
  signal: AbortSignal,
  whenMissing: (error: unknown, value: Page) => Page,
): Promise<Page> => {
  const pages = container.listBlobsFlat({ prefix, abortSignal: signal }).byPage({
    ...(token === undefined ? {} : { continuationToken: token }),
    ...(pageSize === undefined ? {} : { maxPageSize: pageSize }),
  });
  try {
    const page: ContainerListBlobFlatSegmentResponse | undefined = (await pages.next()).value;
    const items = page?.segment.blobItems ?? [];
    return {
      objects: items.map(({ name, properties }) => ({
        key: name,
        bytes: properties.contentLength ?? 0,
        receipt: plainEtag(properties.etag),
      })),
      next: page?.continuationToken || undefined,
    };
  } catch (error) {
    return whenMissing(error, { objects: [], next: undefined });
  }
};

import { z } from "zod";
import { isFailure } from "../domain/failure.ts";
import type { SiaApi } from "./sia-api.ts";
import type { Store } from "./store.ts";
import { limitFor } from "./time-limit.ts";

const uploadStats = z.object({
  pendingObjects: z.int().nonnegative(),
  pendingSize: z.int().nonnegative(),
  uploadedObjects: z.int().nonnegative(),
  uploadedSize: z.int().nonnegative(),
});

/** Erasure coding sends three times the bytes. */
const redundancy = 3;

/**
 * What `s3d` tells in its admin API. It answers a put when its own disk has the object, and uploads a group of objects once they fill slabs
 * well enough: what is too little for that may wait for days. So it is told to upload all the same.
 */
export const s3dState = (ask: SiaApi, silenceMs: number): Pick<Store, "settled" | "usage"> => {
  const stats = (signal: AbortSignal) => ask({ doing: "state of the upload queue", path: "/stats/uploads", answer: uploadStats }, signal);
  return {
    /** The queue is one for all objects, so another's that waits keeps this one unsettled. */
    settled: async (_key, signal) => {
      const { pendingObjects, pendingSize } = await stats(signal);
      if (pendingObjects === 0) return true;
      try {
        const ms = limitFor(silenceMs, pendingSize * redundancy);
        await ask({ doing: "upload of what waits", path: "/objects/flush", body: {}, answer: z.unknown(), ms }, signal);
      } catch (error) {
        // Versions up to 0.1.1 cannot be told, and upload when they see fit.
        if (!isFailure(error, "ObjectMissing")) throw error;
        return false;
      }
      return (await stats(signal)).pendingObjects === 0;
    },

    usage: async (signal) => {
      const { pendingObjects, pendingSize, uploadedObjects, uploadedSize } = await stats(signal);
      return { bytes: pendingSize + uploadedSize, objects: pendingObjects + uploadedObjects };
    },
  };
};

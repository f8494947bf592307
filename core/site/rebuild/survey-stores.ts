import type { ReplicaFacts } from "../../catalog/record-replica.ts";
import { Failure, isFailure } from "../../domain/failure.ts";
import type { Store } from "../../stores/store.ts";
import type { Site } from "../site.ts";

/** What lies in the stores. */
export interface Survey {
  readonly stores: readonly Store[];
  /** By key. */
  readonly replicas: ReadonlyMap<string, readonly ReplicaFacts[]>;
  /** The object's bytes from the first store whose copy `check` accepts; it throws for a bad one. */
  read<T>(key: string, check: (bytes: Uint8Array) => T): Promise<{ readonly store: string; readonly value: T }>;
}

const prefixes = ["packs/", "ranges/", "manifests/", "envelopes/"];

export const surveyStores = async (site: Site, signal: AbortSignal): Promise<Survey> => {
  const stores = await Promise.all(site.loaded.config.stores.map(({ name }) => site.store(name)));
  const replicas = new Map<string, ReplicaFacts[]>();
  for (const store of stores) {
    for (const prefix of prefixes) {
      for await (const { key, bytes, receipt } of store.list(prefix, signal)) {
        const facts = { object: key, store: store.name, receipt, bytes, provenAt: null };
        replicas.set(key, [...(replicas.get(key) ?? []), facts]);
      }
    }
  }
  const read: Survey["read"] = async (key, check) => {
    let failure: unknown = new Failure("ObjectMissing", `${key} is in no store`);
    for (const { store: name } of replicas.get(key) ?? []) {
      try {
        const store = stores.find((one) => one.name === name) as Store;
        return { store: name, value: check(await store.get(key, signal)) };
      } catch (error) {
        if (!isFailure(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  };
  return { stores, replicas, read };
};

/** The ids of the objects under a prefix whose last part is the id. */
export const idsUnder = ({ replicas }: Survey, prefix: string): string[] =>
  [...replicas.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(key.lastIndexOf("/") + 1))
    .sort();

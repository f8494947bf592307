import type { Site } from "./site.ts";

/** The stores that get a copy of the log: those that packs are copied to, but the log's own, and any where the head cannot be replaced. */
export const logCopies = ({ loaded: { config } }: Site): string[] => {
  const named = new Set(config.policies.flatMap(({ landing, stores }) => [landing, ...stores]));
  return config.stores
    .filter(({ name, kind }) => named.has(name) && name !== config.log.store && kind !== "arweave")
    .map(({ name }) => name);
};

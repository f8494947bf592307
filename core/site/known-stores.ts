import type { StoreCoverage } from "../catalog/due-copies.ts";
import type { Site } from "./site.ts";

/** The configured stores, and then those that left the configuration while the catalog still has copies in them, good or bad. */
export const knownStores = ({ loaded }: Site, coverage: readonly Pick<StoreCoverage, "store" | "copies" | "lost">[]): string[] => {
  const holding = coverage.filter(({ copies, lost }) => copies + lost > 0).map(({ store }) => store);
  return [...new Set([...loaded.config.stores.map(({ name }) => name), ...holding])];
};

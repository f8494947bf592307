import { type Catalog, openCatalog } from "./catalog.ts";

const opened = new Map<string, Catalog>();

/**
 * The catalog, for the jobs of this thread one after the other: a login takes longer than most of their queries. Nobody closes
 * it; its connections end by themselves when they have been idle for a while.
 */
export const threadCatalog = (url: string): Catalog => {
  const kept = opened.get(url) ?? openCatalog(url);
  opened.set(url, kept);
  return kept;
};

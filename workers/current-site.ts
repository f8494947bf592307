import { stat } from "node:fs/promises";
import { loadConfig } from "../core/config/load-config.ts";
import { openSite, type Site } from "../core/site/site.ts";

/** Opens the configuration's site, and opens it anew once the file has changed. Sites in use by running activities are closed at the end only. */
export const followConfig = (path: string): { site(): Promise<Site>; close(): Promise<void> } => {
  const all: Site[] = [];
  let current: { readonly version: string; readonly site: Promise<Site> } | undefined;
  const open = async (): Promise<Site> => {
    const site = openSite(await loadConfig(path));
    all.push(site);
    return site;
  };
  return {
    site: async () => {
      const { mtimeMs, size, ino } = await stat(path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (current?.version !== version) current = { version, site: open() };
      return await current.site;
    },
    close: async () => {
      await Promise.all(all.map((site) => site.close()));
    },
  };
};

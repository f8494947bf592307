import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type LoadedConfig, loadConfig } from "../core/config/load-config.ts";
import { openSite, type Site } from "../core/site/site.ts";

interface Current {
  /** Of the configuration's file and of every file that it names. */
  readonly version: string;
  readonly files: readonly string[];
  readonly site: Site;
}

/**
 * Opens the configuration's site, and opens it anew once the file, or the file of a secret or key that it names, has
 * changed: a corrected password is in force with the next activity. Sites that activities still use are closed at the end.
 */
export const followConfig = (path: string): { site(): Promise<Site>; close(): Promise<void> } => {
  const all: Site[] = [];
  let current: Current | undefined;
  let opening: Promise<Site> | undefined;
  const reopen = async (): Promise<Site> => {
    const loaded = await loadConfig(path);
    const files = [path, ...namedFiles(loaded)];
    const site = openSite(loaded);
    all.push(site);
    current = { version: await versionOf(files), files, site };
    return site;
  };
  return {
    site: async () => {
      if (current !== undefined && (await versionOf(current.files)) === current.version) return current.site;
      opening ??= reopen().finally(() => {
        opening = undefined;
      });
      return await opening;
    },
    close: async () => {
      await Promise.all(all.map((site) => site.close()));
    },
  };
};

const versionOf = async (files: readonly string[]): Promise<string> => {
  const versions = await Promise.all(
    files.map(async (file) => {
      // A file that is missing is a version, too: whoever needs it says so.
      const found = await stat(file).catch(() => undefined);
      return found === undefined ? "none" : `${found.mtimeMs} ${found.size} ${found.ino}`;
    }),
  );
  return versions.join("\n");
};

/** Every `{ file: … }` in the configuration, and the recipients' public key files. */
const namedFiles = ({ config, folder }: LoadedConfig): string[] => {
  const files: string[] = config.recipients.map(({ publicKey }) => publicKey).filter((key) => !key.includes(":"));
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("file" in value && typeof value.file === "string") files.push(value.file);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(config);
  return files.map((file) => resolve(folder, file));
};

import { stat } from "node:fs/promises";
import type { StoreConfig } from "../config/schema.ts";

type DirectoryConfig = Extract<StoreConfig, { kind: "directory" }>;

/**
 * The stores among `others` that are folders on the same file system as `store` and yet declared to be of another failure domain: one disk that
 * fails takes both. Two disks of one machine, or two file systems of one disk, are not told apart.
 */
export const onTheSameDisk = async (
  store: Pick<DirectoryConfig, "name" | "domain" | "path">,
  others: readonly Pick<StoreConfig, "kind" | "name" | "domain">[],
): Promise<string[]> => {
  const device = await deviceOf(store.path);
  const folders = others.filter((other): other is DirectoryConfig => other.kind === "directory" && other.domain !== store.domain);
  const devices = await Promise.all(folders.map(({ path }) => deviceOf(path)));
  return folders.filter((_, at) => device !== undefined && devices[at] === device).map(({ name }) => name);
};

/** Undefined for a folder that is not there yet. */
const deviceOf = async (path: string): Promise<bigint | undefined> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.dev;
};

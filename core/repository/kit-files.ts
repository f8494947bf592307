import { constants } from "node:fs";
import { open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../domain/failure.ts";

/** Longer than any file of a kit takes to write: an unfinished one of this age belongs to nobody who lives. */
const abandonedAfterMs = 24 * 60 * 60_000;

/** Removes what killed writers of this file left behind. */
const removeAbandoned = async (folder: string, name: string): Promise<void> => {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`.${name}.`) || !found.endsWith(".partial")) continue;
    const path = join(folder, found);
    // Another writer may be giving it its name at the same time.
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
  }
};

/** Whole or not at all, durable, readable by its owner only. A file that would be empty is none. */
export const replaceFile = async (folder: string, name: string, content: AsyncIterable<string> | string): Promise<void> => {
  await removeAbandoned(folder, name);
  const partial = join(folder, `.${name}.${process.pid}.${Date.now().toString(36)}.partial`);
  const file = await open(partial, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    let empty: boolean;
    try {
      await file.writeFile(content);
      empty = (await file.stat()).size === 0;
      await file.sync();
    } finally {
      await file.close();
    }
    if (empty) await Promise.all([partial, join(folder, name)].map((path) => rm(path, { force: true })));
    else await rename(partial, join(folder, name));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  const directory = await open(folder, constants.O_RDONLY);
  await directory.sync().finally(() => directory.close());
};

/** A full disk or a missing permission, in one sentence. A failure of whoever gives the content passes as it is. */
export const kitFailure = (error: unknown, folder: string): Failure => {
  if (error instanceof Failure) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  const type =
    code === "ENOSPC" || code === "EDQUOT" ? "StoreFull" : code === "EACCES" || code === "EPERM" ? "StoreRejected" : "StoreUnreachable";
  return new Failure(type, `the recovery kit's folder ${folder} cannot be written (${code})`, { cause: error });
};

const unreadable = (path: string, error: unknown): Failure => {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return new Failure("UsageInvalid", `the recovery kit's file ${path} cannot be read (${code})`, { cause: error });
};

/** Throws `UsageInvalid` when it cannot be read. */
export const readKitFile = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
};

/** The names in a folder of the kit. Throws `UsageInvalid` when it cannot be read. */
export const listKitFolder = async (path: string): Promise<string[]> => {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw unreadable(path, error);
  }
};

/** A JSON object, or `ObjectCorrupt` that names it as `what`. */
export const parseJson = (text: string, what: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new Failure("ObjectCorrupt", `${what} is not JSON`, { cause: error });
  }
  throw new Failure("ObjectCorrupt", `${what} is not a JSON object`);
};

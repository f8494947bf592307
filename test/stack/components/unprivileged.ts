import { createHash } from "node:crypto";
import { chownSync, existsSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, sep } from "node:path";
import { Failure } from "../../../core/domain/failure.ts";
import { cacheFolder } from "../setup/cache.ts";

/** The user that PostgreSQL runs as when the caller is root, whom it refuses: `nobody`, whose numbers are these nearly everywhere. */
const nobody = { uid: 65_534, gid: 65_534 };

/** Whom to run PostgreSQL as; undefined for the caller. */
export const unprivilegedUser = (): { uid: number; gid: number } | undefined => (process.getuid?.() === 0 ? nobody : undefined);

/** Whether everybody may pass through all folders on the way to `path`, and `path` itself. */
const isReachable = (path: string): boolean => {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
};

/** A folder under the system's temporary one that belongs to root alone, so that nobody else can have planted what is in it. */
const rootsOwnFolder = (name: string): string => {
  const folder = join(tmpdir(), name);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== 0) throw new Failure("Unexpected", `postgres: ${folder} exists and is not a folder of root's`);
  return folder;
};

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** Where the data of a stack in `folder` lies: inside it, or, where the unprivileged user could not get there, under the temporary folder. */
export const dataParent = (folder: string): string =>
  unprivilegedUser() === undefined || isReachable(folder) ? folder : join(tmpdir(), `dbgov-stack-${digest(folder)}`);

export const makeDataParent = (folder: string): string => {
  const parent = dataParent(folder);
  if (parent !== folder) rootsOwnFolder(basename(parent));
  const own = join(parent, "server");
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(own, user.uid, user.gid);
  return own;
};

/** What must be copied with `bin`: the whole unpacked wheel (its libraries lie beside it) or the folder above `bin`. */
const installationOf = (bin: string): string => {
  const within = relative(cacheFolder(), bin);
  return within.startsWith("..") ? dirname(bin) : join(cacheFolder(), within.split(sep)[0]!);
};

/** `bin` itself, or a copy of its installation that the unprivileged user can reach (root's home is usually closed to others). */
export const reachablePrograms = async (bin: string): Promise<string> => {
  if (unprivilegedUser() === undefined || isReachable(bin)) return bin;
  const installation = installationOf(bin);
  const copy = join(rootsOwnFolder("dbgov-programs"), `${basename(installation)}-${digest(installation)}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    await cp(installation, partial, { recursive: true, verbatimSymlinks: true });
    // Another stack may have been quicker; then its copy serves as well.
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
  }
  return join(copy, relative(installation, bin));
};

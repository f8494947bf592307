import { Failure, type FailureType } from "../domain/failure.ts";

const codeOf = (error: unknown): string | undefined => (error as { code?: string } | undefined)?.code;

const typeOfCode: Record<string, { type: FailureType; words: string }> = {
  ENOSPC: { type: "StoreFull", words: "no space is left" },
  EDQUOT: { type: "StoreFull", words: "the quota is used up" },
  EFBIG: { type: "StoreFull", words: "the file would be larger than allowed" },
  EACCES: { type: "StoreRejected", words: "permission denied" },
  EPERM: { type: "StoreRejected", words: "operation not permitted" },
  EROFS: { type: "StoreRejected", words: "the file system is read-only" },
  ENOTDIR: { type: "StoreRejected", words: "a part of the path is not a folder" },
  EISDIR: { type: "StoreRejected", words: "a folder is in the way" },
  EEXIST: { type: "StoreRejected", words: "a file is in the way" },
};

export const isMissingFile = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");

/** What an error of `node:fs` means for a store. Anything not foreseen (EIO, a vanished mount) is `StoreUnreachable`. */
export const failureOfFile = (what: string, error: unknown): Failure => {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const known = code === undefined ? undefined : typeOfCode[code];
  return new Failure(known?.type ?? "StoreUnreachable", `${what}: ${known?.words ?? code ?? "the file system failed"}`, { cause: error });
};

import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Failure } from "../domain/failure.ts";

/** Text of a database shrinks by most of what it can at this level, at several times the speed of the default. */
const gzipLevel = 3;

/** Writes a new file that only its owner can read. Throws what `content` throws, or a `Failure` that names the file. */
export const writeFileOf = (path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> =>
  write(path, content, [], signal);

/** The same, compressed. */
export const writeGzip = (path: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> =>
  write(path, content, [createGzip({ level: gzipLevel })], signal);

const write = async (
  path: string,
  content: AsyncIterable<Uint8Array>,
  through: readonly NodeJS.ReadWriteStream[],
  signal: AbortSignal,
): Promise<void> => {
  try {
    await pipeline([Readable.from(content, { objectMode: true }), ...through, createWriteStream(path, { flags: "wx", mode: 0o600 })], {
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw isSystemError(error) ? writeFailure(path, error) : error;
  }
};

const isSystemError = (error: unknown): boolean => error instanceof Error && "syscall" in error;

export const writeFailure = (path: string, cause: unknown): Failure => {
  const code = (cause as NodeJS.ErrnoException).code ?? "an unknown error";
  return new Failure(code === "ENOSPC" ? "StoreFull" : "UsageInvalid", `${path} cannot be written: ${code}`, { cause });
};

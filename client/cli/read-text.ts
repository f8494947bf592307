import { open } from "node:fs/promises";
import { Failure } from "../../core/domain/failure.ts";
import { AuditInputError } from "../../core/ledger/verify/audit.ts";

/** No bundle and no trust policy is larger. */
const largestInput = 16 * 1024 * 1024;

/** The text of a file that somebody else has made: no more of it is read than a verifier could want, whatever it is. Throws `UsageInvalid`. */
export const readText = async (path: string): Promise<string> => {
  let bytes: Buffer;
  try {
    bytes = await readAtMost(path, largestInput + 1);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new Failure("UsageInvalid", `${path} ${missing ? "does not exist" : "cannot be read"}`, { cause });
  }
  if (bytes.length > largestInput) throw new Failure("UsageInvalid", `${path} is larger than 16 MiB`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("UsageInvalid", `${path} is not text in UTF-8`, { cause });
  }
};

const readAtMost = async (path: string, most: number): Promise<Buffer> => {
  const file = await open(path);
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < most; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(1024 * 1024, most - total)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
};

/** What a parser of the verifier makes of the file. Throws `UsageInvalid` where it is no such thing. */
export const parsedFile = async <T>(path: string, parse: (text: string) => T): Promise<T> => {
  const text = await readText(path);
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof AuditInputError) throw new Failure("UsageInvalid", `${path}: ${error.message}`, { cause: error });
    throw error;
  }
};

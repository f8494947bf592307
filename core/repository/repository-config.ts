import { Failure } from "../domain/failure.ts";
import { canonicalBytes, parseCanonical } from "./canonical-json.ts";

/** The version of the stored format that this code writes, and the newest that it reads. */
export const formatVersion = 1;

/** Bytes. No chunk cut by content is under `min`; the mean is about `min + target`; a cut is forced at the row end that passes `max`. */
export interface Chunking {
  readonly min: number;
  readonly target: number;
  readonly max: number;
}

/** What all writers of one repository must agree on, so that they find each other's chunks. Readers need none of it. */
export interface RepositoryConfig {
  readonly chunking: Chunking;
  readonly compression: { readonly algorithm: "zstd"; readonly level: number };
}

/** Chosen by measurement: see the table in `docs/format.md`, "Chunking". */
export const defaultRepositoryConfig: RepositoryConfig = {
  chunking: { min: 32 * 1024, target: 96 * 1024, max: 512 * 1024 },
  compression: { algorithm: "zstd", level: 1 },
};

/** The bytes of the object `config`. */
export const encodeRepositoryConfig = (config: RepositoryConfig): Uint8Array =>
  new Uint8Array(
    canonicalBytes({ format: "dbgov-repository", version: formatVersion, chunking: config.chunking, compression: config.compression }),
  );

/** Throws `ObjectCorrupt` or `FormatUnsupported`. */
export const parseRepositoryConfig = (bytes: Uint8Array): RepositoryConfig => {
  const json = parseCanonical(bytes, "object config");
  refuseNewer(json.version, "object config");
  const chunking = json.chunking as Partial<Chunking> | undefined;
  const compression = json.compression as { algorithm?: unknown; level?: unknown } | undefined;
  const { min = 0, target = 0, max = 0 } = chunking ?? {};
  const level = compression?.level;
  const sane = [min, target, max].every((n) => Number.isInteger(n) && n >= 1024 && n <= 1024 * 1024) && min <= target && target <= max;
  if (json.format !== "dbgov-repository" || !sane || compression?.algorithm !== "zstd" || typeof level !== "number") {
    throw new Failure("ObjectCorrupt", "object config does not describe a dbgov repository");
  }
  return { chunking: { min, target, max }, compression: { algorithm: "zstd", level } };
};

/** Throws `FormatUnsupported` for a version above ours, `ObjectCorrupt` for what is no version. */
export const refuseNewer = (version: unknown, what: string): void => {
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1) {
    throw new Failure("ObjectCorrupt", `${what} has no format version`);
  }
  if (version > formatVersion) {
    throw new Failure("FormatUnsupported", `${what} has format version ${version}; this dbgov reads up to version ${formatVersion}`);
  }
};

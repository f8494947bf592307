import { isFailure } from "../../domain/failure.ts";
import { openManifestIndex } from "../../repository/manifest.ts";
import { manifestKey } from "../../repository/object-keys.ts";
import { idsUnder, type Survey } from "./survey-stores.ts";

/** The names of all databases that manifests are of, also of those that the configuration no longer has. One that cannot be read names none. */
export const readManifestDatabases = async (survey: Survey, indexKey: Uint8Array): Promise<string[]> => {
  const names = new Set<string>();
  for (const snapshot of idsUnder(survey, manifestKey(""))) {
    try {
      names.add((await survey.read(manifestKey(snapshot), (bytes) => openManifestIndex(bytes, indexKey).database)).value);
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
  return [...names];
};

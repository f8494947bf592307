import { isFailure } from "../domain/failure.ts";
import { configKey } from "../repository/object-keys.ts";
import {
  defaultRepositoryConfig,
  encodeRepositoryConfig,
  parseRepositoryConfig,
  type RepositoryConfig,
} from "../repository/repository-config.ts";
import type { Store } from "../stores/store.ts";

/**
 * The repository's own configuration as its store has it: chunks are cut by what the repository began with, whatever the
 * defaults are by now. A store without one becomes a repository.
 */
export const repositoryConfigOf = async (store: Store, signal: AbortSignal): Promise<RepositoryConfig> => {
  try {
    return parseRepositoryConfig(await store.get(configKey, signal));
  } catch (error) {
    if (!isFailure(error, "ObjectMissing")) throw error;
    await store.put(configKey, encodeRepositoryConfig(defaultRepositoryConfig), signal);
    return defaultRepositoryConfig;
  }
};

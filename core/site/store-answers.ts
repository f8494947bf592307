import { isFailure } from "../domain/failure.ts";
import { configKey } from "../repository/object-keys.ts";
import type { Store } from "../stores/store.ts";

/** So many of a page of copies may fail one by one; more are a store that does not answer. */
export const mostPassed = 10;

/** Whether a store answers when it is asked something small: a copy that failed a moment ago then says nothing about its others, as one whose nodes are away. */
export const storeAnswers = async (store: Store, signal: AbortSignal): Promise<boolean> => {
  try {
    await store.stat(configKey, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (isFailure(error)) return false;
    throw error;
  }
};

import type { Store } from "../stores/store.ts";
import { contentOf, replaceIfOther, sizeOfCopy, tilesSince } from "./copy-log.ts";
import { type LogPlace, loadState, readIfThere } from "./log-state.ts";
import { tileKey } from "./tiles.ts";
import { equalBytes } from "./verify/hash.ts";

/** Of `of` turns one: over all of them every tile has its turn once. */
export interface Turn {
  readonly turn: number;
  readonly of: number;
}

export interface LogCopyCheck {
  /** Tiles that were read. */
  readonly asked: number;
  /** What was missing or altered in the copy, and is as it should be again. */
  readonly replaced: readonly { readonly key: string; readonly missing: boolean }[];
}

/**
 * Reads the tiles of another store's copy of the log whose turn it is, and puts right what is not as the signed head has it; only as far as the copy
 * has come. Throws `LedgerCorrupt` when the copy is of another log, or is ahead.
 */
export const checkLogCopy = async (
  from: LogPlace,
  to: Store,
  { turn, of }: Turn,
  report: (key: string) => void = () => {},
): Promise<LogCopyCheck> => {
  const state = await loadState(from);
  if (!state.written) return { asked: 0, replaced: [] };
  const target: LogPlace = { ...from, store: to };
  const names = tilesSince(0, await sizeOfCopy(state, target)).filter((_, at) => at % of === turn % of);
  const replaced: { key: string; missing: boolean }[] = [];
  for (const name of names) {
    const key = tileKey(name);
    const right = await contentOf(state, name);
    const found = await readIfThere(target, key);
    if (found === undefined || !equalBytes(found, right)) {
      await replaceIfOther(target, key, right);
      replaced.push({ key, missing: found === undefined });
    }
    report(key);
  }
  return { asked: names.length, replaced };
};

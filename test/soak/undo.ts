import { undoOnBreakOff } from "../bench/break-off.ts";

/** What has to be undone, the latest first: at the end, or when the soak is broken off. */
export interface Undoing {
  add(undo: () => Promise<unknown>): void;
  all(): Promise<void>;
}

export const openUndoing = (): Undoing => {
  const steps: (() => Promise<unknown>)[] = [];
  const all = async (): Promise<void> => {
    forget();
    for (let undo = steps.pop(); undo !== undefined; undo = steps.pop()) await undo();
  };
  const forget = undoOnBreakOff(all);
  return { add: (undo) => void steps.push(undo), all };
};

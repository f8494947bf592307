/** What has to be undone when the bench is broken off by Ctrl-C or SIGTERM, the latest first. */
const undoing = new Set<() => Promise<unknown> | unknown>();

/** Registers what a broken-off bench has to undo; the function that it returns takes it back. */
export const undoOnBreakOff = (undo: () => Promise<unknown> | unknown): (() => void) => {
  undoing.add(undo);
  return () => void undoing.delete(undo);
};

let breaking = false;

/** Never resolves once the bench is being broken off, so that nothing complains of what was ended on purpose. */
export const unlessBrokenOff = async (): Promise<void> => {
  if (breaking) await new Promise(() => {});
};

/** From now on a signal undoes everything, says so, and ends the process. A second signal ends it at once. */
export const handleBreakOff = (): void => {
  const breakOff = async (code: number): Promise<void> => {
    if (breaking) process.exit(code);
    breaking = true;
    process.stderr.write("broken off; cleaning up\n");
    for (const undo of [...undoing].reverse()) {
      await Promise.resolve(undo()).catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    }
    process.exit(code);
  };
  process.on("SIGINT", () => void breakOff(130)).on("SIGTERM", () => void breakOff(143));
};

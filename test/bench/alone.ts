import { withLock } from "../stack/lock.ts";

/** Never resolves. Referred to from here, so that what waits for it, the lock with it, is not collected. */
const untilExit = new Promise<void>(() => {});

/** Resolves once no other process does what is done under this lock's path, which this one then holds until it ends. */
export const beAlone = (path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const work = (): Promise<void> => {
      resolve();
      return untilExit;
    };
    const onWait = () => process.stderr.write("another one is under way in this folder, or is cleaning up; waiting for it\n");
    withLock(path, work, onWait).catch(reject);
  });

import { fork } from "node:child_process";
import { once } from "node:events";
import type { JobProgress } from "../../core/snapshot/jobs.ts";
import { type RestoreJob, restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import { jobContext } from "./stored-snapshot.ts";

/**
 * Restores in a process of its own, and kills that once `when` holds and `meanwhile` has resolved. Says by what it ended:
 * `SIGKILL`, or its exit code when it was done before.
 */
export const startRestore = async (
  job: RestoreJob,
  when: (progress: JobProgress) => boolean,
  meanwhile: () => Promise<void> = async () => {},
): Promise<string> => {
  const child = fork(import.meta.filename, { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ended = once(child, "exit") as Promise<[number | null, string | null]>;
  let waiting = false;
  child.on("message", (progress: JobProgress) => {
    if (waiting || !when(progress)) return;
    waiting = true;
    void meanwhile().then(() => child.kill("SIGKILL"));
  });
  child.send(job);
  const [code, signal] = await ended;
  return signal ?? String(code);
};

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  const [job] = (await once(process, "message")) as [RestoreJob];
  await restoreSnapshot(
    job,
    jobContext((progress) => void process.send?.(progress)),
  );
  process.disconnect();
}

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Failure } from "../core/domain/failure.ts";

const largestBundle = 64 * 2 ** 20;

/** The code of all workflows as one script, which Temporal runs in sandboxes. Made anew in a process of its own, in about two seconds. */
export const bundleWorkflows = async (): Promise<{ code: string }> => {
  const script = fileURLToPath(new URL("./bundle-workflows.ts", import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["--disable-warning=ExperimentalWarning", script], {
      maxBuffer: largestBundle,
    });
    return { code: stdout };
  } catch (cause) {
    throw new Failure("Unexpected", "the workflows could not be bundled", { cause });
  }
};

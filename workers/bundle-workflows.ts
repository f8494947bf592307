import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";

/** Prints the workflows' bundle. Runs in a process of its own (`workflow-bundle.ts`): the bundler takes 200 MB that it never gives back. */
const workflowsPath = fileURLToPath(new URL("../workflows/index.ts", import.meta.url));
const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger("WARN") });
process.stdout.write(code);

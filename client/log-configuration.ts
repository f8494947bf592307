import { createHash } from "node:crypto";
import type { Client } from "@temporalio/client";
import canonicalize from "canonicalize";
import type { Site } from "../core/site/site.ts";
import { startOrJoin } from "./run-workflow.ts";

/**
 * Has the configuration that is in force now logged, by a worker that can: whoever applies it need not hold the log's key. Does not
 * wait for that; where no worker runs yet, the first one does it. A configuration that is logged already is not logged again.
 */
export const logConfiguration = async (client: Client, site: Site): Promise<void> => {
  const hash = createHash("sha256")
    .update(canonicalize(site.loaded.config) ?? "")
    .digest("hex");
  await startOrJoin(client, "configuration", `configuration/${hash.slice(0, 16)}`, [{ hash }], "log the configuration");
};

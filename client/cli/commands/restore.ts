import { availableParallelism } from "node:os";
import { drillRate } from "../../../core/catalog/drill-rate.ts";
import { restoreSources } from "../../../core/site/restore-sources.ts";
import { choiceOf } from "../choice-option.ts";
import { findSnapshot, snapshotOrLatest } from "../find-snapshot.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { withoutRolesOf } from "../roles-option.ts";
import { runRestore } from "../run-restore.ts";
import { tablespacesOf } from "../tablespace-option.ts";
import { engineOfUrl, targetUrl } from "../target-url.ts";

export const action: CommandAction = async (input) => {
  const url = targetUrl(input);
  const engine = engineOfUrl(url);
  const choice = choiceOf(input);
  const tablespaces = tablespacesOf(input, engine);
  const withoutRoles = withoutRolesOf(input, engine);
  const { database, store, replace, resume, dryRun } = input.options;
  const wanted = snapshotOrLatest(input.args[0], database);
  return await withCatalog(input, async (site) => {
    const record = await findSnapshot(site, wanted, database);
    if (typeof store === "string") await site.storeConfig(store);
    const sources = await restoreSources(site, record.snapshot, record.database, { only: typeof store === "string" ? store : undefined });
    const job = {
      ...sources,
      ...{ engine, url, replace: replace === true, parallelism: availableParallelism() },
      ...{ choice, tablespaces, withoutRoles, progress: { resume: resume === true } },
    };
    return await runRestore(job, input, dryRun === true ? await drillRate(await site.catalog(), record.database) : undefined);
  });
};

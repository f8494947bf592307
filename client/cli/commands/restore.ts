import { availableParallelism } from "node:os";
import { getSnapshot, latestSnapshot } from "../../../core/catalog/read-snapshots.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { restoreSources } from "../../../core/site/restore-sources.ts";
import type { Site } from "../../../core/site/site.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction } from "../program.ts";
import { runRestore } from "../run-restore.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { engineOfUrl, targetUrl } from "../target-url.ts";

export const action: CommandAction = async (input) => {
  const url = targetUrl(input);
  const id = input.args[0] === "latest" ? "latest" : snapshotArgument(input.args[0]);
  const { database } = input.options;
  if (id === "latest" && typeof database !== "string") throw new Failure("UsageInvalid", "latest needs --database NAME");
  return await withCatalog(input, async (site) => {
    const record = id === "latest" ? await newestOf(site, String(database)) : await getSnapshot(await site.catalog(), id);
    if (record === undefined) {
      const what = id === "latest" ? `${String(database)} has no replicated snapshot` : `snapshot ${id} is not in the catalog`;
      throw new Failure("SnapshotUnknown", what);
    }
    const { store, replace } = input.options;
    if (typeof store === "string") await site.storeConfig(store);
    const sources = await restoreSources(site, record.snapshot, record.database, { only: typeof store === "string" ? store : undefined });
    const job = { ...sources, engine: engineOfUrl(url), url, replace: replace === true, parallelism: availableParallelism() };
    return await runRestore(job, input);
  });
};

const newestOf = async (site: Site, database: string) =>
  await latestSnapshot(await site.catalog(), site.database(database).name, "replicated");

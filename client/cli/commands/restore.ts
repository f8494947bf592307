import { availableParallelism } from "node:os";
import { getSnapshot, latestSnapshot } from "../../../core/catalog/read-snapshots.ts";
import { Failure } from "../../../core/domain/failure.ts";
import { restoreSources } from "../../../core/site/restore-sources.ts";
import type { Site } from "../../../core/site/site.ts";
import { withCatalog } from "../open-site.ts";
import type { CommandAction, CommandInput } from "../program.ts";
import { runRestore } from "../run-restore.ts";
import { snapshotArgument } from "../snapshot-argument.ts";
import { engineOfUrl, targetUrl } from "../target-url.ts";

export const action: CommandAction = (input) =>
  withCatalog(input, async (site) => {
    const url = targetUrl(input);
    const record = await chosenSnapshot(site, input);
    const { store, replace } = input.options;
    const sources = await restoreSources(site, record.snapshot, record.database, typeof store === "string" ? store : undefined);
    const job = { ...sources, engine: engineOfUrl(url), url, replace: replace === true, parallelism: availableParallelism() };
    return await runRestore(job, input);
  });

const chosenSnapshot = async (site: Site, { args, options }: CommandInput) => {
  const id = args[0] === "latest" ? "latest" : snapshotArgument(args[0]);
  const catalog = await site.catalog();
  const { database } = options;
  if (id === "latest" && typeof database !== "string") throw new Failure("UsageInvalid", "latest needs --database NAME");
  const record =
    id === "latest" ? await latestSnapshot(catalog, site.database(String(database)).name, "replicated") : await getSnapshot(catalog, id);
  if (record === undefined) {
    throw new Failure(
      "SnapshotUnknown",
      id === "latest" ? `${String(database)} has no replicated snapshot` : `snapshot ${id} is not in the catalog`,
    );
  }
  return record;
};

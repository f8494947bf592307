import { getSnapshot, latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import type { SnapshotRecord } from "../../core/catalog/records.ts";
import { Failure } from "../../core/domain/failure.ts";
import type { Site } from "../../core/site/site.ts";
import type { CommandInput } from "./program.ts";
import { snapshotArgument } from "./snapshot-argument.ts";

/** An id, or `latest`; what is neither, or lacks `--database`, is refused before anything is asked. */
export const snapshotOrLatest = (text: string | undefined, database: CommandInput["options"][string]): string => {
  if (text !== "latest") return snapshotArgument(text);
  if (typeof database !== "string") throw new Failure("UsageInvalid", "latest needs --database NAME");
  return text;
};

/** The snapshot of that id, or the newest replicated one of the database. */
export const findSnapshot = async (
  site: Site,
  text: string | undefined,
  database: CommandInput["options"][string],
): Promise<SnapshotRecord> => {
  const id = snapshotOrLatest(text, database);
  const catalog = await site.catalog();
  if (id !== "latest") {
    const found = await getSnapshot(catalog, id);
    if (found === undefined) throw new Failure("SnapshotUnknown", `snapshot ${id} is not in the catalog`);
    return found;
  }
  const { name } = site.database(String(database));
  const newest = await latestSnapshot(catalog, name, "replicated");
  if (newest === undefined) throw new Failure("SnapshotUnknown", `${name} has no replicated snapshot`);
  return newest;
};

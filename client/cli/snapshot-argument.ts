import { Failure } from "../../core/domain/failure.ts";
import { isSnapshotId } from "../../core/domain/snapshot.ts";

/** What a person typed for a snapshot, refused before anything is asked when no snapshot can have that id. */
export const snapshotArgument = (text: string | boolean | undefined): string => {
  if (typeof text === "string" && isSnapshotId(text)) return text;
  throw new Failure(
    "UsageInvalid",
    `"${text}" is not a snapshot id, which looks like 20261124T021500Z-5f3a9c01d2e4 (dbgov snapshots lists them)`,
  );
};

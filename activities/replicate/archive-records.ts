import { cancellationSignal, heartbeat } from "@temporalio/activity";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import { manifestKey } from "../../core/repository/object-keys.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { copyObject } from "./copy-object.ts";

export const createArchiveRecords = ({ site }: ActivityEnvironment) => ({
  /** Puts the small permanent things of a snapshot, which are sealed, into a store that keeps them for good: its manifest. */
  archiveRecords: async (input: { snapshot: string; from: string; to: string }): Promise<{ bytes: number }> => {
    const at = await site();
    const [from, to] = await Promise.all([at.store(input.from), at.store(input.to)]);
    const key = manifestKey(input.snapshot);
    heartbeat({ store: to.name, object: key });
    const { id, bytes, proven } = await copyObject(from, to, key, false, cancellationSignal());
    await recordReplica(await at.catalog(), { object: key, store: to.name, receipt: id, bytes, provenAt: proven ? new Date() : null });
    return { bytes };
  },
});

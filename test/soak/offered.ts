import { latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { readKeyring } from "../../core/repository/keyring.ts";
import { type OpeningKit, openWithKit, snapshotsInStore } from "../../core/snapshot/find-in-store.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { mustHold } from "./outcome.ts";
import type { Place } from "./place.ts";
import { soakedDatabase } from "./site-config.ts";

const never = new AbortController().signal;

/** One that is sealed and has too few copies is never what `latest` means. It is whole all the same for whoever names it: sealing comes last. */
export const mustNotBeOffered = async ({ site }: Place, snapshot: string): Promise<void> => {
  const offered = await latestSnapshot(await site.catalog(), soakedDatabase, "replicated");
  mustHold(offered?.snapshot !== snapshot, `${snapshot} has too few copies, and is offered as the latest`);
};

/** Snapshots that a store and the keyring offer to whoever recovers, though the catalog does not know them: their runs were given up while sealing. */
export const offeredByStores = async ({ site }: Place, known: ReadonlySet<string>): Promise<Map<string, SnapshotSource>> => {
  const { secret } = await site.recipientSecret();
  const kit: OpeningKit = { secret, signingKeys: await site.signingKeys(), envelopesOf: await readKeyring(site.loaded.config.recoveryKit) };
  const offered = new Map<string, SnapshotSource>();
  for (const name of ["landing", "second"]) {
    const store = await site.store(name);
    for (const id of await snapshotsInStore(store, never)) {
      if (known.has(id)) continue;
      try {
        offered.set(id, { access: (await openWithKit(store, kit, id, never)).access, stores: [await site.storeConfig(name)] });
      } catch (error) {
        if (!isFailure(error)) throw error; // it does not open, so that it is none
      }
    }
  }
  return offered;
};

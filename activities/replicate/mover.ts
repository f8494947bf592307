import { createHash } from "node:crypto";
import type { Catalog } from "../../core/catalog/catalog.ts";
import { listReplicas } from "../../core/catalog/list-replicas.ts";
import type { PlacedObject } from "../../core/catalog/placed-objects.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import type { Move } from "../../core/domain/relocation.ts";
import { configKey, partsOfKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import { hashObject } from "../../core/stores/hash-object.ts";
import type { Store } from "../../core/stores/store.ts";
import { copyEnvelopes } from "./copy-envelopes.ts";
import { getProven } from "./copy-object.ts";
import { openRoomKeeper, type RoomKeeper } from "./require-room.ts";
import { recordSettled, takenBefore } from "./settle-copies.ts";

export interface MoverOptions {
  /** The store that is left; null when none is. */
  readonly leaving: string | null;
  /** Nothing can be read from it any more. */
  readonly gone: boolean;
  /** Begins the sentences of refusals. */
  readonly what: string;
}

/** Copies from whatever store has the object intact; a store that does not answer is not asked again by this page. */
export const openMover = (at: Site, catalog: Catalog, { leaving, gone, what }: MoverOptions, signal: AbortSignal) => {
  const away = new Map<string, Failure>();
  const keepers = new Map<string, Promise<RoomKeeper>>();
  const prepared = new Map<string, Promise<void>>();

  const ask = async <T>(name: string, work: (store: Store) => Promise<T>): Promise<T> => {
    const before = away.get(name);
    if (before !== undefined) throw before;
    try {
      return await work(await at.store(name));
    } catch (error) {
      if (isFailure(error) && ["StoreUnreachable", "StoreRejected", "SecretMissing", "NameUnknown"].includes(error.type))
        away.set(name, error);
      throw error;
    }
  };

  const read = async (key: string, holders: readonly string[]): Promise<Uint8Array> => {
    const { kind, id } = partsOfKey(key);
    const expected = kind === "manifests" ? (await getSnapshot(catalog, id))?.manifestHash : undefined;
    // The one that is left comes last: it may be slow, or away, and others do as well.
    const others = holders.filter((holder) => holder !== leaving);
    const failures: string[] = [];
    for (const name of leaving === null || gone || others.length === holders.length ? others : [...others, leaving]) {
      try {
        return await ask(name, (store) => getProven(store, key, signal, expected));
      } catch (error) {
        if (!isFailure(error)) throw error;
        failures.push(error.message);
      }
    }
    throw new Failure(
      "ObjectMissing",
      `no store has a good copy of ${key} that can be read now${failures.length === 0 ? "" : `: ${failures.join("; ")}`}`,
    );
  };

  const prepare = (to: Store, holders: readonly string[]): Promise<void> => {
    const kept = prepared.get(to.name);
    if (kept !== undefined) return kept;
    const preparing = (async () => {
      if ((await to.stat(configKey, signal)) === undefined) await to.put(configKey, await read(configKey, holders), signal);
    })();
    prepared.set(to.name, preparing);
    return preparing;
  };

  const keeperOf = (to: Store, database: string): Promise<RoomKeeper> => {
    const key = `${to.name} ${database}`;
    const keeper = keepers.get(key) ?? openRoomKeeper(at, to, database, `${what}: a copy in ${to.name}`, signal);
    keepers.set(key, keeper);
    return keeper;
  };

  return {
    /** Brings envelopes that the store lacks there. */
    keyring: (target: string, ids: readonly string[], onCopied: (key: string) => void) =>
      ask(target, async (to) => {
        // Envelopes of several databases: the quota is what matters, and that is the store's.
        const room = await keeperOf(to, at.loaded.config.databases[0]!.name);
        return await copyEnvelopes(catalog, to, room, ids, { signal, onCopied });
      }),

    /** Returns the bytes that were copied: none where another run was faster. */
    move: async ({ key, to: target }: Move, { databases, holders }: PlacedObject): Promise<number> => {
      if ((await listReplicas(catalog, [key])).some(({ store }) => store === target)) return 0;
      const content = await read(key, holders);
      await ask(target, async (to) => {
        await prepare(to, holders);
        await (await keeperOf(to, databases[0]!)).reserve([{ object: key, bytes: content.length }]);
        const { id, bytes } = (await takenBefore(to, key, signal)) ?? (await to.put(key, content, signal));
        if ((await hashObject(to, key, content.length, signal)) !== createHash("sha256").update(content).digest("hex"))
          throw new Failure("ObjectCorrupt", `store ${target} gave back other bytes for ${key} than it was given`);
        // Until the store's network has it, the copy that is left behind is still needed.
        const copy = { object: key, store: target, receipt: id, bytes, provenAt: new Date() };
        await recordSettled(catalog, to, [copy], { signal, onSettled: () => {} });
      });
      return content.length;
    },
  };
};

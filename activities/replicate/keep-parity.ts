import { dropReplica } from "../../core/catalog/drop-replica.ts";
import { dissolveParity, hasParity, packsWithoutParity, recordParity, strayParity } from "../../core/catalog/parity.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import type { PolicyConfig } from "../../core/config/schema.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import type { ParityTotals } from "../../core/domain/run.ts";
import { packKey, parityKey } from "../../core/repository/object-keys.ts";
import { makeParity, type ParityMember, type ReadPart } from "../../core/repository/parity.ts";
import type { Site } from "../../core/site/site.ts";
import { hashObject } from "../../core/stores/hash-object.ts";
import type { ActivityEnvironment } from "../environment.ts";
import { keepAlive } from "../keep-alive.ts";
import { adoptParity } from "./adopt-parity.ts";
import { goodSource } from "./parity-sources.ts";
import { openRoomKeeper } from "./require-room.ts";

/** Longer than any store's own time limit for one object, times those of a group. */
const standstill = { afterMs: 60 * 60_000, type: "StoreUnreachable" } as const;
/** What one pass makes: the rest comes with the next ones. */
const groupsPerPass = 200;
const straysPerPage = 200;

export const createKeepParity = ({ site }: ActivityEnvironment) => ({
  /** Makes parity for packs whose policy asks for it, once a group of them is full, and clears away what belongs to no group any more. */
  keepParity: (): Promise<ParityTotals> =>
    keepAlive({ ...standstill, what: "making parity" }, async (report, signal) => {
      const at = await site();
      const catalog = await at.catalog();
      const policies = at.loaded.config.policies.filter(({ parity }) => parity !== undefined);
      const dissolved = await dissolveParity(
        catalog,
        policies.map(({ name }) => name),
      );
      if (!(await hasParity(catalog))) await adoptParity(at, policies, signal);
      await clearStrays(at, signal, report);
      let made = 0;
      for (const policy of policies) {
        const databases = at.loaded.config.databases.filter((database) => database.policy === policy.name).map(({ name }) => name);
        const [database] = databases;
        if (database === undefined) continue;
        while (made < groupsPerPass) {
          const packs = await packsWithoutParity(catalog, databases, policy.parity!.group);
          if (packs.length < policy.parity!.group || !(await makeGroup(at, policy, database, packs, signal))) break;
          made += 1;
          report({ groups: made });
        }
      }
      return { made, dissolved };
    }),
});

/** Whether it was made: a pack that no store gives now keeps its group from it, and comes into repair first. */
const makeGroup = async (
  at: Site,
  { name, parity }: PolicyConfig,
  database: string,
  packs: readonly ParityMember[],
  signal: AbortSignal,
): Promise<boolean> => {
  const reads: ReadPart[] = [];
  for (const { id } of packs) {
    const read = await goodSource(at, packKey(id), id, signal);
    if (read === undefined) return false;
    reads.push(read);
  }
  const group = { packs, pieces: parity!.pieces };
  const made = await makeParity(group, reads);
  for (const [piece, { id, content }] of made.entries())
    await putPiece(at, parity!.stores[piece % parity!.stores.length]!, database, id, content, signal);
  await recordParity(
    await at.catalog(),
    name,
    group,
    made.map(({ id }) => id),
  );
  return true;
};

const putPiece = async (at: Site, name: string, database: string, id: string, content: Uint8Array, signal: AbortSignal): Promise<void> => {
  const [store, catalog, key] = [await at.store(name), await at.catalog(), parityKey(id)];
  const room = await openRoomKeeper(at, store, database, `parity of packs of ${database}`, signal);
  // Before the put, as for every object: a piece that nobody knows of would stay for good.
  await room.reserve([{ object: key, bytes: content.length }]);
  const { id: receipt, bytes } = await store.put(key, content, signal);
  if ((await hashObject(store, key, bytes, signal)) !== id)
    throw new Failure("ObjectCorrupt", `store ${name} gave back other bytes for ${key} than it was given`);
  await recordReplica(catalog, { object: key, store: name, receipt, bytes, provenAt: new Date() });
};

const clearStrays = async (at: Site, signal: AbortSignal, report: (details: object) => void): Promise<void> => {
  const catalog = await at.catalog();
  const stores = at.loaded.config.stores.map(({ name }) => name);
  const refusing = new Set<string>();
  for (;;) {
    const strays = await strayParity(
      catalog,
      stores.filter((name) => !refusing.has(name)),
      straysPerPage,
    );
    if (strays.length === 0) return;
    for (const { object, store } of strays) {
      if (refusing.has(store)) continue;
      try {
        await (await at.store(store)).delete(object, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isFailure(error)) throw error;
        // Locked for now, or away: the next pass tries again.
        refusing.add(store);
        continue;
      }
      await dropReplica(catalog, object, store);
      report({ cleared: object });
    }
  }
};

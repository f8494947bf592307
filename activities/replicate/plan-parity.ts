import { groupsOfPieces } from "../../core/catalog/parity.ts";
import type { PlacedObject } from "../../core/catalog/placed-objects.ts";
import type { Relocation } from "../../core/domain/relocation.ts";
import { partsOfKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";

/** Pieces of parity that are needed, with a database whose policy asked for them, and where they go. */
export interface ParityRelocation extends Relocation {
  readonly needed: readonly PlacedObject[];
}

/**
 * Where pieces of parity go that lie in a store which is left: to a store that their policy names for parity, one without another piece of the group
 * where there is one. What another store has stays where it is; what belongs to no group, or to a policy that asks for no parity any more, is not needed.
 */
export const planParity = async (at: Site, pieces: readonly PlacedObject[], leaving: string): Promise<ParityRelocation> => {
  const { policies, databases } = at.loaded.config;
  const ids = pieces.map(({ key }) => partsOfKey(key).id);
  const groups = new Map((ids.length === 0 ? [] : await groupsOfPieces(await at.catalog(), ids)).map((group) => [group.id, group]));
  const chosen = new Map<number, Set<string>>();
  const needed: PlacedObject[] = [];
  const moves: Relocation["moves"][number][] = [];
  const left: Relocation["left"][number][] = [];
  for (const piece of pieces) {
    const group = groups.get(partsOfKey(piece.key).id);
    const policy = policies.find(({ name }) => name === group?.policy);
    if (group === undefined || policy?.parity === undefined) continue;
    const database = (databases.find((one) => one.policy === policy.name) ?? databases[0]!).name;
    needed.push({ ...piece, databases: [database] });
    if (piece.holders.some((holder) => holder !== leaving)) continue;
    const others = policy.parity.stores.filter((name) => name !== leaving);
    const taken = chosen.get(group.group) ?? new Set(group.beside);
    chosen.set(group.group, taken);
    const to = others.find((name) => !taken.has(name)) ?? others[0];
    if (to === undefined) left.push({ key: piece.key, why: `policy ${policy.name} names no other store for parity` });
    else {
      taken.add(to);
      moves.push({ key: piece.key, bytes: piece.bytes, policy: policy.name, to });
    }
  }
  return { needed, moves, left };
};

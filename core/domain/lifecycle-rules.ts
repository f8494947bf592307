/**
 * What a storage account's own lifecycle rules would do to a store's objects, behind its user's back. Pure. The words are those of Azure's
 * management policies: a rule acts on blobs whose container and name begin with one of its prefixes, so many days after something.
 */

export interface LifecycleRule {
  readonly name: string;
  readonly enabled: boolean;
  /** Beginnings of `container/name`; empty: everything. */
  readonly prefixes: readonly string[];
  /** Empty: all types. */
  readonly blobTypes: readonly string[];
  /** It acts only on blobs with certain index tags, of which dbgov sets none. */
  readonly tagged: boolean;
  readonly actions: readonly LifecycleAction[];
}

export interface LifecycleAction {
  /** `version` and `snapshot` are older states of a blob; of dbgov's objects there are none that are needed. */
  readonly on: "baseBlob" | "snapshot" | "version";
  /** `delete`, `tierToArchive`, and what does less harm: `tierToCool`, `tierToCold`, `tierToHot`. */
  readonly what: string;
  readonly days: number;
  /** What the days are counted from. */
  readonly after: "creation" | "modification" | "last access";
}

/** What one store's account says: its rules, or why nobody knows them. */
export type StoreLifecycle =
  | { readonly container: string; readonly rules: readonly LifecycleRule[] }
  | { readonly container: string; readonly unknown: string };

/** With how long dbgov's policies keep snapshots there; null: no bound. */
export type LifecycleRecord = StoreLifecycle & { readonly keepsDays: number | null };

/** What rules mean for a container: sentences, without a period at the end. */
export interface LifecycleJudgement {
  /** What would delete objects, or make them unreadable. */
  readonly harm: readonly string[];
  /** What only moves them to another tier, or touches older versions. */
  readonly facts: readonly string[];
}

/** The beginnings of all keys that matter: what lies under `probe/` and `quarantine/` may go. */
const folders = ["packs/", "ranges/", "manifests/", "envelopes/", "parity/", "log/", "reports/", "evidence/", "config"];

/** Which of dbgov's folders a rule reaches. */
const reached = ({ enabled, prefixes, blobTypes, tagged }: LifecycleRule, container: string): string[] => {
  if (!enabled || tagged || (blobTypes.length > 0 && !blobTypes.some((type) => type.toLowerCase() === "blockblob"))) return [];
  if (prefixes.length === 0) return folders;
  const whole = `${container}/`;
  return folders.filter((folder) =>
    prefixes.some((prefix) => `${whole}${folder}`.startsWith(prefix) || prefix.startsWith(`${whole}${folder}`)),
  );
};

/** `keepsDays`: how long the store's policies keep snapshots; null where that is not bounded. Newer ones need older packs, so no rule's age is right. */
export const judgeLifecycle = (rules: readonly LifecycleRule[], container: string, keepsDays: number | null): LifecycleJudgement => {
  const harm: string[] = [];
  const facts: string[] = [];
  for (const rule of rules) {
    const where = reached(rule, container);
    if (where.length === 0) continue;
    const what =
      where.length === folders.length ? `everything in ${container}` : where.map((folder) => `${container}/${folder}…`).join(", ");
    for (const { on, what: act, days, after } of rule.actions) {
      const when = `${days} days after its ${after}`;
      const kept = keepsDays === null ? "snapshots that nothing lets go" : `snapshots for up to ${keepsDays} days`;
      if (on !== "baseBlob") facts.push(`the rule "${rule.name}" does ${act} with older ${on}s of ${what}, ${when}`);
      else if (act === "delete") harm.push(`the rule "${rule.name}" deletes ${what}, ${when}, and dbgov keeps ${kept}`);
      else if (act === "tierToArchive") harm.push(`the rule "${rule.name}" archives ${what}, ${when}, where nothing can be read for hours`);
      else facts.push(`the rule "${rule.name}" moves ${what} to another tier (${act}), ${when}`);
    }
  }
  return { harm, facts };
};

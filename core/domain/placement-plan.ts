/** The words of placing copies: what `plan-placement.ts` is given, and what it answers. Plain data. */

/** What is placed as a whole: a pack, or all that one database has. */
export interface PlanItem {
  readonly id: string;
  readonly bytes: number;
  /** @default 1 */
  readonly objects?: number;
  readonly policy: string;
  /** Stores that have it. */
  readonly holders: readonly string[];
  /** What it would still add to a store, where that is not `bytes` for all others than holders: of databases whose content is partly there. */
  readonly adds?: Readonly<Record<string, number>>;
  /** Stores that are asked before cheaper ones, in this order: where the rest of the same database lies. */
  readonly prefers?: readonly string[];
}

export interface PlanPolicy {
  readonly name: string;
  /** A store that must be one of the copies, as captures write there first. */
  readonly landing: string | null;
  /** Stores that it may use; null: any. */
  readonly stores: readonly string[] | null;
  readonly copies: number;
  readonly domains: number;
  /** Stores among `stores` whose copies are none of these: what is archived there cannot be read for hours. Absent: none. */
  readonly extra?: readonly string[];
  /** `all`: every store that it may use gets a copy, as far as it has room, once the promise is kept. `planned`: no more copies than promised. */
  readonly spread: "all" | "planned";
  /** Where copies may lie; empty: anywhere. A store without a region is nowhere. */
  readonly regions: readonly string[];
  /** Copies count only in stores where they can be made immutable. */
  readonly immutable: boolean;
  /** US dollars a month for all that this policy keeps; null: no ceiling. A store whose price is not known is not used under a ceiling. */
  readonly mostPerMonth: number | null;
  /** What it keeps now costs so much a month. */
  readonly spends: number;
}

export interface PlanStore {
  readonly name: string;
  readonly domain: string;
  /** Stores of one account share its quota: their `quota` is the account's. */
  readonly account: string;
  /** Bytes; null: no limit that is known. */
  readonly quota: number | null;
  readonly quotaObjects: number | null;
  /** What lies in this store now, in bytes and objects. */
  readonly used: number;
  readonly usedObjects: number;
  /** Bytes of the account that cost nothing. */
  readonly freeBytes: number;
  /** Null: not known. */
  readonly price: { readonly perGBMonth: number; readonly minimumPerMonth: number } | null;
  readonly region: string | null;
  readonly immutable: boolean;
  readonly largestObject: number;
  /** It is being left: what it has does not count, and nothing goes there. */
  readonly leaving: boolean;
}

export interface Choice {
  readonly store: string;
  readonly why: string;
  /** Bytes that go there; 0 where the copy is kept. */
  readonly adds: number;
}

export interface Passed {
  readonly store: string;
  readonly code: "leaving" | "region" | "immutability" | "price" | "object-size" | "quota" | "objects" | "ceiling";
  /** Ends the sentence that the store's name begins. */
  readonly why: string;
}

export interface Placed {
  readonly id: string;
  readonly policy: string;
  readonly placed: true;
  readonly choices: readonly Choice[];
  /** Stores that the policy would have used and that cannot take it. */
  readonly passed: readonly Passed[];
}

export interface Refused {
  readonly id: string;
  readonly policy: string;
  readonly placed: false;
  /** What is missing, and what would help. */
  readonly why: string;
  readonly passed: readonly Passed[];
}

export interface StoreLoad {
  readonly store: string;
  /** With what the plan adds. */
  readonly used: number;
  readonly usedObjects: number;
  readonly added: number;
  /** US dollars; null: the price is not known. Stores of one account share its free bytes and its minimum in the order in which they are given. */
  readonly perMonth: number | null;
}

export interface PlacementPlan {
  readonly items: readonly (Placed | Refused)[];
  readonly stores: readonly StoreLoad[];
  /** Of all stores whose price is known. */
  readonly perMonth: number;
}

/** Whether copies lie where a policy wants them. Pure arithmetic. */

export interface PlacementPolicy {
  readonly landing: string;
  readonly stores: readonly string[];
  /** How many stores, the landing store among them, must hold everything. */
  readonly copies: number;
  /** In how many failure domains these must be. */
  readonly domains: number;
  /** Stores among them whose copies count for none of these: what is archived there cannot be read for hours. Absent: none. */
  readonly extra?: readonly string[];
}

export interface StoreDomain {
  readonly name: string;
  readonly domain: string;
}

export interface Placement {
  /** Enough copies in enough failure domains. */
  readonly replicated: boolean;
  /** Not every store that the policy names holds everything, be the quorum met or not. */
  readonly degraded: boolean;
  readonly copies: number;
  readonly domains: number;
  /** Stores that the policy names and that do not hold everything, in its order. */
  readonly missing: readonly string[];
}

const storesOf = (policy: PlacementPolicy): string[] => [...new Set([policy.landing, ...policy.stores])];

const countDomains = (names: readonly string[], stores: readonly StoreDomain[]): number => {
  const domainOf = new Map(stores.map(({ name, domain }) => [name, domain]));
  return new Set(names.map((name) => domainOf.get(name)).filter((domain) => domain !== undefined)).size;
};

/** Judges a snapshot by the names of the stores that hold every object of it. Stores the policy does not name count for nothing. */
export const placementOf = (policy: PlacementPolicy, stores: readonly StoreDomain[], complete: ReadonlySet<string>): Placement => {
  const wanted = storesOf(policy);
  const holding = wanted.filter((name) => complete.has(name));
  const missing = wanted.filter((name) => !complete.has(name));
  const counted = holding.filter((name) => policy.extra?.includes(name) !== true);
  const copies = counted.length;
  const domains = countDomains(counted, stores);
  return { replicated: copies >= policy.copies && domains >= policy.domains, degraded: missing.length > 0, copies, domains, missing };
};

/** What a policy asks for and its stores can never give; empty when all is well. Each completes the sentence "policy nightly …". */
export const placementProblems = (
  policy: PlacementPolicy,
  stores: readonly StoreDomain[],
): { readonly field: "copies" | "domains"; readonly message: string }[] => {
  const names = storesOf(policy);
  const problems: { field: "copies" | "domains"; message: string }[] = [];
  if (policy.copies > names.length) {
    problems.push({
      field: "copies",
      message: `asks for ${policy.copies} copies, but names ${count(names.length, "store")}: ${names.join(", ")}`,
    });
  }
  const reachable = countDomains(names, stores);
  if (policy.domains > reachable) {
    const domainOf = new Map(stores.map(({ name, domain }) => [name, domain]));
    const list = names.map((name) => `${name} in ${domainOf.get(name) ?? "no known domain"}`).join(", ");
    problems.push({ field: "domains", message: `asks for ${policy.domains} domains, but its stores lie in ${reachable}: ${list}` });
  } else if (policy.domains > policy.copies) {
    problems.push({
      field: "domains",
      message: `asks for ${policy.domains} domains, but only for ${count(policy.copies, "copy", "copies")}, which cannot lie in more than ${policy.copies}`,
    });
  }
  return problems;
};

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

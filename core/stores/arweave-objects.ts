import { Failure } from "../domain/failure.ts";
import { type GatewayCall, transactionState } from "./arweave-gateway.ts";

/** One version of an object, as the tags of its transaction say. */
export interface ArweaveObject {
  readonly id: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Counts up with every put of other bytes under the key. */
  readonly version: number;
  readonly pending: boolean;
  /** The transaction that has it: its own, or a bundle. */
  readonly carrier: string;
}

const application = "dbgov";
export const applicationTag: readonly [string, string] = ["App-Name", application];

/** Percent-encoded: not every gateway takes tags for UTF-8. */
const encodeKey = (key: string): string => encodeURIComponent(key).replaceAll("%2F", "/");

export const longestTag = 1_500;

/** The tags that make a transaction an object. They are public, as the object is. */
export const tagsOf = (object: Omit<ArweaveObject, "id" | "pending" | "carrier">): [name: string, value: string][] => {
  const key = encodeKey(object.key);
  if (key.length > longestTag) throw new Failure("StoreRejected", `the key ${object.key.slice(0, 60)}… is too long for a tag on Arweave`);
  return [
    [...applicationTag],
    ["Content-Type", "application/octet-stream"],
    ["Key", key],
    ["SHA-256", object.sha256],
    ["Size", String(object.bytes)],
    ["Version", String(object.version)],
  ];
};

const query = `query ($owners: [String!], $tags: [TagFilter!], $first: Int, $after: String) {
  transactions(owners: $owners, tags: $tags, first: $first, after: $after, sort: HEIGHT_DESC) {
    pageInfo { hasNextPage }
    edges { cursor node { id block { height } bundledIn { id } tags { name value } } }
  }
}`;

interface Answer {
  readonly data?: {
    readonly transactions?: {
      readonly pageInfo: { readonly hasNextPage: boolean };
      readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
    };
  };
}

interface Node {
  readonly id: string;
  readonly block: { readonly height: number } | null;
  readonly bundledIn?: { readonly id: string } | null;
  readonly tags: readonly { readonly name: string; readonly value: string }[];
}

/** The object that these tags tell of; undefined where they tell of none. */
export const objectOf = (
  tags: readonly { readonly name: string; readonly value: string }[],
  of: { readonly id: string; readonly carrier: string; readonly pending: boolean },
): ArweaveObject | undefined => {
  const tag = (name: string): string | undefined => tags.find((one) => one.name === name)?.value;
  const [key, sha256, size, version] = [tag("Key"), tag("SHA-256"), tag("Size"), tag("Version")];
  if (key === undefined || sha256 === undefined || !/^\d+$/.test(size ?? "") || !/^\d+$/.test(version ?? "")) return undefined;
  try {
    return { ...of, key: decodeURIComponent(key), sha256, bytes: Number(size), version: Number(version) };
  } catch {
    return undefined;
  }
};

export interface ObjectPage {
  readonly objects: ArweaveObject[];
  /** Transactions that hold several objects; not every gateway looks into them. */
  readonly bundles: Pick<ArweaveObject, "id" | "pending">[];
  /** Where the next page starts; undefined after the last. */
  readonly next: string | undefined;
}

/** A page of the objects that `owner` has posted, newest blocks first; only those of `key`, or only bundles, when that is asked for. */
export const objectPage = async (
  arweave: GatewayCall,
  owner: string,
  {
    key,
    onlyBundles = false,
    after,
    pageSize = 100,
  }: { key?: string | undefined; onlyBundles?: boolean; after?: string | undefined; pageSize?: number | undefined },
): Promise<ObjectPage> => {
  const tags = [{ name: "App-Name", values: [application], op: "EQ" }];
  if (key !== undefined) tags.push({ name: "Key", values: [encodeKey(key)], op: "EQ" });
  if (onlyBundles) tags.push({ name: "Bundle-Format", values: ["binary"], op: "EQ" });
  const { status, data } = await arweave.api.post<Answer>("graphql", {
    query,
    variables: { owners: [owner], tags, first: pageSize, ...(after === undefined ? {} : { after }) },
  });
  const found = data?.data?.transactions;
  if (found === undefined)
    throw new Failure("StoreRejected", `the gateway answered ${status} to a GraphQL query; is it an Arweave gateway?`);
  const nodes = found.edges.map(({ node }) => node);
  return {
    objects: nodes.flatMap(
      ({ id, block, bundledIn, tags: has }) => objectOf(has, { id, carrier: bundledIn?.id ?? id, pending: block === null }) ?? [],
    ),
    bundles: nodes.flatMap(({ id, block, tags: has }) =>
      has.some(({ name }) => name === "Bundle-Format") ? [{ id, pending: block === null }] : [],
    ),
    next: found.pageInfo.hasNextPage ? found.edges.at(-1)?.cursor : undefined,
  };
};

/** Of several versions of a key, the one that counts; ties (two writers at once) fall the same way for everybody. */
export const newerOf = (a: ArweaveObject | undefined, b: ArweaveObject): ArweaveObject =>
  a === undefined || b.version > a.version || (b.version === a.version && b.id > a.id) ? b : a;

/** What is in the bundles, for gateways that do not look into them. */
export type BundledObjects = (arweave: GatewayCall, bundles: ObjectPage["bundles"]) => Promise<ArweaveObject[]>;

/** The newest version of `key`. `posted` is what this process has posted itself: a gateway's index lags behind. */
export const newestObject = async (
  arweave: GatewayCall,
  owner: string,
  key: string,
  posted: ArweaveObject | undefined,
  bundledObjects: BundledObjects,
): Promise<ArweaveObject | undefined> => {
  const { objects } = await objectPage(arweave, owner, { key });
  const bundles: ObjectPage["bundles"] = [];
  for (let after: string | undefined, more = true; more; ) {
    const page = await objectPage(arweave, owner, { onlyBundles: true, after });
    bundles.push(...page.bundles);
    after = page.next;
    more = after !== undefined;
  }
  // Not every gateway that looks into bundles tells that it did: what was read from one goes before what is listed.
  const found = [...(await bundledObjects(arweave, bundles)), ...objects];
  const indexed = found.filter((object) => object.key === key).reduce(newerOf as never, undefined as ArweaveObject | undefined);
  if (posted === undefined || indexed?.id === posted.id || (indexed !== undefined && newerOf(indexed, posted) === indexed)) return indexed;
  const state = await transactionState(arweave, posted.carrier);
  return state === "missing" ? indexed : { ...posted, pending: state === "pending" };
};

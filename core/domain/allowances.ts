/**
 * What services give away and what they charge, as data: the one table that bounds stores (a store's `service`) and sources (a
 * database's `service`). Offers change: every line says where it stands and when it was read, and `allowances` of the configuration
 * replaces lines or adds some. Sizes are what the service itself calls a GB if that is known to be 10^9 bytes, and the smaller
 * reading (10^9) where it is not. Prices are US dollars before tax, for storage alone: traffic and requests are not in them.
 */
export interface Allowance {
  readonly service: string;
  /** Whether it keeps copies, or is a database that is backed up. */
  readonly of: "store" | "source";
  /** Who can fail, or close the door, as one: several accounts of one provider are several quotas and one failure domain. */
  readonly provider: string;
  /** Null: nothing is free. */
  readonly free: Free | null;
  /** Null: it is not known beforehand, or there is nothing to buy under this name. A plan with a price ceiling does not use it then. */
  readonly price: Price | null;
  /** What else an operator should know, in a sentence or two. */
  readonly note: string;
  readonly source: string;
  /** The day on which that page, or a stored copy of it, was read. */
  readonly read: string;
}

export interface Free {
  readonly bytes?: number;
  readonly objects?: number;
  readonly connections?: number;
  /** Request units a second (Cosmos DB). */
  readonly requestUnits?: number;
  /** It ends so many months after the account was opened. Absent: it does not. */
  readonly months?: number;
}

export interface Price {
  /** For 10^9 bytes and a month, of what is beyond the free bytes. */
  readonly perGBMonth: number;
  /** What a month costs at least once anything is stored and paid for. */
  readonly minimumPerMonth?: number;
}

const read = "2026-11-24";
const GB = 1e9;
const MB = 1e6;

export const knownAllowances: readonly Allowance[] = [
  {
    service: "azure-blob-free",
    of: "store",
    provider: "azure",
    free: { bytes: 5 * GB, months: 12 },
    price: { perGBMonth: 0.018 },
    note: "Hot block blobs, locally redundant, in the first 12 months of an account, with 20,000 reads and 10,000 writes a month; after that, and beyond it, the hot tier's price, which differs by region.",
    source: "https://azure.microsoft.com/en-us/pricing/free-services",
    read,
  },
  {
    service: "azure-blob-hot",
    of: "store",
    provider: "azure",
    free: null,
    price: { perGBMonth: 0.018 },
    note: "Locally redundant, East US; other regions and redundancies cost more. No minimum time.",
    source: "https://azure.microsoft.com/en-us/pricing/details/storage/blobs/",
    read,
  },
  {
    service: "storj-archive",
    of: "store",
    provider: "storj",
    free: null,
    price: { perGBMonth: 0.006, minimumPerMonth: 5 },
    note: "No free allowance but a trial. Active Archive: billed for 30 days and for 100 kB an object at least; reading costs $0.02 a GB. The $5 a month at least are not asked of who pays in STORJ.",
    source: "https://storj.dev/dcs/pricing/tiered",
    read,
  },
  {
    service: "storj-regional",
    of: "store",
    provider: "storj",
    free: null,
    price: { perGBMonth: 0.01, minimumPerMonth: 5 },
    note: "No free allowance but a trial. Regional Workflows: billed for 50 kB an object at least; what is stored can be read once a month for nothing.",
    source: "https://storj.dev/dcs/pricing/tiered",
    read,
  },
  {
    service: "storj-global",
    of: "store",
    provider: "storj",
    free: null,
    price: { perGBMonth: 0.015, minimumPerMonth: 5 },
    note: "No free allowance but a trial. Global Collaboration: billed for 50 kB an object at least; what is stored can be read once a month for nothing.",
    source: "https://storj.dev/dcs/pricing/tiered",
    read,
  },
  {
    service: "sia",
    of: "store",
    provider: "sia",
    free: null,
    price: null,
    note: "No free allowance. Hosts set their prices, in siacoin; what renterd or s3d pays (for about three times the bytes) is to be written into the configuration.",
    source: "https://siasetup.info/learn/renting",
    read,
  },
  {
    service: "filecoin",
    of: "store",
    provider: "filecoin",
    free: null,
    price: { perGBMonth: 0.00455, minimumPerMonth: 0.12 },
    note: "No free allowance. $2.50 a TiB and 30 days for one copy, $0.06 at least for a data set; counted here for the two copies that are kept. Thirty days are locked up in advance; gas is not in it.",
    source: "https://docs.filecoin.cloud/developer-guides/storage/storage-costs/",
    read,
  },
  {
    service: "arweave",
    of: "store",
    provider: "arweave",
    free: null,
    price: null,
    note: "The network gives nothing away: bytes are paid once, at a price that the gateway quotes for each (`maxWinston` caps it). The Turbo bundling service takes uploads below 100 KiB for nothing; dbgov posts to the network itself.",
    source: "https://docs.ar.io/build/upload/turbo-credits",
    read,
  },
  {
    service: "ipfs-own-peers",
    of: "store",
    provider: "own",
    free: null,
    price: { perGBMonth: 0 },
    note: "Peers of your own cost what their disks cost, which is not counted here. The network keeps nothing that nobody pins.",
    source: "https://docs.ipfs.tech/concepts/persistence/",
    read,
  },
  {
    service: "pinata-free",
    of: "store",
    provider: "pinata",
    free: { bytes: 1 * GB, objects: 500 },
    price: null,
    note: "A pinning service for IPFS: 1 GB and 500 files; more is another plan, of $20 a month.",
    source: "https://www.pinata.cloud/pricing",
    read,
  },
  {
    service: "filebase-free",
    of: "store",
    provider: "filebase",
    free: { bytes: 5 * GB, objects: 500 },
    price: null,
    note: "S3 and a pinning service for IPFS: 5 GB over both, 500 pinned files, 1 GB of reading through gateways; more is another plan.",
    source: "https://filebase.com/pricing/",
    read,
  },
  {
    service: "atlas-m0",
    of: "source",
    provider: "mongodb",
    free: { bytes: 512 * MB, connections: 500 },
    price: null,
    note: "Data and indexes, uncompressed. A full cluster refuses writes. 100 operations a second; one cluster for each project.",
    source: "https://www.mongodb.com/docs/atlas/reference/free-shared-limitations/",
    read,
  },
  {
    service: "supabase-free",
    of: "source",
    provider: "supabase",
    free: { bytes: 500 * MB, connections: 2 },
    price: null,
    note: "A database that is larger becomes read-only. A project with two direct connections to spare: dbgov holds no more of them. Paused after seven days without use.",
    source: "https://supabase.com/docs/guides/platform/database-size",
    read,
  },
  {
    service: "redis-cloud-free",
    of: "source",
    provider: "redis",
    free: { bytes: 30 * MB, connections: 30 },
    price: null,
    note: "Memory, with what Redis itself needs. A full database evicts keys or refuses writes, as it is set.",
    source: "https://redis.io/docs/latest/operate/rc/subscriptions/",
    read,
  },
  {
    service: "cosmos-free-tier",
    of: "source",
    provider: "azure",
    free: { bytes: 25 * GB, requestUnits: 1_000 },
    price: null,
    note: "For one account of a subscription, as long as it lives. What is beyond it is billed, not refused: dbgov's own reads are part of the request units.",
    source: "https://learn.microsoft.com/en-us/azure/cosmos-db/free-tier",
    read,
  },
];

/** The known lines with those of the configuration in their place; new ones follow. */
export const allowancesWith = (own: readonly Allowance[]): readonly Allowance[] => [
  ...knownAllowances.map((known) => own.find(({ service }) => service === known.service) ?? known),
  ...own.filter(({ service }) => !knownAllowances.some((known) => known.service === service)),
];

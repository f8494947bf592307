import { z } from "zod";
import { storePlacing } from "./allowance-schema.ts";
import { name, ownName, secret } from "./fields.ts";

/** The stores that a configuration can declare. One that is added is added here, and in `core/stores/`. */

const storeBase = {
  name: ownName,
  domain: name.describe(
    "the failure domain: stores that can fail together (same disk, account or provider) must share one, or copies count double",
  ),
  ...storePlacing,
};

const directoryStore = z.strictObject({
  kind: z.literal("directory").describe("a folder on a local or mounted disk"),
  ...storeBase,
  path: z.string().min(1).describe("the folder; a relative path starts at the configuration's folder. Created when it is missing"),
});

const azureBlobStore = z.strictObject({
  kind: z.literal("azure-blob").describe("a container of Azure Blob Storage"),
  ...storeBase,
  connection: secret.describe(
    "the storage account's connection string, or a container URL with a SAS that may read, write, list and delete; with `identity`, the URL alone",
  ),
  identity: z
    .boolean()
    .optional()
    .describe(
      "whether access is by Microsoft Entra: as the service principal of `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, or else as the machine's managed identity, which needs the role Storage Blob Data Contributor (for locks and holds, Owner)",
    ),
  container: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/, "must be 3 to 63 lowercase letters, digits and dashes")
    .describe("the container; created when it is missing"),
  accountResourceId: z
    .string()
    .regex(
      /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/Microsoft\.Storage\/storageAccounts\/[a-z0-9]{3,24}$/i,
      "must be as /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME",
    )
    .optional()
    .describe(
      "the storage account's resource id: with it, `dbgov check` and the sweep read the lifecycle rules that Azure applies there by itself, by Microsoft Entra as with `identity`, and say which would delete or archive objects. It takes the role Reader on the account",
    ),
  tier: z
    .enum(["hot", "cool", "cold"])
    .optional()
    .describe(
      "the access tier that objects are written to; without it, that of the account. `cool` bills at least 30 days of each object, `cold` 90, and both bill reads. What is old goes to the archive tier by a policy's `tiers.archive`, and nothing is written there",
    ),
});

const bucketAndKeys = {
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be 3 to 63 lowercase letters, digits, dots and dashes")
    .describe("the bucket, which must exist"),
  prefix: z
    .string()
    .max(200)
    .regex(/^(?:[\w-][\w.-]*(?:\/[\w-][\w.-]*)*)?$/, "must be empty or a path as backups/acme")
    .default("")
    .describe("the folder in the bucket; repositories that share a bucket need different ones"),
  accessKeyId: secret.describe("the access key; it must be able to list the bucket and to read, write and delete objects under `prefix`"),
  secretAccessKey: secret.describe("the access key's secret"),
};

const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

const s3Store = z.strictObject({
  kind: z.literal("s3").describe("a bucket of Amazon S3, or of any service that speaks its protocol"),
  ...storeBase,
  ...bucketAndKeys,
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, "must be a region as eu-central-1")
    .default("us-east-1")
    .describe("the bucket's region. Services other than AWS often take any"),
  endpoint: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .optional()
    .describe("the service's address; without it, that of AWS in the region"),
  pathStyle: z
    .boolean()
    .optional()
    .describe(
      "whether the bucket is named in the path (`https://host/bucket`) and not in the host (`https://bucket.host`). By default in the path where an `endpoint` is named",
    ),
  sessionToken: secret.optional().describe("the token that temporary keys come with; when it expires, the store refuses"),
});

const storjStore = z.strictObject({
  kind: z.literal("storj").describe("a bucket of the Storj network, through its hosted S3 gateway or one of your own"),
  ...storeBase,
  ...bucketAndKeys,
  endpoint: httpUrl.default("https://gateway.storjshare.io").describe("the gateway's address"),
});

const siaStore = z.strictObject({
  kind: z.literal("sia").describe("a bucket of the Sia network, as served by your own `renterd` or `s3d`"),
  ...storeBase,
  ...bucketAndKeys,
  endpoint: httpUrl.describe("the S3 API: of `renterd` as `http://127.0.0.1:8080`, of `s3d` as `http://127.0.0.1:8000`"),
  software: z.enum(["renterd", "s3d"]).describe("what serves it: they say in different ways what has reached the network"),
  api: httpUrl.describe(
    "where it tells its state: `renterd`'s API, as `http://127.0.0.1:9980`, or `s3d`'s admin API, as `http://127.0.0.1:8001`",
  ),
  password: secret.describe("the password of that API"),
});

const ipfsStore = z.strictObject({
  kind: z.literal("ipfs").describe("IPFS peers that are yours (kubo). Others may keep what they fetched, so deletion is only unpinning"),
  ...storeBase,
  peers: z
    .array(
      z.strictObject({
        name: ownName,
        api: z
          .url({ protocol: /^https?$/, error: "must be an http or https URL" })
          .describe("the peer's RPC API, as `http://127.0.0.1:5001`"),
        token: secret.optional().describe("the RPC API's bearer token; without it none is sent"),
      }),
    )
    .min(1)
    .describe("every peer pins every object; an object is checked by fetching it from a peer other than the one that added it"),
  folder: z
    .string()
    .regex(/^(?:\/[\w.-]+)+$/, "must be a path as /dbgov/acme")
    .default("/dbgov")
    .describe("where the peers' file system (MFS) keeps the names; repositories that share peers need different ones"),
  pinning: z
    .strictObject({
      endpoint: z
        .url({ protocol: /^https?$/, error: "must be an http or https URL" })
        .describe("the service's address, as `https://api.example.com/psa`; what follows it begins with `/pins`"),
      token: secret.describe("the service's access token"),
    })
    .optional()
    .describe("a service that keeps every object beside your peers, by the IPFS Pinning Service API; it fetches them from your peers"),
});

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be an address as 0x and 40 hexadecimal digits")
  .describe("its address");

const filecoinStore = z.strictObject({
  kind: z
    .literal("filecoin")
    .describe("Filecoin Onchain Cloud: several providers that prove each day that they have the data, paid from a deposit of USDFC"),
  ...storeBase,
  network: z.enum(["mainnet", "calibration", "devnet"]).default("mainnet").describe("the chain; `devnet` is one of your own"),
  rpc: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .optional()
    .describe("the chain's JSON-RPC API; without it, the public one that the SDK names"),
  contracts: z
    .strictObject({
      multicall3: address,
      usdfc: address,
      filecoinPay: address,
      fwss: address,
      fwssView: address,
      serviceProviderRegistry: address,
      sessionKeyRegistry: address,
      pdp: address,
      endorsements: address,
    })
    .optional()
    .describe("where the contracts are on a `devnet`; the other networks' are known"),
  wallet: secret.describe("the private key (0x and 64 hexadecimal digits) whose deposit pays; it signs, and needs FIL for deposits only"),
  dataSet: name.default("dbgov").describe("what the data sets are called; repositories that share a wallet need different ones"),
  copies: z.int().min(1).max(5).default(2).describe("how many providers have a copy of each object"),
  providers: z
    .array(z.int().positive())
    .min(1)
    .optional()
    .describe("the providers to choose from, by their number in the registry; without them, those that the SDK selects"),
  maxDeposit: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,18})?$/, "must be an amount of USDFC, in quotes")
    .describe("the most that one renewal may deposit, in USDFC"),
});

const arweaveStore = z.strictObject({
  kind: z
    .literal("arweave")
    .describe("the permanent web: every object costs once and stays for good. Only usable under a policy's `archive`"),
  ...storeBase,
  gateway: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .describe("the gateway that transactions are posted to and read from"),
  otherGateways: z
    .array(z.url({ protocol: /^https?$/, error: "must be an http or https URL" }))
    .default([])
    .describe(
      "gateways that are asked when the first does not answer, or answers with other bytes than were signed; each must know a transaction before it counts as settled",
    ),
  confirmations: z
    .int()
    .min(1)
    .max(1_000)
    .default(10)
    .describe(
      "how many blocks must be on top of the one that holds a transaction until it counts as settled; a block takes some two minutes",
    ),
  wallet: secret.describe("the wallet's key, as JWK; it pays for what is stored"),
  maxWinston: z
    .string()
    .regex(/^\d+$/, "must be a whole number of winston, in quotes")
    .describe("the most that one object may cost, in winston (10^-12 AR); a higher quote is refused"),
});

export const store = z.discriminatedUnion("kind", [
  directoryStore,
  azureBlobStore,
  s3Store,
  storjStore,
  siaStore,
  ipfsStore,
  filecoinStore,
  arweaveStore,
]);

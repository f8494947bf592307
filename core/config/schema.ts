import { z } from "zod";
import { parseDuration } from "../domain/duration.ts";
import { engineNames } from "../domain/snapshot.ts";

/**
 * The one schema of `dbgov.yaml`. It validates the file, and `docs/configuration.md` and `docs/dbgov.schema.json` are
 * generated from it. Every field has a description with its default and what follows from it.
 */

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lowercase letters, digits and dashes, at most 63")
  .describe("lowercase letters, digits and dashes");

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, "must be a number and a unit: 30s, 15m, 26h, 7d")
  .describe("a number and a unit: `30s`, `15m`, `26h`, `7d`");

/** A secret is named, never written: the configuration can be shown to anybody. */
const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe("`{ env: NAME }` or `{ file: PATH }`; a relative path starts at the configuration's folder");
export type SecretRef = z.infer<typeof secret>;

const storeBase = {
  name,
  domain: name.describe("the failure domain: two stores that can fail together share one"),
};

const store = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("directory"), ...storeBase, path: z.string().describe("a folder; relative to the configuration's") }),
  z.strictObject({
    kind: z.literal("azure-blob"),
    ...storeBase,
    connection: secret.describe("the storage account's connection string, or a container URL with a SAS"),
    container: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/)
      .describe("the container; created when it is missing"),
  }),
  z.strictObject({
    kind: z.literal("ipfs"),
    ...storeBase,
    peers: z
      .array(
        z.strictObject({
          name,
          api: z.url().describe("the peer's RPC API, as http://127.0.0.1:5001"),
          token: secret.optional().describe("bearer token of the RPC API"),
        }),
      )
      .min(1)
      .describe("every peer pins every object"),
  }),
  z.strictObject({
    kind: z.literal("arweave"),
    ...storeBase,
    gateway: z.url().describe("the gateway that transactions are posted to and read from"),
    wallet: secret.describe("the wallet's key, as JWK"),
    maxWinston: z.string().regex(/^\d+$/).describe("the most that one object may cost, in winston; a higher quote is refused"),
  }),
]);

const retention = z.strictObject({
  last: z.int().min(1).default(7).describe("the newest snapshots that are always kept"),
  daily: z.int().min(0).default(7),
  weekly: z.int().min(0).default(5),
  monthly: z.int().min(0).default(12),
  yearly: z.int().min(0).default(7),
  minimumAge: duration.default("1d").describe("nothing younger is deleted, whatever the counts say"),
});

const policy = z.strictObject({
  name,
  schedule: z.strictObject({
    cron: z.string().describe("five fields: minute, hour, day of month, month, day of week"),
    timeZone: z.string().default("UTC").describe("an IANA time zone; days, weeks and months of retention are told in it too"),
    jitter: duration.default("10m").describe("spreads the databases of a policy over this time"),
    catchUp: duration.default("12h").describe("a run missed while Temporal was down still starts if it is no older"),
  }),
  landing: name.describe("the store that captures write to"),
  stores: z.array(name).default([]).describe("the other stores that every pack is copied to, from the landing store"),
  archive: z.array(name).default([]).describe("stores that get the small permanent things only: sealed manifests and checkpoints"),
  copies: z
    .int()
    .min(1)
    .default(2)
    .describe("how many stores, the landing store among them, must hold every object before the snapshot is `replicated`"),
  domains: z.int().min(1).default(2).describe("in how many failure domains these copies must be"),
  envelopes: z
    .array(name)
    .default([])
    .describe(
      "stores that hold the keyring beside the catalog and the recovery kit; on one that cannot delete, deletion is only unpinning",
    ),
  patience: duration.default("30m").describe("how long a store that does not answer is tried before the run goes on without it"),
  retention: retention.prefault({}),
  drill: z
    .strictObject({
      every: duration.default("7d"),
      target: secret
        .optional()
        .describe("the server to restore into, as a URL; without it the database's own server gets a scratch database"),
    })
    .prefault({}),
  objectives: z
    .strictObject({
      recoveryPoint: duration.default("26h").describe("the most that may lie between now and the newest snapshot"),
      recoveryTime: duration.default("1h").describe("the most that a restore may take, as drills measure it"),
    })
    .prefault({}),
});

const database = z.strictObject({
  name,
  engine: z.enum(engineNames),
  url: secret.describe("the connection URL, with user and password"),
  policy: name,
});

const recipient = z.strictObject({
  name,
  publicKey: z
    .string()
    .describe("an X-Wing public key, as `dbgov keys` prints it (`dbgov-recipient-1:…`), or the path of a file that holds it"),
  secretKey: secret.optional().describe("only where restores, drills and verifications run"),
});

const anchor = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("evm"),
    name,
    rpc: secret.describe("the JSON-RPC URL"),
    chainId: z.int().min(1),
    contract: z
      .string()
      .regex(/^0x[0-9a-fA-F]{40}$/)
      .describe("the registry's address; `dbgov keys registry` deploys one"),
    submitterKey: secret.describe("private key of the account that submits; it can do nothing else"),
    every: duration.default("1h").describe("checkpoints are anchored at most this often"),
    maxFeeGwei: z.number().positive().default(50).describe("the highest fee per gas that is offered"),
  }),
]);

export const configSchema = z.strictObject({
  organization: name,
  temporal: z
    .strictObject({
      address: z.string().default("127.0.0.1:7233"),
      namespace: z.string().default("default"),
      ui: z.url().optional().describe("the Temporal UI's address, for links"),
    })
    .prefault({}),
  catalog: secret.describe("URL of the PostgreSQL database for the catalog"),
  keys: z.strictObject({
    dedupSecret: secret.describe("32 bytes, as hex: chunk ids and chunk keys derive from it"),
    indexKey: secret.describe("32 bytes, as hex: seals what retention needs to read"),
    signingKey: secret.describe("Ed25519 seed, as hex: signs manifests"),
    logKey: secret.describe("Ed25519 seed, as hex: signs checkpoints"),
  }),
  recipients: z.array(recipient).min(1).describe("who can open snapshots"),
  recoveryKit: z.string().describe("the folder of the recovery kit; relative to the configuration's"),
  databases: z.array(database).min(1),
  stores: z.array(store).min(1),
  policies: z.array(policy).min(1),
  log: z.strictObject({
    origin: z
      .string()
      .regex(/^[^\s+]+$/)
      .describe("the log's name in its checkpoints, as `acme.example/dbgov`"),
    store: name.describe("the store that holds the log's tiles"),
  }),
  anchors: z.array(anchor).default([]),
  retention: z
    .strictObject({
      cron: z.string().default("0 5 * * *"),
      grace: duration.default("1d").describe("objects nobody needs are deleted this long after that was found"),
    })
    .prefault({}),
  sweep: z
    .strictObject({
      cron: z.string().default("0 6 * * *"),
      frameworks: z.array(z.enum(["sox", "gdpr", "hipaa", "iso27001"])).default(["sox", "gdpr", "hipaa", "iso27001"]),
      out: z.string().default("reports").describe("the folder for reports"),
    })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type DatabaseConfig = Config["databases"][number];
export type PolicyConfig = Config["policies"][number];
export type AnchorConfig = Config["anchors"][number];
export type RecipientConfig = Config["recipients"][number];
/** A value of the configuration with every secret read. Never leaves the process. */
export type Resolved<T> = T extends SecretRef
  ? string
  : T extends readonly (infer E)[]
    ? Resolved<E>[]
    : T extends object
      ? { [K in keyof T]: Resolved<T[K]> }
      : T;
/** A store as the configuration has it, with its secrets read. */
export type StoreConfig = Resolved<Config["stores"][number]>;

import { z } from "zod";
import { engineNames } from "../domain/snapshot.ts";
import { allowance, databaseService, policyPlacing } from "./allowance-schema.ts";
import { durability } from "./durability-schema.ts";
import { duration, instant, name, ownName, type SecretRef, type SigningKeyRef, secret, signingKey } from "./fields.ts";
import { anchor, log, timestampAuthority } from "./ledger-schema.ts";
import { parity } from "./parity-schema.ts";
import { approval, recordClass, retentionOverride, retentionRules, rewrite, tiers } from "./retention-schema.ts";
import { store } from "./store-schema.ts";
import { temporal } from "./temporal-schema.ts";

export type { SecretRef, SigningKeyRef };

/**
 * The one schema of `dbgov.yaml`. It validates the file, and `docs/configuration.md` and `docs/dbgov.schema.json` are
 * generated from it (`npm run docs`). Every field's description says what follows from it; defaults are added by the generator.
 */

const policy = z.strictObject({
  name: ownName,
  schedule: z
    .strictObject({
      cron: z.string().describe("five fields: minute, hour, day of month, month, day of week. `15 2 * * *` is every night at 2:15"),
      timeZone: z
        .string()
        .default("UTC")
        .describe("an IANA time zone, as `Europe/Berlin`; the days, weeks, months and years of retention are told in it too"),
      jitter: duration.default("10m").describe("each run starts up to so much later, which spreads the databases of a policy"),
      catchUp: duration.default("12h").describe("a run that was missed while Temporal was down still starts if it is no older"),
    })
    .describe("when the policy's databases are backed up"),
  landing: name.describe("the store that captures write to; the other stores are fed from it, never from the database again"),
  stores: z.array(name).default([]).describe("the other stores that every object is copied to"),
  archive: z.array(name).default([]).describe("stores that get the small permanent things only: sealed manifests and checkpoints"),
  copies: z
    .int()
    .min(1)
    .default(2)
    .describe(
      "how many stores, the landing store among them, must hold every object before the snapshot is `replicated`; fewer fail the run",
    ),
  domains: z.int().min(1).default(2).describe("in how many failure domains these copies must be"),
  ...policyPlacing,
  envelopes: z
    .array(name)
    .default([])
    .describe(
      "stores that hold the keyring beside the catalog and the recovery kit, so that store and recovery key suffice to restore; on a store that cannot delete, deletion of snapshots is then only unpinning",
    ),
  fullReadEvery: z
    .int()
    .min(1)
    .default(10)
    .describe(
      "ranges that the database calls unchanged are taken over unread; after so many snapshots one reads everything again, and compares. 1 reads everything every time",
    ),
  parity: parity
    .optional()
    .describe("erasure-coded parity of the policy's packs: one that no store has a good copy of any more is rebuilt from it"),
  patience: duration.default("30m").describe("how long a store that does not answer is tried before the run goes on, or fails, without it"),
  retention: retentionRules
    .prefault({})
    .describe("which snapshots are kept. Nothing goes unless a newer verified snapshot of the database stays"),
  lock: z
    .boolean()
    .default(false)
    .describe(
      "stores that can lock objects lock packs, ranges and manifests (never envelopes) for as long as the database's `minimumAge`, and hold what a legal hold names; nobody can shorten a lock, so what it costs is owed",
    ),
  tiers: tiers
    .prefault({})
    .describe("when packs go to a cheaper tier, in stores that have tiers; those of the landing store stay where they are"),
  drill: z
    .strictObject({
      every: duration
        .default("7d")
        .describe("how often the newest snapshot is restored for practice; an older drill is a finding of the sweep"),
      target: secret
        .optional()
        .describe("the server to restore into, as a URL; without it the database's own server gets a scratch database"),
    })
    .prefault({})
    .describe("practice restores into a scratch database that is always dropped"),
  objectives: z
    .strictObject({
      recoveryPoint: duration
        .default("26h")
        .describe("the most that may lie between now and the newest snapshot; more is a finding of the sweep"),
      recoveryTime: duration
        .default("1h")
        .describe("the most that a restore may take, as drills measure it; more is a finding of the sweep"),
    })
    .prefault({})
    .describe("what `dbgov status` and the sweep judge by"),
});

const database = z.strictObject({
  name: ownName,
  engine: z.enum(engineNames).describe("what kind of database it is"),
  url: secret.describe(
    "the connection URL, with user, password and database name; of Cosmos DB its connection string with `Database=NAME` and, if wanted, `RequestUnitShare=0.25` added",
  ),
  policy: name.describe("the policy that it is backed up and kept by"),
  service: databaseService,
  records: name.optional().describe("the class of records that it holds: an age that the law gives them goes before the policy's"),
  retention: retentionOverride.optional().describe("what is kept of this database otherwise than its policy says"),
  timeZone: z
    .string()
    .optional()
    .describe(
      "an IANA time zone: the days, weeks, months and years of this database's retention are told in it; by default in its schedule's",
    ),
});

const recipient = z.strictObject({
  name: ownName,
  publicKey: z
    .string()
    .min(1)
    .describe("an X-Wing public key, as `dbgov keys` prints it (`dbgov-recipient-1:…`), or the path of a file that holds it"),
  secretKey: secret.optional().describe("set only where restores, drills and verifications run; backups need the public key alone"),
});

const retiredKey = z.strictObject({
  purpose: z.enum(["log", "signing"]).describe("what it signed: the log's checkpoints, or manifests"),
  publicKey: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hex digits")
    .describe("its public key, as hex"),
  until: instant.describe(
    "what it signed alone counts until then: the end of the overlap, or the time since when somebody else may have had it",
  ),
  size: z.int().min(0).optional().describe("of a log's key: the log's size when it was replaced. After `until` it signs for no larger log"),
  key: signingKey.optional().describe("of a log's key: where it is, so that it signs beside the new one until `until`"),
});

export const configSchema = z.strictObject({
  organization: name.describe("whose databases these are; appears in reports and the recovery kit, never in the log"),
  temporal: temporal.prefault({}).describe("where workflows run"),
  catalog: secret.describe("URL of the PostgreSQL database for the catalog; the schema `dbgov` is created in it"),
  keys: z
    .strictObject({
      dedupSecret: secret.describe(
        "32 bytes, as hex: chunk ids and chunk keys derive from it. With another one, nothing is recognized as stored before",
      ),
      indexKey: secret.describe("32 bytes, as hex: seals what retention needs to read; opens no content"),
      signingKey: signingKey.describe("Ed25519 seed, 32 bytes as hex, or a program that signs: signs manifests"),
      logKey: signingKey.describe("Ed25519 seed, 32 bytes as hex, or a program that signs: signs the log's checkpoints"),
      nameSecret: secret
        .optional()
        .describe(
          "what the salts of names in the log derive from; without it, the seed of `logKey`. Never change what it says, or a database's entries no longer belong together: `dbgov keys rotate` keeps it",
        ),
      retired: z
        .array(retiredKey)
        .default([])
        .describe("keys that signed before, as `dbgov keys rotate` writes them; never remove one while anything that it signed is kept"),
    })
    .describe("the keys that workers hold; `dbgov keys` makes them. None opens a snapshot"),
  recipients: z
    .array(recipient)
    .min(1)
    .describe("who can open snapshots: each of them can, alone. Name at least one whose secret key is kept offline"),
  recoveryKit: z
    .string()
    .min(1)
    .describe(
      "the folder of the recovery kit, refreshed after each run; keep a copy elsewhere. A relative path starts at the configuration's folder",
    ),
  databases: z.array(database).min(1).describe("the databases under governance"),
  stores: z.array(store).min(1).describe("the places that keep objects"),
  policies: z.array(policy).min(1).describe("how databases are backed up, copied, kept and drilled"),
  allowances: z
    .array(allowance)
    .default([])
    .describe("what services give and charge, where the built-in table is out of date or lacks one; fields that are given replace its own"),
  recordClasses: z.array(recordClass).default([]).describe("kinds of records with an age that a law or a contract gives them"),
  approval: approval.prefault({}).describe("which persons must agree before what cannot be undone"),
  log: log.describe("the append-only transparency log"),
  anchors: z
    .array(anchor)
    .default([])
    .describe("evidence from outside the organization that a checkpoint existed by a time; without one, no snapshot becomes `anchored`"),
  timestampAuthorities: z
    .array(timestampAuthority)
    .default([])
    .describe(
      "time-stamping authorities (RFC 3161) as a second, independent anchor; where no chain is declared, their token makes a snapshot `anchored`",
    ),
  retention: z
    .strictObject({
      cron: z.string().default("0 5 * * *").describe("when retention runs; five fields, in UTC"),
      grace: duration
        .default("1d")
        .describe(
          "a snapshot that goes is marked so long before, and `dbgov retention undo` still keeps it; then its envelopes are destroyed. Objects that nobody needs are deleted so long after that was found; longer than any backup takes",
        ),
      rewrite: rewrite.prefault({}).describe("packs of which little is needed, and what is done about them"),
    })
    .prefault({})
    .describe("the schedule that deletes what the policies no longer keep"),
  durability: durability
    .prefault({})
    .describe("the schedules that have stores prove what they keep, replace bad copies, and renew what ends"),
  sweep: z
    .strictObject({
      cron: z.string().default("0 6 * * *").describe("when the compliance checks run; five fields, in UTC"),
      frameworks: z
        .array(z.enum(["sox", "gdpr", "hipaa", "iso27001"]))
        .default(["sox", "gdpr", "hipaa", "iso27001"])
        .describe("the frameworks that findings are told in"),
      out: z.string().min(1).default("reports").describe("the folder for reports; a relative path starts at the configuration's folder"),
    })
    .prefault({})
    .describe("the schedule that judges the databases and the engine's own record"),
});

export type Config = z.infer<typeof configSchema>;
export type DatabaseConfig = Config["databases"][number];
export type PolicyConfig = Config["policies"][number];
export type AnchorConfig = Config["anchors"][number];
export type AuthorityConfig = Config["timestampAuthorities"][number];
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

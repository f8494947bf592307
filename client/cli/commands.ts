import { choiceFlags } from "./choice-option.ts";
import type { CommandAction } from "./program.ts";
import { restoreFlags } from "./restore-flags.ts";

export interface CommandSpec {
  /** One word, or two for a verb of the command that has the first. */
  readonly name: string;
  readonly description: string;
  readonly args?: readonly { readonly name: string; readonly description: string }[];
  readonly options?: readonly {
    readonly flags: string;
    readonly description: string;
    readonly choices?: readonly string[];
    readonly fallback?: string;
  }[];
  /** False for the few that need no configuration. */
  readonly config?: false;
  readonly examples: readonly string[];
  /** The object that `--json` prints: its keys, in order. `ACTION: ` before it where that depends on the first argument. A contract for programs. */
  readonly prints: readonly string[];
  readonly load: () => Promise<{ readonly action: CommandAction }>;
}

/** Every command, in the order in which a newcomer meets them. `docs/cli.md` is generated from this list. */
export const commandSpecs: readonly CommandSpec[] = [
  {
    name: "demo",
    description: "show everything on an embedded stack: two databases from backup to proof",
    config: false,
    options: [{ flags: "--keep", description: "leave the stack running afterwards" }],
    examples: ["demo", "demo --keep", "demo --json"],
    prints: [
      '{"databases":[…],"checkpoint":{"size","root"},"anchor":{"chainId","contract","transaction","block","finalized"},"proof":{"verified"},"corruption":{"detected"},"drills":[{"database","identical","seconds"}],"sweep":{"pass","fail","notApplicable","inconclusive"},"ui"}',
    ],
    load: () => import("./commands/demo.ts"),
  },
  {
    name: "stack",
    description: "start, look at, or stop the embedded components",
    config: false,
    args: [{ name: "<action>", description: "up, status or down" }],
    options: [
      { flags: "--folder <path>", description: "where its state and data live", fallback: ".dbgov/stack" },
      { flags: "--only <names>", description: "comma-separated components" },
      { flags: "--purge", description: "with down: delete its data, too" },
    ],
    examples: ["stack up", "stack up --only postgres,ipfs", "stack status --json", "stack down --purge"],
    prints: ['up: {"COMPONENT":{…}}', 'status: {"components":[{"component","state","address","uptime","log"}]}', 'down: {"stopped"}'],
    load: () => import("./commands/stack.ts"),
  },
  {
    name: "keys",
    description: "make the keys and the recovery kit, or deploy the anchor registry",
    args: [{ name: "<action>", description: "init, kit, show or registry" }],
    options: [
      { flags: "--out <folder>", description: "with init: where the keys go", fallback: "keys" },
      { flags: "--rpc <url>", description: "with registry: the chain's RPC" },
      { flags: "--chain-id <number>", description: "with registry: the chain", fallback: "31337" },
      { flags: "--submitter <address>", description: "with registry: the account that may submit (default: the deployer)" },
      { flags: "--key-env <name>", description: "with registry: the environment variable with the deployer's private key" },
    ],
    examples: ["keys init --out keys", "keys kit", "keys show", "keys registry --rpc http://127.0.0.1:8545 --key-env DEPLOYER_KEY"],
    prints: [
      'init: {"folder","files":[{"name","what"}]}',
      'kit: {"folder"}',
      'show: {"recipients":[{"name","id"}],"signingKey","logKey","trust"}',
      'registry: {"chainId","contract","transaction","block","gasUsed"}',
    ],
    load: () => import("./commands/keys.ts"),
  },
  {
    name: "check",
    description: "validate the configuration and probe every connection and permission",
    examples: ["check", "check --config prod.yaml --json"],
    prints: ['{"ok","checks":[{"kind","name","ok","details":[…]}]}'],
    load: () => import("./commands/check.ts"),
  },
  {
    name: "apply",
    description: "bring Temporal's schedules in line with the configuration",
    options: [
      { flags: "--dry-run", description: "print the plan and stop" },
      { flags: "--prune", description: "also delete schedules that the configuration no longer names" },
    ],
    examples: ["apply --dry-run", "apply", "apply --prune"],
    prints: ['{"applied","changes":[{"id","action","what"}]}'],
    load: () => import("./commands/apply.ts"),
  },
  {
    name: "worker",
    description: "run the workers that do the work",
    options: [
      { flags: "--queues <names>", description: "comma-separated: orchestrate, capture, replicate, chain, restore (default: all)" },
      { flags: "--grace <duration>", description: "what running work gets to finish on SIGTERM", fallback: "30s" },
      { flags: "--metrics <address>", description: "host and port where Prometheus finds metrics (default: nowhere)" },
    ],
    examples: ["worker", "worker --queues capture", "worker --queues orchestrate,chain --grace 2m", "worker --metrics 127.0.0.1:9464"],
    prints: ['{"ready","queues":[…],"pid"}'],
    load: () => import("./commands/worker.ts"),
  },
  {
    name: "backup",
    description: "back up one database now, and watch it",
    args: [{ name: "<database>", description: "its name in the configuration" }],
    options: [{ flags: "--full", description: "read everything, also what the database calls unchanged since the last snapshot" }],
    examples: ["backup shop", "backup shop --full", "backup shop --json"],
    prints: [
      '{"snapshot","database","state","degraded","rows","bytes":{"read","new","stored"},"seconds","replicas":[{"store","packs","verified"}],"logIndex"}',
    ],
    load: () => import("./commands/backup.ts"),
  },
  {
    name: "status",
    description: "each database at a glance: last snapshot, age against the objective, replicas, drill, next run",
    examples: ["status", "status --json"],
    prints: [
      '{"at","orchestrator","databases":[{"database","engine","policy","snapshot","state","ageMs","objectiveMs","objectiveMet","copies","copiesWanted","lastDrill":{"at","identical","seconds"},"lastFailure","nextRun"}]}',
    ],
    load: () => import("./commands/status.ts"),
  },
  {
    name: "snapshots",
    description: "list snapshots, or show one with the evidence of each state",
    args: [{ name: "[snapshot]", description: "a snapshot id" }],
    options: [{ flags: "--database <name>", description: "only this database's" }],
    examples: ["snapshots", "snapshots --database shop", "snapshots 20261124T021500Z-5f3a9c01d2e4"],
    prints: [
      'without an id: {"snapshots":[{"snapshot","database","state",…}]}',
      'with an id: {"snapshot","database","engine","policy","startedAt","capturedAt","consistency","rows","bytesRead","bytesNew","bytesStored","manifestHash","ciphertextRoot","held","removedAt","states":[{"state","reachedAt","evidence"}],"replicas":[{"store","objects","packs","verified"}]}',
    ],
    load: () => import("./commands/snapshots.ts"),
  },
  {
    name: "restore",
    description: "restore a snapshot into an empty database, and compare",
    args: [{ name: "<snapshot>", description: "a snapshot id, or latest with --database" }],
    options: [
      { flags: "--to <url>", description: "the database to restore into" },
      { flags: "--to-env <name>", description: "the same, from an environment variable, which keeps the password out of the process list" },
      { flags: "--database <name>", description: "with latest: whose snapshot" },
      ...choiceFlags,
      ...restoreFlags,
      { flags: "--store <name>", description: "read from this store only" },
    ],
    examples: [
      "restore 20261124T021500Z-5f3a9c01d2e4 --to-env TARGET_URL",
      "restore latest --database shop --to postgres://localhost/copy --json",
      "restore latest --database shop --to-env TARGET_URL --only 'public.order*' --dry-run",
    ],
    prints: [
      '{"snapshot","database","rows","bytes","resumed":{"rows","bytes"},"seconds","identical","differences":[…],"damaged":[…],"notes":[…]}',
      'with --dry-run: {"dryRun","snapshot","database","capturedAt","rows","bytes","estimate":{"seconds","drills"},"streams":[{"name","rows","bytes"}],"creates":[{"kind","count"}],"drops":[…],"notes":[…],"damaged":[…],"problem":{"type","message"}}',
    ],
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "export",
    description: "write a snapshot as files that the database's own tools load; they are not encrypted",
    args: [{ name: "<snapshot>", description: "a snapshot id, or latest with --database" }],
    options: [
      { flags: "--out <folder>", description: "a new or empty folder" },
      { flags: "--database <name>", description: "with latest: whose snapshot" },
      ...choiceFlags,
      { flags: "--store <name>", description: "read from this store only" },
    ],
    examples: ["export 20261124T021500Z-5f3a9c01d2e4 --out dump", "export latest --database shop --out dump --only public.orders --json"],
    prints: ['{"snapshot","database","engine","folder","rows","bytes","format","load","notes":[…],"damaged":[…]}'],
    load: () => import("./commands/export.ts"),
  },
  {
    name: "diff",
    description:
      "say what changed from a snapshot to another, or to a database as it is now, by table and count; exit code 5 when they differ",
    args: [
      { name: "<before>", description: "a snapshot id, or latest with --database" },
      { name: "[after]", description: "a snapshot id, or a database's URL" },
    ],
    options: [
      { flags: "--to-env <name>", description: "a database's URL, from an environment variable" },
      { flags: "--database <name>", description: "with latest: whose snapshot" },
    ],
    examples: ["diff 20261124T021500Z-5f3a9c01d2e4 20261125T021500Z-91c0de77ab12", "diff latest --database shop --to-env SHOP_URL --json"],
    prints: [
      '{"same","before","after","streams":[{"name","state","before","after","added","removed","changed"}],"definitions":{"added":[…],"removed":[…],"changed":[…]},"bytesRead","notes":[…]}',
    ],
    load: () => import("./commands/diff.ts"),
  },
  {
    name: "drill",
    description: "restore the newest snapshot into a scratch database, compare, measure, and drop it",
    args: [{ name: "<database>", description: "its name in the configuration" }],
    options: [{ flags: "--snapshot <id>", description: "drill this snapshot" }],
    examples: ["drill shop", "drill shop --json"],
    prints: ['{"snapshot","database","identical","rows","bytes","seconds","differences":[…]}'],
    load: () => import("./commands/drill.ts"),
  },
  {
    name: "verify",
    description: "read a snapshot back from its stores, byte by byte, and open it",
    args: [{ name: "<snapshot>", description: "a snapshot id" }],
    options: [
      { flags: "--store <name>", description: "only this store" },
      { flags: "--depth <depth>", description: "how much is read", choices: ["sample", "full"], fallback: "full" },
    ],
    examples: ["verify 20261124T021500Z-5f3a9c01d2e4", "verify 20261124T021500Z-5f3a9c01d2e4 --store azure --json"],
    prints: [
      '{"snapshot","verified","objects","bytes","problems":[]}',
      'when something is bad: {"snapshot","verified","problems":[{"store","object","type","message"}],"repairs":[{"store","object","from"}]}',
    ],
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "challenge",
    description: "have a store show blocks that public randomness chooses, and prove them against the log; exit code 5 when one is wrong",
    args: [{ name: "<snapshot>", description: "a snapshot id" }],
    options: [
      { flags: "--store <name>", description: "the store that is asked" },
      { flags: "--blocks <number>", description: "how many blocks of 64 KiB", fallback: "16" },
      { flags: "--out <file>", description: "also write the blocks with their proofs, for somebody else to check" },
    ],
    examples: [
      "challenge 20261124T021500Z-5f3a9c01d2e4 --store azure --blocks 16",
      "challenge 20261124T021500Z-5f3a9c01d2e4 --store azure --out blocks.json --json",
    ],
    prints: [
      '{"snapshot","store","blocks","proven","chosenBy":{"size","root","chainId","blockHash"},"logIndex","problems":[{"pack","block","problem"}]}',
    ],
    load: () => import("./commands/challenge.ts"),
  },
  {
    name: "proof",
    description:
      "write the proof bundle of a snapshot, or of all that the log has of a database in a period: one file that an outsider can check",
    args: [{ name: "[snapshot]", description: "a snapshot id" }],
    options: [
      { flags: "--out <file>", description: "the bundle", fallback: "proof.json" },
      { flags: "--trust <file>", description: "also write the trust policy that goes with it (give it to the auditor by another way)" },
      {
        flags: "--since <checkpoint>",
        description:
          "also prove that the log extends this checkpoint of the auditor's: its size, or a file with it or with a bundle that has it",
      },
      { flags: "--database <name>", description: "instead of a snapshot: every entry of this database, without a gap" },
      { flags: "--from <day>", description: "with --database: the first day, in UTC" },
      { flags: "--to <day>", description: "with --database: the last day" },
      { flags: "--tlog <file>", description: "also write the entry's inclusion as a C2SP tlog-proof, for other transparency tools" },
    ],
    examples: [
      "proof 20261124T021500Z-5f3a9c01d2e4 --out bundle.json",
      "proof 20261124T021500Z-5f3a9c01d2e4 --out bundle.json --trust trust.json",
      "proof --database shop --from 2026-11-01 --to 2026-11-30 --out november.json",
    ],
    prints: [
      '{"snapshot","bundle","bytes","index","anchors","timestamps"}',
      'with --database: {"database","bundle","bytes","from","to","entries"}',
    ],
    load: () => import("./commands/proof.ts"),
  },
  {
    name: "audit",
    description: "check a proof bundle, or a proof of misbehavior, offline, trusting nothing but the trust policy",
    config: false,
    args: [{ name: "<bundle>", description: "the proof bundle" }],
    options: [
      { flags: "--trust <file>", description: "the trust policy" },
      { flags: "--rpc <url>", description: "ask this node which blocks are final, instead of trusting only those that the policy lists" },
    ],
    examples: ["audit bundle.json --trust trust.json", "audit bundle.json --trust trust.json --json"],
    prints: [
      '{"verified","entry","checkpoint":{"size","root"},"cosignatures":[{"witness","time"}],"anchors":[{"chainId","contract","transaction","block","time","verified"}],"timestamps":[{"time","authority","verified"}],"failures":[{"part","reason"}]}',
    ],
    load: () => import("./commands/audit.ts"),
  },
  {
    name: "audit compare",
    description: "compare what two auditors of one log were shown; a contradiction becomes a proof of misbehavior",
    config: false,
    args: [
      { name: "<first>", description: "a proof bundle, or a checkpoint" },
      { name: "<second>", description: "the other auditor's" },
    ],
    options: [
      { flags: "--trust <file>", description: "a trust policy with the log's key" },
      { flags: "--out <file>", description: "where the proof of misbehavior goes, if there is one", fallback: "misbehavior.json" },
    ],
    examples: ["audit compare mine.json theirs.json --trust trust.json"],
    prints: ['{"verified","common","misbehavior","failures":[{"part","reason"}]}'],
    load: () => import("./commands/audit-compare.ts"),
  },
  {
    name: "audit serve",
    description: "let auditors query the log over HTTP: read-only, by token, every answer with its proofs",
    options: [
      {
        flags: "--listen <address>",
        description: "host and port; others than this machine need a proxy with TLS before it",
        fallback: "127.0.0.1:7381",
      },
      { flags: "--rate <number>", description: "how many requests one token may make in a minute", fallback: "6000" },
    ],
    examples: ["audit serve --config dbgov.yaml", "audit serve --listen 127.0.0.1:8081 --rate 600"],
    prints: ['{"ready","url"}'],
    load: () => import("./commands/audit-serve.ts"),
  },
  {
    name: "audit query",
    description: "ask an audit API for entries of the log, and believe only what is proven; exit code 5 when something does not hold",
    config: false,
    args: [{ name: "<url>", description: "the audit API" }],
    options: [
      { flags: "--trust <file>", description: "the trust policy" },
      { flags: "--token-env <name>", description: "the environment variable that has the token" },
      { flags: "--database <name>", description: "only entries of this database" },
      { flags: "--kind <kind>", description: "only entries of this kind; what is left out cannot be noticed then" },
      { flags: "--since <time>", description: "only entries of this day, or time in UTC, and later" },
      { flags: "--until <time>", description: "only entries before this day, or time in UTC" },
      {
        flags: "--known <file>",
        description:
          "remembers the last checkpoint of each log, which the next one must extend; never lose it (default: .dbgov/known-logs.json at home)",
      },
    ],
    examples: [
      "audit query https://audit.example.com --trust trust.json --token-env AUDIT_TOKEN",
      "audit query https://audit.example.com --trust trust.json --token-env AUDIT_TOKEN --database shop --since 2026-11-01 --json",
    ],
    prints: [
      '{"verified","checkpoint":{"size","root"},"known":{"size","root"},"complete","entries":[{"index","entry","database"}],"notes":{"known","shown"},"failures":[{"part","reason"}]}',
    ],
    load: () => import("./commands/audit-query.ts"),
  },
  {
    name: "audit token",
    description: "make, list or revoke the tokens by which auditors query the log",
    args: [
      { name: "<action>", description: "create, list or revoke" },
      { name: "[id]", description: "with revoke: the token" },
    ],
    options: [
      { flags: "--auditor <name>", description: "with create: whose it is; kept in the catalog, not in the log" },
      { flags: "--databases <names>", description: "with create: comma-separated databases that it may see (default: all)" },
      { flags: "--kinds <names>", description: "with create: comma-separated kinds of entries that it may see (default: all)" },
      { flags: "--valid-for <duration>", description: "with create: when it expires", fallback: "90d" },
    ],
    examples: [
      "audit token create --auditor 'Smith & Partners' --databases shop --valid-for 30d",
      "audit token list",
      "audit token revoke at-3f2a9c01",
    ],
    prints: [
      'create: {"id","token","auditor","databases","kinds","expiresAt"}',
      'list: {"tokens":[{"id","auditor","databases","kinds","createdAt","expiresAt","revokedAt"}]}',
      'revoke: {"id","revoked"}',
    ],
    load: () => import("./commands/audit-token.ts"),
  },
  {
    name: "catalog",
    description: "fill an empty catalog from the log, the stores and the recovery kit",
    args: [{ name: "<action>", description: "rebuild" }],
    examples: ["catalog rebuild --config dbgov.yaml"],
    prints: ['{"snapshots","removed","entries","anchors","timestamps","holds":[…],"missing":[{"what","reason"}]}'],
    load: () => import("./commands/catalog.ts"),
  },
  {
    name: "witness",
    description: "cosign other people's logs: a process with a key of its own, which signs a head only when it extends the last one",
    config: false,
    args: [{ name: "<action>", description: "init or run" }],
    options: [
      { flags: "--key <file>", description: "the witness's secret key; init makes it", fallback: "witness.secret" },
      { flags: "--name <name>", description: "the witness's name, as witness.example/w1" },
      { flags: "--log <keys>", description: "with run: the public keys of the logs, as name+id+base64, comma-separated" },
      {
        flags: "--state <folder>",
        description: "with run: where it remembers the last head of each log; never lose it",
        fallback: "witness-state",
      },
      { flags: "--listen <address>", description: "with run: host and port", fallback: "127.0.0.1:7380" },
    ],
    examples: [
      "witness init --key witness.secret --name witness.example/w1",
      "witness run --key witness.secret --name witness.example/w1 --log acme.example/dbgov+bee998b3+AXMwCHH0TBaOfJSd4sdQ5gwsm7j/UwAXxaJnI06ctNuO",
    ],
    prints: ['init: {"name","key","publicKey"}', 'run: {"ready","url","publicKey"}'],
    load: () => import("./commands/witness.ts"),
  },
  {
    name: "recover",
    description: "restore from a store and a recovery kit alone: no Temporal, no catalog, no configuration",
    config: false,
    options: [
      { flags: "--store <url>", description: "a folder, an Azure container's URL, a bucket as s3://bucket, or an IPFS peer's API" },
      { flags: "--kit <path>", description: "the recovery kit: its folder or its kit.json" },
      { flags: "--snapshot <id>", description: "a snapshot id, or latest", fallback: "latest" },
      { flags: "--database <name>", description: "whose snapshot" },
      { flags: "--to <url>", description: "the database to restore into" },
      { flags: "--to-env <name>", description: "the same, from an environment variable" },
      ...choiceFlags,
      ...restoreFlags,
      { flags: "--list", description: "only list the snapshots that the kit opens in the store" },
    ],
    examples: [
      "recover --store /mnt/backup --kit kit --list",
      "recover --store /mnt/backup --kit kit --snapshot latest --database shop --to-env TARGET_URL",
    ],
    prints: [
      'as restore: {"snapshot","database","rows","bytes","resumed":{"rows","bytes"},"seconds","identical","differences":[…],"damaged":[…],"notes":[…]}',
      'with --list: {"snapshots":[{"snapshot","database","capturedAt","rows"}]}',
    ],
    load: () => import("./commands/recover.ts"),
  },
  {
    name: "retention",
    description: "show what the policies would delete, or run them now",
    args: [{ name: "<action>", description: "plan or run" }],
    options: [{ flags: "--database <name>", description: "with plan: only this database's" }],
    examples: ["retention plan", "retention run --json"],
    prints: [
      'plan: {"plans":[{"database","decisions":[{"snapshot","action","reasons":[…]}],"deletions":[…]}]}',
      'run: {"removed":[…],"objectsDeleted"}',
    ],
    load: () => import("./commands/retention.ts"),
  },
  {
    name: "hold",
    description: "place, list or lift legal holds: nothing that one names is deleted while it stands",
    args: [
      { name: "<action>", description: "place, list or lift" },
      { name: "[id]", description: "with lift: the hold" },
    ],
    options: [
      { flags: "--database <name>", description: "hold this database's snapshots" },
      { flags: "--snapshot <id>", description: "hold this snapshot" },
      { flags: "--reason <text>", description: "why; it is kept in the catalog, not in the log" },
      { flags: "--by <name>", description: "who" },
    ],
    examples: ["hold place --database shop --reason 'case 4711' --by legal", "hold list", "hold lift h-3f2a9c01 --by legal"],
    prints: ['place, lift: {"id","standing"}', 'list: {"holds":[{"id","database","snapshot","reason","by","at"}]}'],
    load: () => import("./commands/hold.ts"),
  },
  {
    name: "sweep",
    description: "run the compliance checks now, and show the report",
    options: [{ flags: "--failures", description: "show only what failed or could not be judged" }],
    examples: ["sweep", "sweep --failures", "sweep --json"],
    prints: ['{"pass","fail","notApplicable","inconclusive","id","reportHash","report","findings":[…]}'],
    load: () => import("./commands/sweep.ts"),
  },
];

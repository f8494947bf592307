import type { CommandSpec } from "../command-spec.ts";

/** What proves, what audits, and what keeps the log's word. */
export const proofSpecs: readonly CommandSpec[] = [
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
    load: () => import("../commands/challenge.ts"),
  },
  {
    name: "proof",
    description:
      "write the proof bundle of a snapshot, or of all that the log has of a database in a period: one file that an outsider can check",
    args: [{ name: "[snapshot]", description: "a snapshot id, or latest with --database" }],
    options: [
      { flags: "--out <file>", description: "the bundle", fallback: "proof.json" },
      { flags: "--trust <file>", description: "also write the trust policy that goes with it (give it to the auditor by another way)" },
      {
        flags: "--since <checkpoint>",
        description:
          "also prove that the log extends this checkpoint of the auditor's: its size, or a file with it or with a bundle that has it",
      },
      {
        flags: "--open-to <recipient>",
        description:
          "also open the snapshot's manifest to this public key, or the file that has it: the auditor's own; needs a recipient's secret key here",
      },
      {
        flags: "--database <name>",
        description: "with latest: whose snapshot; instead of a snapshot: every entry of this database, without a gap",
      },
      { flags: "--from <day>", description: "of a statement: the first day, in UTC" },
      { flags: "--to <day>", description: "of a statement: the last day" },
      { flags: "--tlog <file>", description: "also write the entry's inclusion as a C2SP tlog-proof, for other transparency tools" },
    ],
    examples: [
      "proof 20261124T021500Z-5f3a9c01d2e4 --out bundle.json",
      "proof 20261124T021500Z-5f3a9c01d2e4 --out bundle.json --trust trust.json",
      "proof 20261124T021500Z-5f3a9c01d2e4 --out bundle.json --open-to auditor/recovery.public",
      "proof latest --database shop --out bundle.json",
      "proof --database shop --from 2026-11-01 --to 2026-11-30 --out november.json",
    ],
    prints: [
      '{"snapshot","bundle","bytes","index","anchors","timestamps"}',
      'with --database: {"database","bundle","pages":[…],"bytes","from","to","entries"}',
    ],
    load: () => import("../commands/proof.ts"),
  },
  {
    name: "audit",
    description: "check a proof bundle, a statement of a period, or a proof of misbehavior, offline, trusting nothing but the trust policy",
    config: false,
    args: [
      { name: "<bundle>", description: "the proof bundle" },
      { name: "[pages...]", description: "the other pages of a statement that has several, in order" },
    ],
    options: [
      { flags: "--trust <file>", description: "the trust policy" },
      { flags: "--html <file>", description: "of a statement: also write what was found as a page for people" },
      { flags: "--rpc <url>", description: "ask this node which blocks are final, instead of trusting only those that the policy lists" },
    ],
    examples: [
      "audit bundle.json --trust trust.json",
      "audit bundle.json --trust trust.json --json",
      "audit november.json november.2.json --trust trust.json --html november.html",
    ],
    prints: [
      '{"verified","entry","checkpoint":{"size","root"},"cosignatures":[{"witness","time"}],"anchors":[{"chainId","contract","transaction","block","time","verified"}],"timestamps":[{"time","authority","verified"}],"failures":[{"part","reason"}]}',
    ],
    load: () => import("../commands/audit.ts"),
  },
  {
    name: "audit open",
    description: "check a bundle, and read the manifest in it that was opened to you",
    config: false,
    args: [{ name: "<bundle>", description: "the proof bundle" }],
    options: [
      { flags: "--trust <file>", description: "the trust policy" },
      { flags: "--secret <file>", description: "your secret key, as dbgov keys init makes one" },
      { flags: "--out <file>", description: "also write the whole manifest, as JSON" },
    ],
    examples: ["audit open bundle.json --trust trust.json --secret auditor/recovery.secret"],
    prints: [
      '{"verified","snapshot","database","engine","capturedAt","consistency","streams":[{"name","kind","rows","bytes","sum"}],"failures":[{"part","reason"}]}',
    ],
    load: () => import("../commands/audit-open.ts"),
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
    load: () => import("../commands/audit-compare.ts"),
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
    load: () => import("../commands/audit-serve.ts"),
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
    load: () => import("../commands/audit-query.ts"),
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
    load: () => import("../commands/audit-token.ts"),
  },
  {
    name: "catalog",
    description: "fill an empty catalog from the log, the stores and the recovery kit",
    args: [{ name: "<action>", description: "rebuild" }],
    examples: ["catalog rebuild --config dbgov.yaml"],
    prints: ['{"snapshots","removed","entries","anchors","timestamps","holds":[…],"missing":[{"what","reason"}]}'],
    load: () => import("../commands/catalog.ts"),
  },
  {
    name: "witness",
    description: "cosign other people's logs: a process with a key of its own, which signs a head only when it extends the last one",
    config: false,
    args: [{ name: "<action>", description: "init or run" }],
    options: [
      { flags: "--key <file>", description: "the witness's secret key; init makes it", fallback: "witness.secret" },
      { flags: "--name <name>", description: "the witness's name, as witness.example/w1" },
      {
        flags: "--log <keys>",
        description:
          "with run: the public keys of the logs, as name+id+base64, comma-separated; of a log whose key is being replaced, both",
      },
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
    load: () => import("../commands/witness.ts"),
  },
];

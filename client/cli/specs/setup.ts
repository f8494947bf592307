import type { CommandSpec } from "../command-spec.ts";

/** What sets a site up and keeps it running. */
export const setUpSpecs: readonly CommandSpec[] = [
  {
    name: "demo",
    description: "show everything on an embedded stack: two databases from backup to proof",
    config: false,
    options: [{ flags: "--keep", description: "leave the stack running afterwards" }],
    examples: ["demo", "demo --keep", "demo --json"],
    prints: [
      '{"databases":[…],"checkpoint":{"size","root"},"anchor":{"chainId","contract","transaction","block","finalized"},"proof":{"verified"},"corruption":{"detected"},"drills":[{"database","identical","seconds"}],"sweep":{"pass","fail","notApplicable","inconclusive"},"ui"}',
    ],
    load: () => import("../commands/demo.ts"),
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
    load: () => import("../commands/stack.ts"),
  },
  {
    name: "keys",
    description: "make the keys and the recovery kit, replace a key, or deploy the anchor registry",
    args: [
      { name: "<action>", description: "init, kit, show, rotate, approver or registry" },
      { name: "[key]", description: "with rotate: log or signing" },
    ],
    options: [
      {
        flags: "--to <key>",
        description:
          "with rotate: where the new key is, as the configuration names keys; a file is made (default: a new file beside the old one)",
      },
      { flags: "--overlap <duration>", description: "with rotate: how long the old key counts beside the new one", fallback: "30d" },
      {
        flags: "--compromised <time>",
        description: "with rotate: since when somebody else may have had the old key; what it signed alone later does not count",
      },
      { flags: "--out <folder>", description: "with init and approver: where the keys go", fallback: "keys" },
      { flags: "--name <name>", description: "with approver: the person, as the configuration will name them" },
      { flags: "--rpc <url>", description: "with registry: the chain's RPC" },
      { flags: "--chain-id <number>", description: "with registry: the chain", fallback: "31337" },
      { flags: "--submitter <address>", description: "with registry: the account that may submit (default: the deployer)" },
      { flags: "--key-env <name>", description: "with registry: the environment variable with the deployer's private key" },
    ],
    examples: [
      "keys init --out keys",
      "keys kit",
      "keys show",
      "keys rotate log --overlap 14d",
      "keys rotate signing --compromised 2026-11-20T08:00:00Z",
      "keys rotate signing --to '{ keyVault: { vault: \"https://acme.vault.azure.net\", secret: dbgov-signing } }'",
      "keys approver --name alice --out keys",
      "keys registry --rpc http://127.0.0.1:8545 --key-env DEPLOYER_KEY",
    ],
    prints: [
      'init: {"folder","files":[{"name","what"}]}',
      'kit: {"folder"}',
      'show: {"recipients":[{"name","id"}],"signingKey","logKey","trust"}',
      'rotate: {"purpose","before","after","until","index"}',
      'approver: {"name","publicKey","secret"}',
      'registry: {"chainId","contract","transaction","block","gasUsed"}',
    ],
    load: () => import("../commands/keys.ts"),
  },
  {
    name: "check",
    description: "validate the configuration and probe every connection and permission",
    examples: ["check", "check --config prod.yaml --json"],
    prints: ['{"ok","checks":[{"kind","name","ok","details":[…]}]}'],
    load: () => import("../commands/check.ts"),
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
    load: () => import("../commands/apply.ts"),
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
    load: () => import("../commands/worker.ts"),
  },
];

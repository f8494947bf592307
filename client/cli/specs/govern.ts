import type { CommandSpec } from "../command-spec.ts";

const approverKeyOption = { flags: "--key <file>", description: "the file with your approver's secret, as keys approver made it" };

/** What policies and the law ask for. */
export const governSpecs: readonly CommandSpec[] = [
  {
    name: "retention",
    description: "show what the policies would delete, run them now, take back what is marked to go, or ask for less to be kept",
    args: [
      { name: "<action>", description: "plan, run, undo, shorten or delete" },
      { name: "[snapshot]", description: "with undo: the snapshot that is to stay" },
    ],
    options: [
      { flags: "--database <name>", description: "with plan: only this database's; with shorten and delete: the database" },
      { flags: "--by <name>", description: "with undo: who" },
      { flags: "--reason <text>", description: "with undo, shorten and delete: why" },
      { flags: "--until <time>", description: "with undo: how long it stays at least (default: 30 days)" },
      approverKeyOption,
    ],
    examples: [
      "retention plan",
      "retention run --json",
      "retention undo 20261124T021500Z-5f3a9c01d2e4 --by ops",
      "retention shorten --database shop --key alice.secret --reason 'policy 7 of 2026'",
      "retention delete --database shop --key alice.secret --reason 'contract ended'",
    ],
    prints: [
      'plan: {"plans":[{"database","decisions":[{"snapshot","action","reasons":[…]}],"deletions":[…],"pending":[{"snapshot","dueAt","reason"}],"waiting":[…]}],"sparse":[{"verdict","packs","bytes","deadBytes","neededBytes","until"}]}',
      'run: {"removed":[…],"objectsDeleted","sparse":[…]}',
      'undo: {"snapshot","hold","until"}',
      'shorten, delete: {"approval":{"id","act","expiresAt"}}',
    ],
    load: () => import("../commands/retention.ts"),
  },
  {
    name: "repair",
    description: "have stores prove the copies whose turn it is, replace what is bad, and show how far each store is believed",
    options: [
      { flags: "--store <name>", description: "all copies of this store, and not only those whose turn it is" },
      { flags: "--show", description: "show what is known, and ask nothing" },
    ],
    examples: ["repair", "repair --store azure", "repair --show --json"],
    prints: [
      '{"coverDays","stores":[{"store","trust","copies","packs","covered","overdue","oldest","lost","pass":{"asked","proven","blocks","found","repaired","log":{"asked","found"},"stopped"}}],"findings":[{"store","object","kind","message","foundAt","seenAt","endedAt","outcome","repairedFrom"}],"renewals":[{"store","what","until","fundedUntil","renewable","problem","askedAt","renewedAt"}],"left"}',
    ],
    load: () => import("../commands/repair.ts"),
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
      { flags: "--until <time>", description: "with place: when it ends by itself (default: when somebody lifts it)" },
      approverKeyOption,
    ],
    examples: [
      "hold place --database shop --reason 'case 4711' --by legal",
      "hold place --database shop --reason 'case 4711' --by legal --until 2027-01-31",
      "hold list",
      "hold lift h-3f2a9c01 --by legal",
      "hold lift h-3f2a9c01 --key alice.secret --reason 'case closed'",
    ],
    prints: ['place, lift: {"id","standing"}', 'list: {"holds":[{"id","database","snapshot","reason","by","at","until"}]}'],
    load: () => import("../commands/hold.ts"),
  },
  {
    name: "approve",
    description: "list what waits for a second person, or be that person",
    args: [{ name: "[id]", description: "the request to approve; without it, all that wait are listed" }],
    options: [
      approverKeyOption,
      { flags: "--yes", description: "sign what is shown without being asked: needed where there is no terminal, and with --json" },
      { flags: "--approvers", description: "ask for the configuration's list of approvers to come into force" },
      { flags: "--reason <text>", description: "with --approvers: why" },
    ],
    examples: [
      "approve",
      "approve a-3f2a9c01d2e4 --key bob.secret",
      "approve a-3f2a9c01d2e4 --key bob.secret --yes --json",
      "approve --approvers --key alice.secret --reason 'Carol joins'",
    ],
    prints: ['{"requests":[{"id","act","reason","by","expiresAt","hash"}]} or, with an id, {"id","act","hash","done"}'],
    load: () => import("../commands/approve.ts"),
  },
  {
    name: "sweep",
    description: "run the compliance checks now, and show the report",
    options: [{ flags: "--failures", description: "show only what failed or could not be judged" }],
    examples: ["sweep", "sweep --failures", "sweep --json"],
    prints: ['{"pass","fail","notApplicable","inconclusive","id","reportHash","report","findings":[…]}'],
    load: () => import("../commands/sweep.ts"),
  },
  {
    name: "sweep open",
    description: "read a sweep's sealed report from a store, with a recipient's key and nothing else, and check it against its hash",
    config: false,
    args: [{ name: "<id>", description: "the report, as sweep-20261124T060000Z-3f2a9c01d2e4" }],
    options: [
      { flags: "--store <address>", description: "the store's address, as for recover; an archive's suffices" },
      { flags: "--secret <file>", description: "the secret key of a recipient" },
      { flags: "--out <file>", description: "also write the report, as JSON" },
    ],
    examples: ["sweep open sweep-20261124T060000Z-3f2a9c01d2e4 --store arweave+https://arweave.net/OWNER --secret kit/recovery.secret"],
    prints: ['{"id","at","reportHash","pass","fail","notApplicable","inconclusive","defects":[…]}'],
    load: () => import("../commands/sweep-open.ts"),
  },
];

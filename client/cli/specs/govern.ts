import type { CommandSpec } from "../command-spec.ts";

/** What policies and the law ask for. */
export const governSpecs: readonly CommandSpec[] = [
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
      '{"coverDays","stores":[{"store","trust","copies","packs","covered","overdue","oldest","lost","pass":{"asked","proven","blocks","found","repaired","stopped"}}],"findings":[{"store","object","kind","message","foundAt","seenAt","endedAt","outcome","repairedFrom"}],"renewals":[{"store","what","until","fundedUntil","renewable","problem","askedAt","renewedAt"}],"left"}',
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
    ],
    examples: ["hold place --database shop --reason 'case 4711' --by legal", "hold list", "hold lift h-3f2a9c01 --by legal"],
    prints: ['place, lift: {"id","standing"}', 'list: {"holds":[{"id","database","snapshot","reason","by","at"}]}'],
    load: () => import("../commands/hold.ts"),
  },
  {
    name: "sweep",
    description: "run the compliance checks now, and show the report",
    options: [{ flags: "--failures", description: "show only what failed or could not be judged" }],
    examples: ["sweep", "sweep --failures", "sweep --json"],
    prints: ['{"pass","fail","notApplicable","inconclusive","id","reportHash","report","findings":[…]}'],
    load: () => import("../commands/sweep.ts"),
  },
];

import { choiceFlags } from "../choice-option.ts";
import type { CommandSpec } from "../command-spec.ts";
import { restoreFlags } from "../restore-flags.ts";

/** What brings snapshots back, and compares them. */
export const restoreSpecs: readonly CommandSpec[] = [
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
    load: () => import("../commands/restore.ts"),
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
    load: () => import("../commands/export.ts"),
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
    load: () => import("../commands/diff.ts"),
  },
  {
    name: "drill",
    description: "restore the newest snapshot into a scratch database, compare, measure, and drop it",
    args: [{ name: "<database>", description: "its name in the configuration" }],
    options: [{ flags: "--snapshot <id>", description: "drill this snapshot" }],
    examples: ["drill shop", "drill shop --json"],
    prints: ['{"snapshot","database","identical","rows","bytes","seconds","differences":[…]}'],
    load: () => import("../commands/drill.ts"),
  },
  {
    name: "verify",
    description: "read a snapshot back from its stores, byte by byte, and open it",
    args: [{ name: "<snapshot>", description: "a snapshot id, or latest with --database" }],
    options: [
      { flags: "--database <name>", description: "with latest: whose snapshot" },
      { flags: "--store <name>", description: "only this store" },
      { flags: "--depth <depth>", description: "how much is read", choices: ["sample", "full"], fallback: "full" },
    ],
    examples: [
      "verify 20261124T021500Z-5f3a9c01d2e4",
      "verify latest --database shop --depth sample",
      "verify 20261124T021500Z-5f3a9c01d2e4 --store azure --json",
    ],
    prints: [
      '{"snapshot","verified","objects","bytes","problems":[]}',
      'when something is bad: {"snapshot","verified","problems":[{"store","object","type","message"}],"repairs":[{"store","object","from"}]}',
    ],
    load: () => import("../commands/verify.ts"),
  },
];

import { choiceFlags } from "../choice-option.ts";
import type { CommandSpec } from "../command-spec.ts";
import { restoreFlags } from "../restore-flags.ts";

/** What works when all else is lost. */
export const recoverSpecs: readonly CommandSpec[] = [
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
      {
        flags: "--rehydrate",
        description: "only have the store bring back what the snapshot needs from its archive tier, and say how far that is",
      },
      { flags: "--priority <priority>", description: "with --rehydrate: how fast", choices: ["standard", "high"], fallback: "standard" },
      { flags: "--list", description: "only list the snapshots that the kit opens in the store" },
    ],
    examples: [
      "recover --store /mnt/backup --kit kit --list",
      "recover --store /mnt/backup --kit kit --snapshot latest --database shop --to-env TARGET_URL",
    ],
    prints: [
      'as restore: {"snapshot","database","rows","bytes","resumed":{"rows","bytes"},"seconds","identical","differences":[…],"damaged":[…],"notes":[…]}',
      'with --rehydrate: {"snapshot","done","packs","online"}',
      'with --list: {"snapshots":[{"snapshot","database","capturedAt","rows"}]}',
    ],
    load: () => import("../commands/recover.ts"),
  },
];

import type { CommandSpec } from "../command-spec.ts";

/** What makes snapshots, and tells of them. */
export const backupSpecs: readonly CommandSpec[] = [
  {
    name: "backup",
    description: "back up one database now, and watch it",
    args: [{ name: "<database>", description: "its name in the configuration" }],
    options: [{ flags: "--full", description: "read everything, also what the database calls unchanged since the last snapshot" }],
    examples: ["backup shop", "backup shop --full", "backup shop --json"],
    prints: [
      '{"snapshot","database","state","degraded","rows","bytes":{"read","new","stored"},"seconds","replicas":[{"store","packs","verified"}],"logIndex"}',
    ],
    load: () => import("../commands/backup.ts"),
  },
  {
    name: "status",
    description: "each database at a glance: last snapshot, age against the objective, replicas, drill, next run",
    examples: ["status", "status --json"],
    prints: [
      '{"at","orchestrator","databases":[{"database","engine","policy","snapshot","state","ageMs","objectiveMs","objectiveMet","copies","copiesWanted","lastDrill":{"at","identical","seconds"},"lastFailure","nextRun"}]}',
    ],
    load: () => import("../commands/status.ts"),
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
    load: () => import("../commands/snapshots.ts"),
  },
];

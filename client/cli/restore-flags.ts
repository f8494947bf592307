/** Flags that `restore` and `recover` share. */
export const restoreFlags = [
  { flags: "--replace", description: "drop what the target holds first; with --only, just what was chosen" },
  { flags: "--resume", description: "go on with this same restore, which was killed or failed" },
  { flags: "--dry-run", description: "say what would be done, how long it would take, and what stands against it; write nothing" },
  { flags: "--tablespace <map>", description: "PostgreSQL: OLD=NEW,…: put what was in the tablespace OLD into NEW of the target" },
  { flags: "--no-roles", description: "PostgreSQL: create no roles; owners and grants that name roles the target lacks are left out" },
] as const;

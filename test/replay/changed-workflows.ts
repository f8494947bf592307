import { sleep } from "@temporalio/workflow";
import type { BackupInput, BackupResult } from "../../core/domain/run.ts";
import { backup as asItIs } from "../../workflows/backup.ts";

export * from "../../workflows/index.ts";

/** A change that runs under way would not survive: replaying must tell. */
export async function backup(input: BackupInput): Promise<BackupResult> {
  await sleep(1_000);
  return await asItIs(input);
}

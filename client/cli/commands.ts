import type { CommandSpec } from "./command-spec.ts";
import { backupSpecs } from "./specs/backup.ts";
import { governSpecs } from "./specs/govern.ts";
import { proofSpecs } from "./specs/proof.ts";
import { recoverSpecs } from "./specs/recover.ts";
import { restoreSpecs } from "./specs/restore.ts";
import { setUpSpecs } from "./specs/setup.ts";
import { storesSpecs } from "./specs/stores.ts";

/** Every command, in the order in which a newcomer meets them. `docs/cli.md` is generated from this list. */
export const commandSpecs: readonly CommandSpec[] = [
  ...setUpSpecs,
  ...backupSpecs,
  ...storesSpecs,
  ...restoreSpecs,
  ...proofSpecs,
  ...recoverSpecs,
  ...governSpecs,
];

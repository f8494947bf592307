import pg from "pg";
import { Failure } from "../../core/domain/failure.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { formatBytes } from "../cli/terminal.ts";
import type { DemoContext } from "./run-demo.ts";

/** Changes one row, and backs the database up again: what it calls unchanged is taken over unread. */
export const showSecondNight = async ({ stage, site, dbgov }: DemoContext, first: BackupResult): Promise<void> =>
  await stage.step("The second night: one row has changed", async (progress) => {
    await changeOneRow(await site.databaseUrl(first.database));
    progress.update("backing up again");
    const { stdout, code } = await dbgov("backup", first.database, "--json");
    progress.end();
    if (code !== 0) throw new Failure("Unexpected", `the second backup of ${first.database} failed: ${stdout}`);
    const second = JSON.parse(stdout) as BackupResult;
    stage.done(
      `${first.database}: ${formatBytes(second.bytes.read)} of ${formatBytes(first.bytes.read)} left the database; the other ranges are taken over unread`,
    );
    stage.tell(
      `  ${formatBytes(second.bytes.new)} of it new to the repository, ${formatBytes(second.bytes.stored)} stored, ${second.seconds.toFixed(1)} s`,
    );
  });

const changeOneRow = async (url: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("UPDATE region SET r_comment = 'changed' WHERE r_regionkey = 0");
  } finally {
    await client.end();
  }
};

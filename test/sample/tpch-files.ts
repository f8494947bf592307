import { join } from "node:path";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { withTemporaryFolder } from "../stack/setup/cache.ts";
import { runCommand } from "../stack/setup/run-command.ts";

/** TPC-H's tables, the one with the most rows first. */
export const tpchTables = ["lineitem", "orders", "partsupp", "part", "customer", "supplier", "nation", "region"] as const;
export type TpchTable = (typeof tpchTables)[number];

/**
 * Makes TPC-H's tables as CSV files with a header line, for the length of `work`; always the same for the same scale (1 is
 * about 8.7 million rows). One run of the generator for all of them, since it takes most of a second to start.
 */
export const withTpchFiles = async <T>(
  scale: number,
  tables: readonly TpchTable[],
  work: (fileOf: (table: TpchTable) => string) => Promise<T>,
): Promise<T> => {
  const command = await findProgram("tpch", progressToStderr);
  return withTemporaryFolder(async (folder) => {
    const args = ["csv", "--scale-factor", String(scale), "--tables", tables.join(","), "--output-dir", folder, "--quiet"];
    await runCommand({ component: "tpch", doing: `generating TPC-H of scale ${scale}`, command, args, growing: folder }, progressToStderr);
    return work((table) => join(folder, `${table}.csv`));
  });
};

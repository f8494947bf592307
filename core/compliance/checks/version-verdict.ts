import { fail, inconclusive, type Json, pass, type Verdict } from "../finding.ts";
import type { SupportTable } from "../support-dates.ts";

const dayMs = 86_400_000;

/** Whether the maker still supports `version` (as "17" or "8.0") at `now`, and how long. */
export const versionVerdict = (product: string, version: string, table: SupportTable, now: Date, read: Json): Verdict => {
  const lastDay = table.lastDay[version];
  const evidence = { read, version, lastDayOfSupport: lastDay ?? null, source: table.source, tableAsOf: table.asOf };
  if (lastDay === undefined) {
    return inconclusive(`${product} ${version} is not in the table of supported versions of ${table.asOf}.`, evidence);
  }
  if (lastDay === null) return inconclusive(`The maker has not said how long ${product} ${version} is supported.`, evidence);
  const daysLeft = Math.floor((Date.parse(`${lastDay}T23:59:59Z`) - now.getTime()) / dayMs);
  return daysLeft < 0
    ? fail(`${product} ${version} has had no security fixes since ${lastDay}.`, evidence)
    : pass(`${product} ${version} is supported until ${lastDay}.`, evidence);
};

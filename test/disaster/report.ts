import { bad, formatBytes, good, table } from "../../client/cli/terminal.ts";

export interface Recovered {
  readonly database: string;
  readonly identical: boolean;
  /** From the start of the command to its end, with reading back and comparing. */
  readonly seconds: number;
  readonly bytes: number;
}

export interface RecoveredStore {
  readonly store: string;
  /** What the command takes to start and to find the snapshots: it does not grow with a database. */
  readonly startSeconds: number;
  readonly databases: readonly Recovered[];
}

const objectiveSeconds = 3_600;

/** How much of this kind comes back within an hour, at the rate that was measured. */
const withinObjective = ({ bytes, seconds }: Recovered, startSeconds: number): string =>
  formatBytes((bytes / Math.max(seconds - startSeconds, seconds / 10)) * (objectiveSeconds - startSeconds));

const rowsOf = (results: readonly RecoveredStore[], yes: string, no: string): string[][] =>
  results.flatMap(({ store, startSeconds, databases }) =>
    databases.map((recovered) => [
      store,
      recovered.database,
      recovered.identical ? yes : no,
      formatBytes(recovered.bytes),
      `${recovered.seconds.toFixed(1)} s`,
      recovered.identical ? withinObjective(recovered, startSeconds) : "",
    ]),
  );

const head = ["store that is left", "database", "restored", "size", "time", "one hour restores"];

export const disasterTable = (results: readonly RecoveredStore[]): string => table(head, rowsOf(results, good("identical"), bad("NO")));

/** `docs/disaster.md`. */
export const disasterPage = (results: readonly RecoveredStore[], machine: string, date: string): string => `# When only one store is left

<!-- Written by \`npm run drill:disaster -- --write\`. Do not edit. -->

\`npm run drill:disaster\` backs up one database of each engine to four stores, on real servers. Then it loses the databases, the catalog, Temporal, the configuration with all its keys,
and every store but one, and restores each database from that store and the [recovery kit](operations.md) alone; for each store in turn. What came back is read again and compared.

On ${date}, on ${machine}, servers and stores all on it. Times are from the start of the command to its end. The last column is what the one-hour objective leaves room for at the rate that was
measured; where a database is small, that rate is mostly fixed costs, and the true one is higher.

| ${head.join(" | ")} |
| --- | --- | --- | ---: | ---: | ---: |
${rowsOf(results, "identical", "**no**")
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}
`;

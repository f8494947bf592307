import { bad, formatBytes, good, table } from "../../client/cli/terminal.ts";

export interface Recovered {
  readonly database: string;
  /** Both dbgov and a reading that is none of dbgov's say so. */
  readonly identical: boolean;
  /** From the start of the command to its end, with reading back and comparing. */
  readonly seconds: number;
  readonly bytes: number;
}

export interface RecoveredStore {
  readonly store: string;
  /** What answers for the network here, and whether that is a simulator. */
  readonly stand: string;
  readonly simulated: boolean;
  /** What the command takes to start and to find the snapshots: it does not grow with a database. */
  readonly startSeconds: number;
  readonly databases: readonly Recovered[];
}

/** A store that keeps manifests alone. */
export interface ArchiveLook {
  readonly store: string;
  readonly stand?: string;
  /** Of so many of the databases the newest snapshot was opened. */
  readonly told: number;
  readonly databases: number;
  /** To restore from it failed, and left the target as it was. */
  readonly refused: boolean;
  /** What was said then. */
  readonly message: string;
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

const archiveLine = ({ store, told, databases, refused }: ArchiveLook): string =>
  `${store} has manifests only: ${told} of ${databases} databases' snapshots were opened, and restoring ${refused ? "was refused, with the target left as it was" : "WAS NOT REFUSED"}`;

export const disasterTable = (results: readonly RecoveredStore[], look?: ArchiveLook): string =>
  [
    table(head, rowsOf(results, good("identical"), bad("NO"))),
    ...results.filter(({ simulated }) => simulated).map(({ store, stand }) => `${store} is ${stand}`),
    ...(look === undefined ? [] : [archiveLine(look)]),
  ].join("\n");

const standOf = ({ store, stand, simulated }: RecoveredStore): string =>
  `| ${store} | ${simulated ? "**simulated**" : "real"} | ${stand} |`;

/** `docs/disaster.md`. */
export const disasterPage = (
  results: readonly RecoveredStore[],
  look: ArchiveLook,
  machine: string,
  date: string,
): string => `# When only one store is left

<!-- Written by \`npm run drill:disaster -- --write\`. Do not edit. -->

\`npm run drill:disaster\` backs up one database of each engine to a store of every kind. Then it loses the databases, the catalog, Temporal, the configuration with all its keys,
and every store but one, and restores each database from that store and the [recovery kit](operations.md), whose keyring has the envelopes, alone; for each store in turn.

*Identical* is what two say is: dbgov, which reads back what it restored, and a reading of source and copy that is none of dbgov's: the lines of \`pg_dump\`'s text, every document
of MongoDB with the collections and indexes, value and expiry of every key of Redis, every item of Cosmos DB.

On ${date}, on ${machine}, servers and stores all on it, so that no network is in the times. They are from the start of the command to its end. The last column is what the
one-hour objective leaves room for at the rate that was measured; where a database is small, that rate is mostly fixed costs, and the true one is higher.

| ${head.join(" | ")} |
| --- | --- | --- | ---: | ---: | ---: |
${rowsOf(results, "identical", "**no**")
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}

What answered for each store:

| store | | what it was |
| --- | --- | --- |
${results.map(standOf).join("\n")}
| ${look.store} | real | ${look.stand ?? ""} |

**${look.store}** restores nothing by itself: it takes the small permanent things only. With it and the kit alone the newest snapshots of ${look.told} of ${look.databases} databases were
opened (\`dbgov recover --list\`), which says what there was; restoring ${look.refused ? "was refused, and left the target as it was" : "**was not refused**"}.
`;

import { readFileSync, writeFileSync } from "node:fs";
import { arweaveCapabilities } from "./arweave.ts";
import { azureBlobCapabilities } from "./azure-blob.ts";
import { directoryCapabilities } from "./directory.ts";
import { filecoinCapabilities } from "./filecoin.ts";
import { ipfsCapabilities } from "./ipfs.ts";
import { s3Capabilities } from "./s3.ts";
import { siaCapabilities } from "./sia.ts";
import { type StoreCapabilities, type StoreKind, storeKinds } from "./store.ts";
import { storjCapabilities } from "./storj.ts";

/** What each kind of store can do, as the stores themselves say. */
export const capabilitiesOf: Readonly<Record<StoreKind, StoreCapabilities>> = {
  directory: directoryCapabilities,
  "azure-blob": azureBlobCapabilities,
  s3: s3Capabilities,
  storj: storjCapabilities,
  sia: siaCapabilities,
  ipfs: ipfsCapabilities,
  filecoin: filecoinCapabilities,
  arweave: arweaveCapabilities,
};

const size = (bytes: number): string => {
  if (bytes === Number.MAX_SAFE_INTEGER) return "no limit of ours";
  return bytes >= 1 << 30 ? `${Math.floor(bytes / (1 << 30))} GiB` : `${bytes / (1 << 20)} MiB`;
};

const deletion = {
  real: "real: the bytes are gone",
  unpin: "unpin: this operator no longer keeps them, others may",
  impossible: "impossible: they stay for good",
} as const;

const start = "<!-- capabilities: written by core/stores/capability-table.ts -->";
const end = "<!-- end of capabilities -->";

const immutability = {
  none: "none",
  object: "an object, until a date",
  version: "one version of an object, until a date",
  everything: "everything, for good",
} as const;

type Column = readonly [title: string, cell: (can: StoreCapabilities) => string];

/** What an object can be, and what can be done with it. */
const objectColumns: readonly Column[] = [
  ["largest object", (can) => size(can.largestObject)],
  ["ranged reads", (can) => (can.rangedReads ? "yes" : "no: the whole is fetched")],
  ["listing", (can) => (can.listing === "lexicographic" ? "in the order of keys" : "in no order")],
  ["conditional writes", (can) => (can.conditionalWrites ? "yes" : "no")],
  ["who can read the sealed bytes", (can) => (can.public ? "anybody who knows the address" : "who holds the credentials")],
];

/** How long it stays, and how that is known. */
const stayColumns: readonly Column[] = [
  ["durable when", (can) => can.durableWhen],
  ["presence is proven by", (can) => can.presence],
  ["deletion", (can) => deletion[can.deletion]],
  ["immutability", (can) => immutability[can.immutability]],
  ["minimum duration", (can) => (can.minimumDays === 0 ? "none" : `${can.minimumDays} days`)],
  ["offline tier", (can) => can.offlineTier ?? "none"],
  ["expires", (can) => (can.expires === "never" ? "never" : "unless it is renewed")],
];

const tableOf = (columns: readonly Column[]): string =>
  [
    `| kind | ${columns.map(([title]) => title).join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    ...storeKinds.map((kind) => `| \`${kind}\` | ${columns.map(([, cell]) => cell(capabilitiesOf[kind])).join(" | ")} |`),
  ].join("\n");

const table = (): string => `${tableOf(objectColumns)}\n\n${tableOf(stayColumns)}`;

/** `page` with its capability table as the code has it now. */
export const withCapabilityTable = (page: string): string => {
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error("the page has no place for the capability table");
  return `${page.slice(0, from)}${start}\n${table()}\n${page.slice(to)}`;
};

if (import.meta.main) {
  const path = new URL("../../docs/stores.md", import.meta.url);
  writeFileSync(path, withCapabilityTable(readFileSync(path, "utf8")));
}

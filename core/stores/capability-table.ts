import { readFileSync, writeFileSync } from "node:fs";
import { arweaveCapabilities } from "./arweave.ts";
import { azureBlobCapabilities } from "./azure-blob.ts";
import { directoryCapabilities } from "./directory.ts";
import { ipfsCapabilities } from "./ipfs.ts";
import { s3Capabilities } from "./s3.ts";
import { type StoreCapabilities, type StoreKind, storeKinds } from "./store.ts";

/** What each kind of store can do, as the stores themselves say. */
export const capabilitiesOf: Readonly<Record<StoreKind, StoreCapabilities>> = {
  directory: directoryCapabilities,
  "azure-blob": azureBlobCapabilities,
  s3: s3Capabilities,
  ipfs: ipfsCapabilities,
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

const table = (): string =>
  [
    "| kind | largest object | ranged reads | deletion | who can read the sealed bytes |",
    "| --- | --- | --- | --- | --- |",
    ...storeKinds.map((kind) => {
      const can = capabilitiesOf[kind];
      const readers = can.public ? "anybody who knows the address" : "who holds the credentials";
      return `| \`${kind}\` | ${size(can.largestObject)} | ${can.rangedReads ? "yes" : "no: the whole is fetched"} | ${deletion[can.deletion]} | ${readers} |`;
    }),
  ].join("\n");

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

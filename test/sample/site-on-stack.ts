import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Arweave from "arweave";
import { stringify } from "yaml";
import type { EngineName } from "../../core/domain/snapshot.ts";
import { addressOfKey, deployRegistry } from "../../core/ledger/evm.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import type { StackAddresses } from "../stack/components.ts";
import { createSampleDatabase } from "./postgres-database.ts";

/** A whole `dbgov.yaml` on the embedded stack, with keys, a registry, and folders of its own. */
export interface SampleSite {
  readonly folder: string;
  readonly config: string;
  readonly contract: string;
  /** Every secret that the configuration names by an environment variable. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface SampleOptions {
  readonly folder: string;
  readonly stack: Pick<StackAddresses, "temporal" | "postgres" | "azurite" | "ipfs" | "anvil" | "arlocal">;
  readonly namespace?: string;
  /** By their names in the configuration. */
  readonly databases: readonly { readonly name: string; readonly engine: EngineName; readonly url: string }[];
  /** Merged over the sample's own: what a test wants to be different. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly organization?: string;
}

/** Writes the site into `folder`: keys, secrets in files, the configuration. Deploys a registry and makes the catalog's database. */
export const createSampleSite = async (options: SampleOptions): Promise<SampleSite> => {
  const { folder, stack, databases, organization = "acme" } = options;
  await mkdir(folder, { recursive: true });
  await createKeys(join(folder, "keys"));
  const [deployer, submitter] = stack.anvil.keys as [string, string];
  const { contract } = await deployRegistry({ ...stack.anvil, key: deployer, submitter: addressOfKey(submitter) });
  const catalog = await createSampleDatabase(stack.postgres.url, `${organization.replaceAll("-", "_")}_catalog`);
  const environment: Record<string, string> = {
    DBGOV_CATALOG_URL: catalog,
    DBGOV_AZURE: stack.azurite.connectionString,
    DBGOV_RPC: stack.anvil.rpc,
    DBGOV_SUBMITTER_KEY: submitter,
    DBGOV_PG_BIN: stack.postgres.bin,
  };
  for (const { name, url } of databases) environment[`${name.toUpperCase().replaceAll("-", "_")}_URL`] = url;
  await writeFile(join(folder, "keys", "arweave.json"), JSON.stringify(await fundedWallet(stack.arlocal.url)), { mode: 0o600 });
  const config = join(folder, "dbgov.yaml");
  await writeFile(config, stringify(sampleConfig(options, organization, contract)));
  return { folder, config, contract, environment };
};

const sampleConfig = (options: SampleOptions, organization: string, contract: string) => ({
  organization,
  temporal: { address: options.stack.temporal.address, namespace: options.namespace ?? "default", ui: options.stack.temporal.ui },
  catalog: { env: "DBGOV_CATALOG_URL" },
  keys: {
    dedupSecret: { file: "keys/dedup.secret" },
    indexKey: { file: "keys/index.secret" },
    signingKey: { file: "keys/signing.secret" },
    logKey: { file: "keys/log.secret" },
  },
  recipients: [{ name: "recovery", publicKey: "keys/recovery.public", secretKey: { file: "keys/recovery.secret" } }],
  recoveryKit: "recovery-kit",
  databases: options.databases.map(({ name, engine }) => ({
    name,
    engine,
    url: { env: `${name.toUpperCase().replaceAll("-", "_")}_URL` },
    policy: "nightly",
  })),
  stores: [
    { name: "local", kind: "directory", domain: "this-machine", path: "store" },
    { name: "azure", kind: "azure-blob", domain: "azure", connection: { env: "DBGOV_AZURE" }, container: `${organization}-backups` },
    {
      name: "ipfs",
      kind: "ipfs",
      domain: "ipfs",
      folder: `/dbgov/${organization}`,
      peers: options.stack.ipfs.map(({ name, api }) => ({ name, api })),
    },
    {
      name: "arweave",
      kind: "arweave",
      domain: "arweave",
      gateway: options.stack.arlocal.url,
      wallet: { file: "keys/arweave.json" },
      maxWinston: "1000000000000",
    },
  ],
  policies: [
    {
      name: "nightly",
      schedule: { cron: "15 2 * * *", timeZone: "Europe/Berlin", jitter: "10m", catchUp: "12h" },
      landing: "local",
      stores: ["azure", "ipfs"],
      archive: ["arweave"],
      copies: 3,
      domains: 3,
      patience: "2m",
      retention: { last: 7, daily: 7, weekly: 5, monthly: 12, yearly: 7, minimumAge: "1d" },
      drill: { every: "7d" },
      objectives: { recoveryPoint: "26h", recoveryTime: "1h" },
      ...options.policy,
    },
  ],
  log: { origin: `${organization}.example/dbgov`, store: "local" },
  anchors: [
    {
      kind: "evm",
      name: "chain",
      rpc: { env: "DBGOV_RPC" },
      chainId: options.stack.anvil.chainId,
      contract,
      submitterKey: { env: "DBGOV_SUBMITTER_KEY" },
      every: "2s",
    },
  ],
});

const fundedWallet = async (gateway: string): Promise<unknown> => {
  const { hostname, port, protocol } = new URL(gateway);
  const arweave = Arweave.init({ host: hostname, port: Number(port), protocol: protocol.replace(":", "") });
  const wallet = await arweave.wallets.generate();
  const address = await arweave.wallets.jwkToAddress(wallet);
  await fetch(`${gateway}/mint/${address}/100000000000000`);
  return wallet;
};

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { StoreConfig } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { openArweaveStore } from "./arweave.ts";
import { parseWallet } from "./arweave-wallet.ts";
import { openAzureBlobStore } from "./azure-blob.ts";
import { containerAddress, containerClient } from "./azure-connection.ts";
import { openDirectoryStore } from "./directory.ts";
import { openFilecoinStore } from "./filecoin.ts";
import { filecoinAddress, parseFilecoinAddress } from "./filecoin-address.ts";
import { defaultIpfsFolder, openIpfsStore } from "./ipfs.ts";
import { openS3Store } from "./s3.ts";
import { defaultRegion, parseS3Address, s3Address } from "./s3-connection.ts";
import type { Store, StoreOptions } from "./store.ts";

/**
 * The store's address for the recovery kit: short, printable, without any secret. `openStoreByUrl` takes it.
 * Throws `ConfigurationInvalid` as opening the store would. Does no I/O.
 */
export const addressOf = (config: StoreConfig): string => {
  switch (config.kind) {
    case "directory":
      return config.path;
    case "azure-blob":
      return containerAddress(containerClient(config.name, config.connection, config.container, config.identity));
    case "s3":
      return s3Address(config);
    // Who recovers needs no more than the protocol.
    case "storj":
    case "sia":
      return s3Address({ ...config, region: defaultRegion });
    case "ipfs":
      return config.peers.map(({ api }) => `ipfs+${new URL(api).origin}${config.folder}`).join(",");
    case "filecoin":
      return filecoinAddress(config);
    case "arweave":
      return `arweave+${new URL(config.gateway).origin}/${parseWallet(config.name, config.wallet).address}`;
  }
};

/** The variables that `openStoreByUrl` reads; each is needed only where the address's store asks for it. */
export const storeSecretVariables = {
  AZURE_STORAGE_CONNECTION_STRING: "connection string of the account, for a container URL without a SAS",
  AZURE_STORAGE_SAS_TOKEN: "SAS for a container URL that has none",
  AWS_ACCESS_KEY_ID: "access key for an `s3:` address",
  AWS_SECRET_ACCESS_KEY: "the access key's secret",
  AWS_SESSION_TOKEN: "the token that temporary access keys come with",
  DBGOV_IPFS_TOKEN: "bearer token of the peers' RPC API",
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

const invalid = (why: string): Failure => new Failure("UsageInvalid", `the store's address ${why}`);

/**
 * The store at an address that a person types: `/path`, `file:///path`, a container URL (with a SAS, or with the secret in
 * `env`), `s3://bucket/prefix?region=…&endpoint=…` with the keys in `env`, `ipfs+http://host:5001[/folder]` (several with commas between), `arweave+https://gateway/OWNER`,
 * `filecoin://mainnet/OWNER/DATASET[?rpc=URL]`.
 * It is for reading what exists: nothing is created, and a place that does not exist is an error.
 * Throws `UsageInvalid` for what is none of these, `SecretMissing` when a secret is needed. Does no I/O.
 */
export const openStoreByUrl = (address: string, env: Environment, options: StoreOptions = {}): Store => {
  const found = { ...options, create: false };
  if (address.startsWith("ipfs+")) return openIpfs(address, env, found);
  if (address.startsWith("filecoin:")) return openFilecoin(address, found);
  if (address.startsWith("arweave+")) return openArweave(address, found);
  if (address.startsWith("s3:")) return openS3(address, env, found);
  if (/^https?:/.test(address)) return openAzure(address, env, found);
  if (address.startsWith("file:")) {
    try {
      return openDirectory(fileURLToPath(address), found);
    } catch {
      throw invalid("is not a file URL of this machine, as file:///path");
    }
  }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address)?.[1];
  if (scheme !== undefined)
    throw invalid(`begins with ${scheme}:, which is none of file:, https:, s3:, ipfs+http:, filecoin:, arweave+https:`);
  if (address === "") throw invalid("is empty");
  return openDirectory(resolve(address), found);
};

const openDirectory = (path: string, options: StoreOptions): Store =>
  openDirectoryStore({ kind: "directory", name: "store", domain: "store", path }, options);

const openAzure = (address: string, env: Environment, options: StoreOptions): Store => {
  const url = URL.parse(address);
  const container = url?.pathname.split("/").filter(Boolean).at(-1);
  if (url === null || container === undefined) throw invalid("names no container, as https://ACCOUNT.blob.core.windows.net/CONTAINER");
  const sas = env.AZURE_STORAGE_SAS_TOKEN;
  if (url.search === "" && sas) url.search = sas;
  const connection = url.search === "" ? env.AZURE_STORAGE_CONNECTION_STRING : url.href;
  if (!connection) {
    const what = `${url.origin}${url.pathname} needs a SAS in its URL, or AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS_TOKEN`;
    throw new Failure("SecretMissing", what);
  }
  const plain = `${url.origin}${url.pathname.replace(/\/$/, "")}`;
  // A connection string names an account too: a copy of another account's container must not be taken for this one.
  if (containerAddress(containerClient("store", connection, container)) !== plain) {
    throw invalid(`is ${plain}, and AZURE_STORAGE_CONNECTION_STRING is that of another account`);
  }
  return openAzureBlobStore({ kind: "azure-blob", name: "store", domain: "store", connection, container }, options);
};

const openS3 = (address: string, env: Environment, options: StoreOptions): Store => {
  const place = parseS3Address(address);
  if (place === undefined) throw invalid("is not of the form s3://BUCKET/PREFIX?region=REGION&endpoint=https://HOST");
  const [accessKeyId, secretAccessKey] = [env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY];
  if (!accessKeyId || !secretAccessKey) {
    throw new Failure("SecretMissing", `s3://${place.bucket} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  }
  const sessionToken = env.AWS_SESSION_TOKEN ? { sessionToken: env.AWS_SESSION_TOKEN } : {};
  return openS3Store({ name: "store", domain: "store", ...place, accessKeyId, secretAccessKey, ...sessionToken }, options);
};

const openIpfs = (address: string, env: Environment, options: StoreOptions): Store => {
  const urls = address.split(",").map((part) => URL.parse(part.trim().replace(/^ipfs\+/, "")));
  if (urls.some((url) => url === null || !/^https?:$/.test(url.protocol))) throw invalid("is not of the form ipfs+http://HOST:5001");
  const [first] = urls;
  const folder = first!.pathname === "/" ? defaultIpfsFolder : decodeURIComponent(first!.pathname).replace(/\/$/, "");
  const token = env.DBGOV_IPFS_TOKEN;
  const peers = urls.map((url, index) => ({ name: `peer-${index + 1}`, api: url!.href, ...(token ? { token } : {}) }));
  return openIpfsStore({ kind: "ipfs", name: "store", domain: "store", peers, folder }, options);
};

const openFilecoin = (address: string, options: StoreOptions): Store => {
  const place = parseFilecoinAddress(address);
  if (place === undefined) {
    throw invalid(
      "is not of the form filecoin://mainnet/OWNER/DATASET, with the wallet's address as OWNER; a devnet's names its rpc and all contracts behind a ?",
    );
  }
  // One copy suffices for reading.
  return openFilecoinStore({ kind: "filecoin", name: "store", domain: "store", ...place, copies: 1, maxDeposit: "0" }, options);
};

const openArweave = (address: string, options: StoreOptions): Store => {
  const url = URL.parse(address.replace(/^arweave\+/, ""));
  const owner = url?.pathname.slice(1) ?? "";
  if (url === null || !/^https?:$/.test(url.protocol) || !/^[\w-]{43}$/.test(owner)) {
    throw invalid("is not of the form arweave+https://GATEWAY/OWNER, with the wallet's address as OWNER");
  }
  return openArweaveStore(
    { kind: "arweave", name: "store", domain: "store", gateway: url.origin, otherGateways: [], confirmations: 1, owner, maxWinston: "0" },
    options,
  );
};

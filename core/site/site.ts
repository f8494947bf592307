import { createHmac } from "node:crypto";
import { type Catalog, closeCatalog, openCatalog } from "../catalog/catalog.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type {
  AnchorConfig,
  AuthorityConfig,
  DatabaseConfig,
  PolicyConfig,
  Resolved,
  SecretRef,
  SigningKeyRef,
  StoreConfig,
} from "../config/schema.ts";
import { readSecret, resolveSecrets } from "../config/secrets.ts";
import { Failure } from "../domain/failure.ts";
import type { LogSigner } from "../ledger/checkpoint.ts";
import { parseRecipient, parseRecipientSecret, type Recipient, type RecipientSecret, type RepositoryKeys } from "../repository/keys.ts";
import { type Signer, signerFromSeed } from "../repository/signing.ts";
import type { SigningKey } from "../repository/signing-keys.ts";
import type { Store } from "../stores/store.ts";
import { openStore } from "../stores/stores.ts";
import { readKeyFile } from "./key-file.ts";
import { signerByProgram } from "./program-signer.ts";
import { nameSecretOf, retiredLogKeys, retiredSigningKeys } from "./retired-keys.ts";

/**
 * One configuration at work: names become databases, stores and keys. Secrets are read, and connections opened, only
 * when somebody asks for them, so that a process needs no more secrets than its work does.
 */
export interface Site {
  readonly loaded: LoadedConfig;
  database(name: string): DatabaseConfig;
  policyOf(database: string): PolicyConfig;
  anchor(name: string): AnchorConfig;
  authority(name: string): AuthorityConfig;
  secret(ref: SecretRef): Promise<string>;
  databaseUrl(name: string): Promise<string>;
  storeConfig(name: string): Promise<StoreConfig>;
  /** Opened once, and kept. */
  store(name: string): Promise<Store>;
  catalogUrl(): Promise<string>;
  catalog(): Promise<Catalog>;
  repositoryKeys(): Promise<RepositoryKeys>;
  recipients(): Promise<Recipient[]>;
  /** Of the first recipient whose secret key the configuration names. */
  recipientSecret(): Promise<{ name: string; text: string; secret: RecipientSecret }>;
  signer(): Promise<Signer>;
  /** All public keys that may have signed manifests, the present one first. */
  signingKeys(): Promise<SigningKey[]>;
  /** The log's key, with those before it; in an overlap they sign, too. */
  logSigner(): Promise<Signer & LogSigner>;
  /** With a database's salt and name anybody can tell its entries in the log; without it nobody can. 64 hex digits. */
  logNameSalt(database: string): Promise<string>;
  close(): Promise<void>;
}

export const openSite = (loaded: LoadedConfig): Site => {
  const { config, folder } = loaded;
  const opened = new Map<string, Promise<unknown>>();
  /** Made once; a failure is not kept, so that the next call tries again. */
  const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const kept = opened.get(key) as Promise<T> | undefined;
    if (kept !== undefined) return kept;
    const made = make();
    opened.set(key, made);
    made.catch(() => opened.delete(key));
    return made;
  };
  const named = <T extends { readonly name: string }>(what: string, list: readonly T[], name: string): T => {
    const found = list.find((item) => item.name === name);
    if (found !== undefined) return found;
    const known = list.map((item) => item.name).join(", ");
    throw new Failure("NameUnknown", `${loaded.path} declares no ${what} "${name}"; it has: ${known || "none"}`);
  };
  const secret = (ref: SecretRef): Promise<string> => readSecret(ref, folder);
  const key32 = async (ref: SecretRef, what: string): Promise<Uint8Array> => {
    const text = (await secret(ref)).trim();
    if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new Failure("ConfigurationInvalid", `keys.${what} must be 64 hex digits (32 bytes)`);
    return new Uint8Array(Buffer.from(text, "hex"));
  };
  const signerOf = async (ref: SigningKeyRef): Promise<Signer> =>
    "command" in ref ? signerByProgram(ref, folder) : signerFromSeed(await secret(ref));

  const site: Site = {
    loaded,
    database: (name) => named("database", config.databases, name),
    policyOf: (database) => named("policy", config.policies, site.database(database).policy),
    anchor: (name) => named("anchor", config.anchors, name),
    authority: (name) => named("time-stamping authority", config.timestampAuthorities, name),
    secret,
    databaseUrl: (name) => secret(site.database(name).url),
    storeConfig: async (name) =>
      (await resolveSecrets(named("store", config.stores, name), folder)) as Resolved<StoreConfig> as StoreConfig,
    store: (name) =>
      once(`store ${name}`, async () =>
        openStore(await site.storeConfig(name), name === config.log.store ? undefined : () => site.store(config.log.store)),
      ),
    catalogUrl: () => secret(config.catalog),
    catalog: () => once("catalog", async () => openCatalog(await site.catalogUrl())),
    repositoryKeys: async () => ({
      dedupSecret: await key32(config.keys.dedupSecret, "dedupSecret"),
      indexKey: await key32(config.keys.indexKey, "indexKey"),
    }),
    recipients: () =>
      Promise.all(
        config.recipients.map(async ({ name, publicKey }) =>
          parseRecipient(name, publicKey.startsWith("dbgov-recipient-1:") ? publicKey : await readKeyFile(publicKey, folder)),
        ),
      ),
    recipientSecret: async () => {
      const able = config.recipients.find(({ secretKey }) => secretKey !== undefined);
      if (able?.secretKey === undefined) {
        throw new Failure("SecretMissing", `no recipient in ${loaded.path} has a secretKey, so nothing can be opened here`);
      }
      const text = await secret(able.secretKey);
      return { name: able.name, text, secret: await parseRecipientSecret(text) };
    },
    signer: () => signerOf(config.keys.signingKey),
    signingKeys: async () => [{ publicKey: (await site.signer()).publicKey }, ...retiredSigningKeys(config)],
    logSigner: async () => {
      const now = new Date().toISOString();
      const earlier = retiredLogKeys(config, now).map(async ({ key, ...known }) =>
        key === undefined ? known : { ...known, sign: (await signerOf(key)).sign },
      );
      return { ...(await signerOf(config.keys.logKey)), earlier: await Promise.all(earlier) };
    },
    logNameSalt: async (database) =>
      createHmac("sha256", await secret(nameSecretOf(config.keys)))
        .update(`dbgov-1/log-name/${database}`)
        .digest("hex"),
    close: async () => {
      for (const [key, value] of opened) {
        const resource = await value.catch(() => undefined);
        if (key === "catalog" && resource !== undefined) await closeCatalog(resource as Catalog);
        else await (resource as Store | undefined)?.close();
      }
      opened.clear();
    },
  };
  return site;
};

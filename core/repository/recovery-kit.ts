import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../domain/failure.ts";
import { decodeBase64, encodeBase64 } from "./canonical-json.ts";
import type { Envelope } from "./envelopes.ts";
import { readKeyring } from "./keyring.ts";
import { parseRecipientSecret, type RecipientSecret } from "./keys.ts";
import { kitFailure, parseJson, readKitFile, replaceFile } from "./kit-files.ts";
import { recoveryPage } from "./recovery-page.ts";
import { formatVersion, refuseNewer } from "./repository-config.ts";
import { keyIdOf } from "./signing.ts";
import type { SigningKey } from "./signing-keys.ts";

/** What goes on the printable page and into kit.json. */
export interface RecoveryKitContent {
  readonly organization: string;
  /** ISO 8601, UTC. */
  readonly generatedAt: string;
  /** `dbgov-secret-1:…` */
  readonly secretText: string;
  /** Addresses only, no secrets. */
  readonly stores: readonly RecoveryStore[];
  /** Ed25519, 32 bytes each: whose manifests are believed. */
  readonly signingKeys: readonly SigningKey[];
  readonly log: { readonly origin: string; readonly publicKey: Uint8Array };
}

export interface RecoveryStore {
  readonly name: string;
  readonly kind: string;
  /** As `dbgov recover --store` takes it. */
  readonly address: string;
}

export interface RecoveryKit {
  readonly organization: string;
  readonly secret: RecipientSecret;
  readonly signingKeys: readonly SigningKey[];
  readonly stores: readonly RecoveryStore[];
  readonly log: RecoveryKitContent["log"];
  /** All envelopes of a range (by its id) or a manifest (by its snapshot's id); empty when the keyring has none. */
  envelopesOf(objectId: string): Envelope[];
}

export const kitFile = "kit.json";
export const pageFile = "recovery-kit.html";

/** Writes page and kit.json; `keyring.ts` writes what is beside them. Throws `StoreFull`, `StoreRejected` or `StoreUnreachable` naming the folder, `WrongKey` for a malformed recovery key. */
export const writeRecoveryKit = async (folder: string, content: RecoveryKitContent): Promise<void> => {
  const { id } = await parseRecipientSecret(content.secretText);
  const kit = {
    format: "dbgov-recovery-kit",
    version: formatVersion,
    organization: content.organization,
    generatedAt: content.generatedAt,
    recipient: id,
    secret: content.secretText.trim(),
    stores: content.stores.map(({ name, kind, address }) => ({ name, kind, address })),
    signingKeys: content.signingKeys.map(({ publicKey, until }) => ({
      ...{ id: keyIdOf(publicKey), publicKey: encodeBase64(publicKey) },
      ...(until === undefined ? {} : { until }),
    })),
    log: { origin: content.log.origin, publicKey: encodeBase64(content.log.publicKey) },
  };
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(folder, kitFile, `${JSON.stringify(kit, null, 2)}\n`);
    await replaceFile(folder, pageFile, recoveryPage(content, id));
  } catch (error) {
    throw kitFailure(error, folder);
  }
};

const readSigningKey = (listed: unknown): SigningKey | undefined => {
  const { publicKey, until } = (listed ?? {}) as { publicKey?: unknown; until?: unknown };
  const key = decodeBase64(publicKey, 32);
  if (key === undefined || until === undefined) return key === undefined ? undefined : { publicKey: key };
  return typeof until === "string" ? { publicKey: key, until } : undefined;
};

const parseKit = async (text: string, path: string): Promise<Omit<RecoveryKit, "envelopesOf">> => {
  const kit = parseJson(text, path);
  refuseNewer(kit.version, path);
  const log = kit.log as { origin?: unknown; publicKey?: unknown } | undefined;
  const logKey = decodeBase64(log?.publicKey, 32);
  const listed = Array.isArray(kit.signingKeys) ? kit.signingKeys : [];
  const signingKeys = listed.map(readSigningKey);
  const { organization, stores, secret, format } = kit;
  const sound = format === "dbgov-recovery-kit" && typeof organization === "string" && Array.isArray(stores) && typeof secret === "string";
  if (!sound || typeof log?.origin !== "string" || logKey === undefined || !signingKeys.every((key) => key !== undefined)) {
    throw new Failure("ObjectCorrupt", `${path} is not a recovery kit, or lacks a part`);
  }
  return {
    organization,
    secret: await parseRecipientSecret(secret),
    signingKeys,
    stores: stores as RecoveryStore[],
    log: { origin: log.origin, publicKey: logKey },
  };
};

/** Reads a kit, given its folder or its kit.json. Throws `UsageInvalid` when it cannot be read, `ObjectCorrupt`, `WrongKey`, `FormatUnsupported`. */
export const readRecoveryKit = async (path: string): Promise<RecoveryKit> => {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const kitPath = isFolder ? join(path, kitFile) : path;
  const kit = await parseKit(await readKitFile(kitPath), kitPath);
  return { ...kit, envelopesOf: await readKeyring(dirname(kitPath)) };
};

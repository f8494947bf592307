import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../domain/failure.ts";
import { canonicalBytes, decodeBase64, encodeBase64 } from "./canonical-json.ts";
import { checkEnvelope, type Envelope } from "./envelopes.ts";
import { parseRecipientSecret, type RecipientSecret } from "./keys.ts";
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

type Envelopes = Iterable<Envelope> | AsyncIterable<Envelope>;

export const kitFile = "kit.json";
export const keyringFile = "keyring.jsonl";
export const pageFile = "recovery-kit.html";

/** Longer than a keyring takes to write: an unfinished file of this age belongs to nobody who lives. */
const abandonedAfterMs = 24 * 60 * 60_000;

/** Removes what killed writers of this file left behind. */
const removeAbandoned = async (folder: string, name: string): Promise<void> => {
  for (const found of await readdir(folder)) {
    if (!found.startsWith(`.${name}.`) || !found.endsWith(".partial")) continue;
    const path = join(folder, found);
    // Another writer may be giving it its name at the same time.
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && Date.now() - facts.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
  }
};

/** Whole or not at all, durable, readable by its owner only. */
const replaceFile = async (folder: string, name: string, content: Envelopes | string): Promise<void> => {
  await removeAbandoned(folder, name);
  const partial = join(folder, `.${name}.${process.pid}.${Date.now().toString(36)}.partial`);
  const file = await open(partial, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    try {
      if (typeof content === "string") await file.writeFile(content);
      else for await (const text of keyringText(content)) await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, join(folder, name));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  const directory = await open(folder, constants.O_RDONLY);
  await directory.sync().finally(() => directory.close());
};

/** One envelope a line, as canonical JSON, in pieces of about 64 KiB. */
async function* keyringText(envelopes: Envelopes): AsyncGenerator<string, void, void> {
  let text = "";
  for await (const envelope of envelopes) {
    text += `${canonicalBytes(envelope).toString("utf8")}\n`;
    if (text.length > 64 * 1024) {
      yield text;
      text = "";
    }
  }
  yield text;
}

/** A full disk or a missing permission, in one sentence. A failure of whoever gives the envelopes passes as it is. */
const fileFailure = (error: unknown, folder: string): Failure => {
  if (error instanceof Failure) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  const type =
    code === "ENOSPC" || code === "EDQUOT" ? "StoreFull" : code === "EACCES" || code === "EPERM" ? "StoreRejected" : "StoreUnreachable";
  return new Failure(type, `the recovery kit's folder ${folder} cannot be written (${code})`, { cause: error });
};

/** Writes page, kit.json and keyring. Throws `StoreFull`, `StoreRejected` or `StoreUnreachable` naming the folder, `WrongKey` for a malformed recovery key. */
export const writeRecoveryKit = async (folder: string, content: RecoveryKitContent, envelopes: Envelopes): Promise<void> => {
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
    await replaceFile(folder, keyringFile, envelopes);
    await replaceFile(folder, kitFile, `${JSON.stringify(kit, null, 2)}\n`);
    await replaceFile(folder, pageFile, recoveryPage(content, id));
  } catch (error) {
    throw fileFailure(error, folder);
  }
};

/** Replaces the keyring by these envelopes, atomically. Throws like `writeRecoveryKit`. */
export const refreshKeyring = async (folder: string, envelopes: Envelopes): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(folder, keyringFile, envelopes);
  } catch (error) {
    throw fileFailure(error, folder);
  }
};

const readKitFile = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new Failure("UsageInvalid", `the recovery kit's file ${path} cannot be read (${code})`, { cause: error });
  }
};

const parseJson = (text: string, what: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new Failure("ObjectCorrupt", `${what} is not JSON`, { cause: error });
  }
  throw new Failure("ObjectCorrupt", `${what} is not a JSON object`);
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
  const keyringPath = join(dirname(kitPath), keyringFile);
  const kit = await parseKit(await readKitFile(kitPath), kitPath);
  return { ...kit, envelopesOf: await readKeyringFile(keyringPath) };
};

/** The keyring alone, of a kit's folder: needs no recovery key. Throws `UsageInvalid` when it cannot be read, `ObjectCorrupt`. */
export const readKeyring = (folder: string): Promise<RecoveryKit["envelopesOf"]> => readKeyringFile(join(folder, keyringFile));

const readKeyringFile = async (keyringPath: string): Promise<RecoveryKit["envelopesOf"]> => {
  const envelopes = new Map<string, Envelope[]>();
  (await readKitFile(keyringPath)).split("\n").forEach((line, n) => {
    if (line === "") return;
    const what = `${keyringPath}, line ${n + 1}`;
    const envelope = checkEnvelope(parseJson(line, what), what);
    const others = envelopes.get(envelope.object);
    if (others === undefined) envelopes.set(envelope.object, [envelope]);
    else others.push(envelope);
  });
  return (objectId) => envelopes.get(objectId) ?? [];
};

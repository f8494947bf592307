import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { canonicalBytes } from "./canonical-json.ts";
import { checkEnvelope, type Envelope } from "./envelopes.ts";
import { kitFailure, listKitFolder, parseJson, readKitFile, replaceFile } from "./kit-files.ts";

/**
 * The keyring in a recovery kit: one file for each database, so that a backup writes the envelopes of its own database anew, and a night of
 * a thousand databases does not write the keyring a thousand times.
 */
export const keyringFolder = "keyring";
const suffix = ".jsonl";

/** Where kits from before these files have the whole keyring. */
const formerFile = "keyring.jsonl";

type Envelopes = Iterable<Envelope> | AsyncIterable<Envelope>;

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

/**
 * Replaces a database's envelopes by these, atomically; without any, its file goes. Throws `StoreFull`, `StoreRejected` or `StoreUnreachable`
 * naming the folder.
 */
export const refreshKeyring = async (kit: string, database: string, envelopes: Envelopes): Promise<void> => {
  const folder = join(kit, keyringFolder);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(folder, `${database}${suffix}`, keyringText(envelopes));
  } catch (error) {
    throw kitFailure(error, kit);
  }
};

/** Makes the folder of a keyring that has nothing yet: a kit without one is incomplete. Throws like `refreshKeyring`. */
export const ensureKeyring = async (kit: string): Promise<void> => {
  try {
    await mkdir(join(kit, keyringFolder), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw kitFailure(error, kit);
  }
};

/** Whether a kit still has its keyring in the one file of before. */
export const hasFormerKeyring = (kit: string): boolean => existsSync(join(kit, formerFile));

/** What is destroyed must not live on in it: to be called once each database has its own file. Throws like `refreshKeyring`. */
export const dropFormerKeyring = async (kit: string): Promise<void> => {
  try {
    await rm(join(kit, formerFile), { force: true });
  } catch (error) {
    throw kitFailure(error, kit);
  }
};

/** The databases that a kit's keyring has envelopes of. Throws `UsageInvalid` when it cannot be read. */
export const keyringDatabases = async (kit: string): Promise<string[]> =>
  (await listKitFolder(join(kit, keyringFolder)))
    .filter((name) => name.endsWith(suffix) && !name.startsWith("."))
    .map((name) => name.slice(0, -suffix.length));

const fileOf = (kit: string, database: string): string => join(kit, keyringFolder, `${database}${suffix}`);

const readEnvelopes = async (path: string): Promise<Envelope[]> => {
  const lines = (await readKitFile(path)).split("\n");
  return lines.flatMap((line, n) => {
    const what = `${path}, line ${n + 1}`;
    return line === "" ? [] : [checkEnvelope(parseJson(line, what), what)];
  });
};

/** What the keyring has of one database; nothing where it has no file. Throws `UsageInvalid` when that cannot be read, `ObjectCorrupt`. */
export const readKeyringOf = async (kit: string, database: string): Promise<Envelope[]> =>
  (await keyringDatabases(kit)).includes(database) ? await readEnvelopes(fileOf(kit, database)) : [];

/**
 * A kit's whole keyring, also of a copy that is older than its present form: needs no recovery key. Throws `UsageInvalid` when it cannot
 * be read, `ObjectCorrupt`.
 */
export const readKeyring = async (kit: string): Promise<(objectId: string) => Envelope[]> => {
  const former = hasFormerKeyring(kit);
  const databases = former && !existsSync(join(kit, keyringFolder)) ? [] : await keyringDatabases(kit);
  // Where both are, the former one may be older.
  const paths = [...databases.map((database) => fileOf(kit, database)), ...(former ? [join(kit, formerFile)] : [])];
  const envelopes = new Map<string, Map<string, Envelope>>();
  for (const path of paths) {
    for (const envelope of await readEnvelopes(path)) {
      const ofObject = envelopes.get(envelope.object) ?? new Map<string, Envelope>();
      if (!ofObject.has(envelope.recipient)) ofObject.set(envelope.recipient, envelope);
      envelopes.set(envelope.object, ofObject);
    }
  }
  return (objectId) => [...(envelopes.get(objectId)?.values() ?? [])];
};

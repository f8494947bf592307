import { randomBytes } from "node:crypto";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isMap, isSeq, parseDocument } from "yaml";
import { parseConfig } from "../config/load-config.ts";
import type { SigningKeyRef } from "../config/schema.ts";
import { Failure } from "../domain/failure.ts";
import { openLog } from "../ledger/log.ts";
import { appendEvents } from "./append-events.ts";
import { openSite, type Site } from "./site.ts";

export interface Rotation {
  readonly purpose: "log" | "signing";
  /** Public keys, as hex. */
  readonly before: string;
  readonly after: string;
  /** What the one before signs alone counts until then. */
  readonly until: string;
  /** Where the log has it. */
  readonly index: number;
}

export interface RotationOptions {
  readonly purpose: "log" | "signing";
  /** Where the new key is. A file that does not exist is made. */
  readonly to: SigningKeyRef;
  /** The end of the overlap; or, of a key that somebody else may have, the time since when. */
  readonly until: string;
  readonly compromised: boolean;
}

/**
 * Replaces the key that signs the log, or manifests: logs it, under a head that the new key signs, and in an overlap the old one, too, and then writes the
 * configuration. A kill between the two is repaired by calling it again with the same new key; the overlap then ends when the log says. Throws
 * `UsageInvalid` for a key that is in force or was before.
 */
export const rotateKey = async (
  site: Site,
  options: RotationOptions,
  signal: AbortSignal,
  onHealed: (keys: readonly string[]) => void,
): Promise<Rotation> => {
  const { purpose, to, until } = options;
  const { path, folder } = site.loaded;
  if ("file" in to) await makeSeed(resolve(folder, to.file));
  const before = hex((await (purpose === "log" ? site.logSigner() : site.signer())).publicKey);
  const text = await readFile(path, "utf8");
  // How long the log is is known only once the entry is in it.
  const draft = rotatedText(text, site, options, { before, size: Number.MAX_SAFE_INTEGER });
  const next = openSite({ ...site.loaded, config: { ...site.loaded.config, keys: parseConfig(draft, path).keys } });
  try {
    const after = hex((await (purpose === "log" ? next.logSigner() : next.signer())).publicKey);
    const used = site.loaded.config.keys.retired.some((key) => key.purpose === purpose && key.publicKey === after);
    if (after === before || used) {
      throw new Failure(
        "UsageInvalid",
        `the key ${after} ${used ? "was retired before" : "is the one in force"}: a rotation needs a new one`,
      );
    }
    const body = { kind: "keys-rotated", time: new Date().toISOString(), purpose, before, after, until } as const;
    const event = { identity: `keys-rotated/${purpose}/${before}/${after}`, database: null, body };
    const [logged] = await appendEvents(next, [event], signal, onHealed);
    const { index, size } = logged!;
    const ends = options.compromised ? until : await loggedUntil(next, index, signal);
    await replaceText(path, rotatedText(text, site, { ...options, until: ends }, { before, size }));
    return { purpose, before, after, until: ends, index };
  } finally {
    await next.close();
  }
};

/** When the overlap ends, by the log: a call before this one may have logged it and not come further. */
const loggedUntil = async (site: Site, index: number, signal: AbortSignal): Promise<string> => {
  const { origin, store } = site.loaded.config.log;
  const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner(), signal, unpublished: true });
  const { entry } = await log.entry(index);
  if (entry.kind === "keys-rotated" && entry.until !== undefined) return entry.until;
  throw new Failure("LedgerCorrupt", `entry ${index} of the log ${origin} is not the rotation that the catalog has there`);
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A file that is there already is the new key: somebody made it, or a rotation that did not come to its end. */
const makeSeed = async (path: string): Promise<void> => {
  try {
    // On the disk before the log has a head that only it can follow.
    await writeFile(path, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx", flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new Failure("UsageInvalid", `the new key cannot be written to ${path}`, { cause });
  }
};

/** The configuration with the new key in force, as it was written but for that. */
const rotatedText = (
  text: string,
  { loaded: { config } }: Site,
  { purpose, to, until, compromised }: RotationOptions,
  { before, size }: { readonly before: string; readonly size: number },
): string => {
  const document = parseDocument(text);
  const name = purpose === "log" ? "logKey" : "signingKey";
  const old = config.keys[name];
  const ofLog = { size, ...(compromised ? {} : { key: old }) };
  const retired = { purpose, publicKey: before, until, ...(purpose === "log" ? ofLog : {}) };
  document.setIn(["keys", name], document.createNode(to, { flow: true }));
  // Salts of names must stay what they are.
  if (purpose === "log" && config.keys.nameSecret === undefined)
    document.setIn(["keys", "nameSecret"], document.createNode(old, { flow: true }));
  const list = document.getIn(["keys", "retired"]);
  if (isSeq(list)) list.add(document.createNode(retired));
  else document.setIn(["keys", "retired"], document.createNode([retired]));
  const keys = document.get("keys");
  // In one line there is no room for a list.
  if (isMap(keys)) keys.flow = false;
  return document.toString({ lineWidth: 0 });
};

const replaceText = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.rotated`;
  try {
    const { mode } = await stat(path);
    await writeFile(draft, text, { mode, flush: true });
    await rename(draft, path);
  } catch (cause) {
    throw new Failure("UsageInvalid", `the rotation is in the log, and ${path} cannot be written: call it again with the same new key`, {
      cause,
    });
  }
};

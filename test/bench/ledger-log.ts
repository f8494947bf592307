import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { signCheckpoint } from "../../core/ledger/checkpoint.ts";
import { edgeNode } from "../../core/ledger/log-state.ts";
import { checkpointKey, completeRoot, encodeEntryBundle, encodeTile, type TileName, tileKey, tileWidth } from "../../core/ledger/tiles.ts";
import { rangeRoot } from "../../core/ledger/tree.ts";
import { entryIdentity } from "../../core/ledger/verify/entry.ts";
import { type Hash, leafHash, sha256, toHex, utf8 } from "../../core/ledger/verify/hash.ts";
import type { Signer } from "../../core/repository/signing.ts";

/** The writer's name of entry `index`, by which a second append of it would be found. */
export const benchIdentity = (index: number): string => `bench/${index}`;

/**
 * Writes a log of `size` entries of one database straight into a directory store's folder, hashed and signed as an append would have done it, without
 * an append's care for crashes. The entries are canonical JSON and each is another one. Returns its root.
 */
export const writeBenchLog = async (
  folder: string,
  {
    size,
    origin,
    database,
    signer,
  }: { readonly size: number; readonly origin: string; readonly database: string; readonly signer: Signer },
): Promise<Hash> => {
  const write = async (key: string, bytes: Uint8Array): Promise<void> => {
    const path = join(folder, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  };
  const tile = (name: TileName, bytes: Uint8Array): Promise<void> => write(tileKey(name), bytes);
  /** Of each level the hashes of the tile that is being filled, and that tile's number. */
  const filling: Hash[][] = [];
  const full: number[] = [];
  const push = async (level: number, hash: Hash): Promise<void> => {
    filling[level] ??= [];
    filling[level].push(hash);
    if (filling[level].length < tileWidth) return;
    const hashes = filling[level];
    filling[level] = [];
    await tile({ level, index: full[level] ?? 0, width: tileWidth }, encodeTile(hashes));
    full[level] = (full[level] ?? 0) + 1;
    await push(level + 1, completeRoot(hashes));
  };
  for (let first = 0; first < size; first += tileWidth) {
    const width = Math.min(tileWidth, size - first);
    const entries = Array.from({ length: width }, (_, at) => entryOf(first + at, database));
    await tile({ level: "entries", index: first / tileWidth, width }, encodeEntryBundle(entries));
    for (const entry of entries) await push(0, leafHash(entry));
  }
  for (const [level, hashes] of filling.entries()) {
    if (hashes.length > 0) await tile({ level, index: full[level] ?? 0, width: hashes.length }, encodeTile(hashes));
  }
  const root = await rangeRoot(edgeNode(filling), 0, size);
  await write(checkpointKey, utf8((await signCheckpoint(origin, size, root, signer)).note));
  return root;
};

/** A failed run, keys in the order of canonical JSON. */
const entryOf = (index: number, database: string): Uint8Array => {
  const time = new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString();
  const run = `20260101T000000Z-${index.toString(16).padStart(12, "0")}`;
  const salt = toHex(sha256(utf8(`salt ${index}`)));
  return utf8(
    `{"database":"${database}","failure":"StoreUnreachable","identity":"${entryIdentity(benchIdentity(index))}","kind":"snapshot-failed",` +
      `"run":"${run}","salt":"${salt}","sequence":${index + 1},"time":"${time}","version":1}`,
  );
};

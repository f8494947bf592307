import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { commit, type EntryDraft } from "../../core/ledger/entries.ts";
import { emptyRoot, type Hash, leafHash, nodeHash } from "../../core/ledger/verify/hash.ts";

export const origin = "acme.example/dbgov";

export const testSigner = (seed = 1): { publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array } => {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seed)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(12));
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
};

export const nameSalt = "5a".repeat(32);
export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** An event of database `orders`, told apart by `number`. */
export const sealedDraft = (number: number, database = "orders"): EntryDraft => ({
  identity: `sealed/${database}/${number}`,
  body: {
    kind: "snapshot-sealed",
    time: "2026-11-24T02:15:00.000Z",
    database: commit(database, nameSalt),
    snapshot: `20261124T021500Z-${number.toString(16).padStart(12, "0")}`,
    manifestHash: hashOf(`manifest ${number}`),
    ciphertextRoot: hashOf(`root ${number}`),
    engine: "postgres",
    consistency: "transactional",
    capturedAt: "2026-11-24T02:14:00.000Z",
    rows: 200_000 + number,
    bytes: 12_345_678,
  },
});

export const drafts = (from: number, to: number): EntryDraft[] => Array.from({ length: to - from }, (_, at) => sealedDraft(from + at));

/** MTH of RFC 6962 section 2.1, word for word. */
export const naiveRoot = (leaves: readonly Uint8Array[]): Hash => {
  if (leaves.length === 0) return emptyRoot();
  if (leaves.length === 1) return leafHash(leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
};

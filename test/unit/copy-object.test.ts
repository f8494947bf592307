import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { copyObject } from "../../activities/replicate/copy-object.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { memoryStore } from "./ledger-memory-store.ts";

const signal = new AbortController().signal;
const good = Buffer.from("what was written");
const key = packKey(createHash("sha256").update(good).digest("hex"));

/** The store itself has a bad copy, and another one a good copy. */
const bothStores = async (): Promise<{ to: Store; other: Store }> => {
  const [to, other] = [memoryStore(), memoryStore()];
  to.objects.set(key, Buffer.from("what was wrItten"));
  await other.put(key, good, signal);
  return { to, other };
};

test("a bad copy that is replaced in place is read back, whether or not it was this one's turn", async () => {
  const { to, other } = await bothStores();
  // As a store does that finds an object of that name and size.
  const stubborn: Store = { ...to, put: async () => ({ id: "there", bytes: good.length }) };
  const copy = copyObject({ sources: [stubborn, other], to: stubborn, key, readBack: false }, signal);
  await assert.rejects(copy, { type: "ObjectCorrupt" });

  const { objects } = memoryStore();
  const taking: Store = {
    ...to,
    get: async () => objects.get(key) ?? (await to.get(key, signal)),
    put: async (_, bytes) => {
      objects.set(key, bytes);
      return { id: "replaced", bytes: bytes.length };
    },
  };
  const receipt = await copyObject({ sources: [taking, other], to: taking, key, readBack: false }, signal);
  assert.deepEqual(receipt, { id: "replaced", bytes: good.length, proven: true });
});

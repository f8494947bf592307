import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { contractRun } from "./contract-test.ts";
import { all, badKeys, fails, keysOf, never, oddKeys, same } from "./store-expectations.ts";
import { badServers } from "./store-server-contract.ts";

/** How the contract reaches one kind of store. */
export interface StoreUnderTest {
  /** A store in an empty place of its own. */
  readonly open: (options?: StoreOptions) => Promise<Store>;
  /** A store of this kind whose server is at `url`; undefined for a kind without a server. */
  readonly openAt?: (url: string, options: StoreOptions) => Promise<Store>;
  /** What must never be seen in a failure. */
  readonly secrets: readonly string[];
  /** How many objects the listing tests write: fewer where each costs a signature. */
  readonly listed: number;
  /** How large an object to abort, and to put eight times at once. */
  readonly large: number;
}

/** What every store promises, tried on a real one. */
export const storeContract = (under: StoreUnderTest): void => {
  const { contractTest, watching, compareWithPage } = contractRun();
  const open = watching(under.open);
  const sizes = { "0 B": 0, "1 B": 1, "1 MiB": 1 << 20, "32 MiB": 32 << 20 };
  for (const [name, size] of Object.entries(sizes)) {
    contractTest(`${name}: what was put comes back`, async (declareOut) => {
      const store = await open();
      const bytes = randomBytes(size);
      if (size > store.capabilities.largestObject) {
        declareOut(`refused, larger than ${store.capabilities.largestObject / (1 << 20)} MiB`);
        await fails(store.put("packs/large", bytes, never), "StoreRejected");
        return;
      }
      const receipt = await store.put("packs/ab/object", bytes, never);
      assert.equal(receipt.bytes, size);
      assert.notEqual(receipt.id, "");
      same(await store.get("packs/ab/object", never), bytes);
      const found = await store.stat("packs/ab/object", never);
      assert.deepEqual({ ...found, pending: undefined }, { key: "packs/ab/object", bytes: size, receipt: receipt.id, pending: undefined });
      assert.deepEqual(await keysOf(store, ""), ["packs/ab/object"]);
    });
  }

  contractTest("ranges, at the edges and beyond", async () => {
    const store = await open();
    const size = 600_000;
    const bytes = randomBytes(size);
    await store.put("packs/r", bytes, never);
    for (const [offset, length] of [
      [0, 1],
      [0, size],
      [size - 1, 1],
      [262_143, 2],
      [100_000, 400_000],
      [0, 0],
      [size, 0],
    ] as const) {
      same(await store.get("packs/r", never, { offset, length }), bytes.subarray(offset, offset + length));
    }
    for (const [offset, length] of [
      [size - 1, 2],
      [size, 1],
      [size + 10, 1],
      [size + 1, 0],
      [0, size + 1],
    ] as const) {
      const failure = await fails(store.get("packs/r", never, { offset, length }), "ObjectCorrupt");
      assert.match(failure.message, /packs\/r/);
    }
  });

  contractTest("an object that is not there", async () => {
    const store = await open();
    const failure = await fails(store.get("packs/none", never), "ObjectMissing");
    assert.match(failure.message, /packs\/none/);
    await fails(store.get("packs/none", never, { offset: 5, length: 1 }), "ObjectMissing");
    await fails(store.get("packs/none", never, { offset: 0, length: 0 }), "ObjectMissing");
    assert.equal(await store.stat("packs/none", never), undefined);
    await store.delete("packs/none", never);
    assert.deepEqual(await keysOf(store, ""), []);
    assert.deepEqual(await keysOf(store, "packs/"), []);
  });

  contractTest("the same object twice is one object", async () => {
    const store = await open();
    const bytes = randomBytes(1_000);
    await store.put("packs/twice", bytes, never);
    await store.put("packs/twice", bytes, never);
    same(await store.get("packs/twice", never), bytes);
    assert.equal((await all(store.list("packs/", never))).length, 1);
  });

  contractTest("a key that is written again: readers see one version or the other, whole, and in the end the last", async () => {
    const store = await open();
    const version = (number: number): Buffer => Buffer.alloc(40_000 + number, number);
    await store.put("log/checkpoint", version(1), never);
    const last = 12;
    const writing = (async () => {
      for (let number = 2; number <= last; number += 1) await store.put("log/checkpoint", version(number), never);
    })();
    let running = true;
    const finished = writing.finally(() => {
      running = false;
    });
    let newest = 1;
    while (running) {
      const seen = await store.get("log/checkpoint", never);
      same(seen, version(seen[0]!));
      assert.ok(seen[0]! >= newest, "an older version came back after a newer one");
      newest = seen[0]!;
    }
    await finished;
    same(await store.get("log/checkpoint", never), version(last));
    assert.equal((await store.stat("log/checkpoint", never))?.bytes, 40_000 + last);
    assert.equal((await all(store.list("log/", never))).length, 1);
  });

  contractTest("lists by prefix, also over several pages", async () => {
    const store = await open({ pageSize: 7 });
    const keys = Array.from({ length: under.listed }, (_, index) => {
      const hex = (index * 37).toString(16).padStart(4, "0");
      return index % 2 === 0 ? `packs/${hex.slice(-2)}/${hex}` : `manifests/m-${hex}`;
    });
    const waiting = keys.values();
    const put = async (): Promise<void> => {
      for (const key of waiting) await store.put(key, Buffer.from(key), never);
    };
    await Promise.all(Array.from({ length: 8 }, put));
    const expect = async (prefix: string): Promise<void> =>
      assert.deepEqual(await keysOf(store, prefix), keys.filter((key) => key.startsWith(prefix)).sort(), `prefix "${prefix}"`);
    for (const prefix of [
      "",
      "packs/",
      "packs",
      "pa",
      "manifests/m-",
      "manifests/m-00",
      "manifests/m-0025",
      "packs/4",
      "nothing/",
      "packs/zz/",
    ]) {
      await expect(prefix);
    }
    if (store.capabilities.listing === "lexicographic") {
      const listed = (await all(store.list("", never))).map(({ key }) => key);
      assert.deepEqual(listed, listed.toSorted(), "it declares a listing in order");
    }
    for (const { key, bytes, receipt } of await all(store.list("manifests/", never))) {
      assert.equal(bytes, key.length);
      assert.notEqual(receipt, "");
    }
    await fails(all(store.list("../", never)), "UsageInvalid");
    await fails(all(store.list("/etc", never)), "UsageInvalid");
  });

  contractTest("what is deleted is missing; where nothing can be, that is said", async (declareOut) => {
    const store = await open();
    await store.put("packs/a", randomBytes(10), never);
    await store.put("packs/b", randomBytes(10), never);
    if (store.capabilities.deletion === "impossible") {
      declareOut("refused, nothing is ever deleted");
      await fails(store.delete("packs/a", never), "StoreRejected");
      return;
    }
    await store.delete("packs/a", never);
    await fails(store.get("packs/a", never), "ObjectMissing");
    assert.deepEqual(await keysOf(store, ""), ["packs/b"]);
    await store.delete("packs/a", never);
    await store.put("packs/a", randomBytes(20), never);
    assert.equal((await store.get("packs/a", never)).length, 20);
  });

  contractTest("keys with odd characters", async () => {
    const store = await open();
    for (const key of oddKeys) await store.put(key, Buffer.from(key), never);
    for (const key of oddKeys) same(await store.get(key, never), Buffer.from(key));
    assert.deepEqual(await keysOf(store, "odd/"), [...oddKeys].sort());
  });

  contractTest("keys that no store could hold are refused", async () => {
    const store = await open();
    for (const key of badKeys) {
      await fails(store.put(key, Buffer.from("x"), never), "UsageInvalid");
      await fails(store.get(key, never), "UsageInvalid");
      await fails(store.stat(key, never), "UsageInvalid");
      await fails(store.delete(key, never), "UsageInvalid");
    }
    assert.deepEqual(await keysOf(store, ""), []);
  });

  contractTest("a put that is aborted leaves nothing to be seen, and can be repeated", async () => {
    const store = await open();
    const bytes = randomBytes(under.large);
    const stop = new AbortController();
    const reason = new Error("stopped by the test");
    const putting = store.put("packs/aborted", bytes, stop.signal);
    setImmediate(() => stop.abort(reason));
    await assert.rejects(putting, (error) => error === reason);
    assert.equal(await store.stat("packs/aborted", never), undefined);
    assert.deepEqual(await keysOf(store, ""), []);
    await store.put("packs/aborted", bytes, never);
    same(await store.get("packs/aborted", never), bytes);
    for (const work of [
      store.put("x", bytes, stop.signal),
      store.get("x", stop.signal),
      store.stat("x", stop.signal),
      all(store.list("", stop.signal)),
      store.delete("x", stop.signal),
    ]) {
      await assert.rejects(work, (error) => error === reason);
    }
  });

  contractTest("eight puts of one key at once: of the same bytes, and of different ones", async () => {
    const store = await open();
    const bytes = randomBytes(under.large);
    await Promise.all(Array.from({ length: 8 }, () => store.put("packs/same", bytes, never)));
    same(await store.get("packs/same", never), bytes);
    const versions = Array.from({ length: 8 }, (_, index) => Buffer.alloc(50_000 + index, index));
    await Promise.all(versions.map((version) => store.put("log/checkpoint", version, never)));
    const left = await store.get("log/checkpoint", never);
    same(left, versions[left[0]!]!);
    assert.equal((await store.stat("log/checkpoint", never))?.bytes, left.length);
  });

  contractTest("its declared immutability is there, and no other", async (declareOut) => {
    const store = await open();
    const { immutability, deletion } = store.capabilities;
    const canLock = immutability === "object" || immutability === "version";
    assert.equal(store.protect !== undefined, canLock);
    assert.ok(store.legalHold === undefined || canLock);
    assert.equal(immutability === "everything", deletion === "impossible");
    if (immutability === "none") declareOut("no locks");
    if (immutability === "everything") declareOut("all is immutable, for good");
  });

  contractTest("the probe passes, and leaves nothing behind", async () => {
    const store = await open();
    await store.probe(never);
    assert.deepEqual(await keysOf(store, ""), []);
    await store.close();
  });

  if (under.openAt !== undefined) badServers(contractTest, watching(under.openAt), under.secrets);
  compareWithPage();
};

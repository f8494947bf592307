import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { checkLogCopy } from "../../core/ledger/check-log-copy.ts";
import { copyLog } from "../../core/ledger/copy-log.ts";
import { healLog } from "../../core/ledger/heal-log.ts";
import { openLog } from "../../core/ledger/log.ts";
import type { LogPlace } from "../../core/ledger/log-state.ts";
import { drafts, origin, testSigner } from "./ledger-fixtures.ts";
import { type MemoryStore, memoryStore } from "./ledger-memory-store.ts";

const signer = testSigner();
const signal = new AbortController().signal;
const placeOf = (store: MemoryStore): LogPlace => ({ store, origin, keys: [{ publicKey: signer.publicKey }], signal });
const open = (store: MemoryStore) => openLog({ store, origin, signer });
const logObjects = (store: MemoryStore) => new Map([...store.objects].filter(([key]) => !/\.p\/\d+$/.test(key)).sort());

/** A log as it was at each of the sizes: one history, whose salts are random. */
const history = async (...sizes: readonly number[]): Promise<MemoryStore[]> => {
  const store = memoryStore();
  const log = await open(store);
  const stages: MemoryStore[] = [];
  for (const size of sizes) {
    await log.append(drafts(log.size, size));
    stages.push(cloned(store));
  }
  return stages;
};
const cloned = (store: MemoryStore): MemoryStore => {
  const clone = memoryStore();
  for (const [key, bytes] of store.objects) clone.objects.set(key, bytes.slice());
  return clone;
};
const filled = async (...sizes: readonly number[]): Promise<MemoryStore> => (await history(...sizes)).at(-1)!;
const corrupt = (part: RegExp) => (error: unknown) => isFailure(error, "LedgerCorrupt") && part.test(error.message);

describe("a copy of the log", () => {
  test("grows with it, is valid by itself, and a second copying writes nothing", async () => {
    const source = memoryStore();
    const copy = memoryStore();
    const log = await open(source);
    for (const size of [1, 255, 256, 257, 600, 1024, 3000]) {
      await log.append(drafts(log.size, size), { size: log.size, find: async () => undefined, lastSequence: async () => log.size });
      assert.equal((await copyLog(placeOf(source), copy)).size, size);
      const copied = await open(copy);
      assert.deepEqual(copied.checkpoint(), log.checkpoint());
      if (size < 2000) await copied.verifyAll();
      assert.deepEqual(logObjects(copy), logObjects(source));
    }
    assert.ok([...copy.objects.keys()].filter((key) => /\.p\/\d+$/.test(key)).length < 10, "what full tiles replace is gone");
    const { changes } = copy;
    assert.equal((await copyLog(placeOf(source), copy)).objects, 0);
    assert.equal(copy.changes, changes);
  });

  test("a kill after any write leaves the copy as it was, or as it is to be", async () => {
    const [older, source] = (await history(250, 700)) as [MemoryStore, MemoryStore];
    for (let writes = 0, killed = true; killed; writes++) {
      const copy = cloned(older);
      copy.lives = writes;
      killed = await copyLog(placeOf(source), copy).then(
        () => false,
        () => true,
      );
      copy.lives = Number.POSITIVE_INFINITY;
      const survivor = await open(copy);
      assert.ok([250, 700].includes(survivor.size));
      await survivor.verifyAll();
      await copyLog(placeOf(source), copy);
      assert.equal((await open(copy)).size, 700);
    }
  });

  test("is read tile by tile, each in its turn: what is missing or altered is put right, what the copy has not yet is left to copying", async () => {
    const [older, source] = (await history(600, 700)) as [MemoryStore, MemoryStore];
    const copy = memoryStore();
    await copyLog(placeOf(older), copy);
    const whole = cloned(copy);
    const tiles = [...copy.objects.keys()].filter((key) => key.startsWith("log/tile/"));
    const of = 4;
    let asked = 0;
    for (let turn = 0; turn < of; turn++) {
      const check = await checkLogCopy(placeOf(source), copy, { turn: turn + 8, of });
      assert.deepEqual(check.replaced, []);
      asked += check.asked;
    }
    assert.equal(asked, tiles.length, "over all turns every tile is read");
    for (const key of tiles) {
      for (const missing of [true, false]) {
        const bytes = copy.objects.get(key)!;
        if (missing) copy.objects.delete(key);
        else
          copy.objects.set(
            key,
            Uint8Array.from(bytes, (byte, at) => (at === 3 ? byte ^ 1 : byte)),
          );
        const found = [];
        for (let turn = 0; turn < of; turn++) found.push(...(await checkLogCopy(placeOf(source), copy, { turn, of })).replaced);
        assert.deepEqual(found, [{ key, missing }]);
        assert.deepEqual(logObjects(copy), logObjects(whole));
      }
    }
    const other = memoryStore();
    await copyLog(placeOf(await filled(300)), other);
    const before = cloned(other);
    await assert.rejects(checkLogCopy(placeOf(source), other, { turn: 0, of: 1 }), corrupt(/rewritten/));
    assert.deepEqual(logObjects(other), logObjects(before), "a copy of another history is not touched");
  });

  test("a log that was rolled back or rewritten does not overwrite its copies", async () => {
    const copy = memoryStore();
    await copyLog(placeOf(await filled(300)), copy);
    await assert.rejects(
      copyLog(placeOf(await filled(299)), copy),
      corrupt(/has 300 entries, and the log in store memory only 299: it was rolled back/),
    );
    const rewritten = memoryStore();
    await (await open(rewritten)).append([...drafts(5000, 5001), ...drafts(0, 400)]);
    await assert.rejects(copyLog(placeOf(rewritten), copy), corrupt(/has another root at size 300: one of the two was rewritten/));
    const damaged = await filled(300);
    damaged.objects.get("log/tile/entries/000")![77]! ^= 1;
    await assert.rejects(copyLog(placeOf(damaged), memoryStore()), corrupt(/log\/tile\/entries\/000/));
  });
});

describe("a damaged log", () => {
  test("heals from its own entries when any tile is lost, torn or altered", async () => {
    const intact = await filled(250, 700);
    for (const key of [...intact.objects.keys()].filter((one) => /^log\/tile\/\d/.test(one))) {
      for (const damage of ["lost", "torn", "altered"] as const) {
        const store = cloned(intact);
        const bytes = store.objects.get(key)!;
        if (damage === "lost") store.objects.delete(key);
        else if (damage === "torn") store.objects.set(key, bytes.subarray(0, bytes.length >> 1));
        else
          store.objects.set(
            key,
            bytes.map((byte, at) => (at === 9 ? byte ^ 4 : byte)),
          );
        // What a partial tile was before the full one came is no part of the log any more.
        const current = !/\.p\//.test(key) || key.endsWith("/188") || key.endsWith("/2");
        const healed = await healLog(placeOf(store), []);
        if (current) assert.deepEqual(healed, [key], damage);
        await (await open(store)).verifyAll();
      }
    }
  });

  test("gets lost or altered entries back from a copy, also an older one, and a lost head from the catalog's note", async () => {
    const [, middle, store] = (await history(250, 600, 700)) as [MemoryStore, MemoryStore, MemoryStore];
    const [older, newer] = [memoryStore(), memoryStore()];
    await copyLog(placeOf(middle), older);
    await copyLog(placeOf(store), newer);
    const { note } = (await open(store)).checkpoint();
    store.objects.delete("log/tile/entries/000");
    store.objects.get("log/tile/entries/001")![300]! ^= 1;
    store.objects.delete("log/tile/0/001");
    assert.deepEqual((await healLog(placeOf(store), [older])).sort(), ["log/tile/0/001", "log/tile/entries/000", "log/tile/entries/001"]);
    await (await open(store)).verifyAll();

    store.objects.delete("log/checkpoint");
    await assert.rejects(healLog(placeOf(store), [newer]), corrupt(/no valid checkpoint in store memory, nor in the catalog/));
    assert.deepEqual(await healLog(placeOf(store), [newer], { known: note }), ["log/checkpoint"]);
    assert.equal((await open(store)).size, 700);
  });

  test("a checkpoint ahead of its tiles, or behind what the catalog knows, is healed where a copy has the rest, and refused where none has", async () => {
    const [short, full] = (await history(250, 700)) as [MemoryStore, MemoryStore];
    const { note } = (await open(full)).checkpoint();
    const ahead = cloned(short);
    ahead.objects.set("log/checkpoint", new TextEncoder().encode(note));
    await assert.rejects(open(ahead), corrupt(/is missing/));
    await assert.rejects(healLog(placeOf(ahead), []), corrupt(/is lost in every store that has the log: memory/));
    const copy = memoryStore();
    await copyLog(placeOf(full), copy);
    await healLog(placeOf(ahead), [copy]);
    await (await open(ahead)).verifyAll();
    assert.equal((await open(ahead)).size, 700);

    const behind = cloned(short);
    await healLog(placeOf(behind), [copy], { known: note });
    assert.equal((await open(behind)).size, 700);
    const forged = await filled(300);
    forged.objects.get("log/tile/entries/000")![77]! ^= 1;
    forged.objects.delete("log/tile/0/000");
    await assert.rejects(healLog(placeOf(forged), []), corrupt(/do not hash to its checkpoint of size 300/));
  });

  test("a larger head of another history is refused when the catalog knows the true one, and nothing is replaced", async () => {
    const { note } = (await open(await filled(250))).checkpoint();
    const other = await filled(300);
    const { changes } = other;
    await assert.rejects(healLog(placeOf(other), [], { known: note }), corrupt(/another root at size 250 than the catalog's checkpoint/));
    assert.equal(other.changes, changes);
  });
});

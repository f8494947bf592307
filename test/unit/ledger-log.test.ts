import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { keptNoteOf, keysOf, openLogCheckpoint, signedToday } from "../../core/ledger/checkpoint.ts";
import type { EntryDraft } from "../../core/ledger/entries.ts";
import { type Log, openLog } from "../../core/ledger/log.ts";
import { decodeEntryBundle, encodeEntryBundle, tileKey } from "../../core/ledger/tiles.ts";
import { openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { entryBytes } from "../../core/ledger/verify/entry.ts";
import { fromHex, leafHash, toHex } from "../../core/ledger/verify/hash.ts";
import { verifyConsistency, verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { drafts, naiveRoot, origin, sealedDraft, testSigner } from "./ledger-fixtures.ts";
import { type MemoryStore, memoryStore } from "./ledger-memory-store.ts";

const signer = testSigner();
const open = (store: MemoryStore): Promise<Log> => openLog({ store, origin, signer });
const corrupt = (part: RegExp) => (error: unknown) => isFailure(error, "LedgerCorrupt") && part.test(error.message);

const filledBefore = new Map<number, ReadonlyMap<string, Uint8Array>>();

const filled = async (size: number): Promise<MemoryStore> => {
  const store = memoryStore();
  const known = filledBefore.get(size);
  if (known === undefined) await (await open(store)).append(drafts(0, size));
  else for (const [key, bytes] of known) store.objects.set(key, bytes);
  filledBefore.set(size, new Map(store.objects));
  return store;
};

const collect = async (log: Log): Promise<Uint8Array[]> => {
  const entries: Uint8Array[] = [];
  for await (const { entry, index, hash } of log.entries()) {
    assert.equal(index, entries.length);
    assert.equal(hash, toHex(leafHash(entryBytes(entry))));
    entries.push(entryBytes(entry));
  }
  return entries;
};

const flipped = (store: MemoryStore, key: string, at = 40): MemoryStore => {
  const bytes = store.objects.get(key)!.slice();
  bytes[at % bytes.length]! ^= 1;
  store.objects.set(key, bytes);
  return store;
};

describe("the log", () => {
  test("names tiles as C2SP does", () => {
    assert.equal(tileKey({ level: 0, index: 1234, width: 256 }), "log/tile/0/x001/234");
    assert.equal(tileKey({ level: 2, index: 1_234_067, width: 256 }), "log/tile/2/x001/x234/067");
    assert.equal(tileKey({ level: "entries", index: 5, width: 17 }), "log/tile/entries/005.p/17");
    const bundle = encodeEntryBundle([Uint8Array.of(7, 8, 9), new Uint8Array(0)]);
    assert.deepEqual([...bundle], [0, 3, 7, 8, 9, 0, 0]);
    assert.equal(decodeEntryBundle(bundle, 2)?.length, 2);
    for (const wrong of [1, 3]) assert.equal(decodeEntryBundle(bundle, wrong), undefined);
    assert.equal(decodeEntryBundle(bundle.subarray(0, 4), 1), undefined);
  });

  test("grows by appends of many sizes; root, entries and proofs are those of RFC 6962", async () => {
    const store = memoryStore();
    const log = await open(store);
    assert.equal(log.size, 0);
    let previous = { size: 0, root: log.checkpoint().root };
    let next = 0;
    for (const count of [1, 2, 252, 1, 1, 300, 3, 212, 40]) {
      const { checkpoint, entries } = await log.append(drafts(next, next + count));
      assert.deepEqual(
        entries.map(({ index }) => index),
        Array.from({ length: count }, (_, at) => next + at),
      );
      next += count;
      const bytes = await collect(log);
      assert.equal(checkpoint.size, next);
      assert.deepEqual(checkpoint.root, naiveRoot(bytes));
      assert.ok(verifyConsistency(previous, checkpoint, await log.consistencyProof(previous.size, checkpoint.size)));
      for (const index of [0, next >> 1, next - 1]) {
        const leaf = leafHash(bytes[index]!);
        assert.ok(verifyInclusion(leaf, index, next, await log.inclusionProof(index, next), checkpoint.root));
      }
      assert.equal((await log.checkpointAt(previous.size)).size, previous.size);
      assert.deepEqual((await log.checkpointAt(previous.size)).root, previous.root);
      previous = checkpoint;
    }
    assert.equal((await open(store)).checkpoint().note, log.checkpoint().note);
    await log.verifyAll();
    const partials = [...store.objects.keys()].filter((key) => key.includes(".p/"));
    assert.ok(
      partials.every((key) => /003\.p|\/1\/000\.p/.test(key)),
      `partial versions of full tiles are removed: ${partials}`,
    );
  });

  test("crosses 65,536 entries, where a third level of tiles begins", async () => {
    const store = memoryStore();
    const log = await open(store);
    await log.append(drafts(0, 65_500));
    const before = log.checkpoint();
    await log.append(drafts(65_500, 65_800), { size: 65_500, find: async () => undefined, lastSequence: async () => 65_500 });
    assert.ok(store.objects.has("log/tile/1/000") && store.objects.has("log/tile/2/000.p/1"));
    assert.ok(verifyConsistency(before, log.checkpoint(), await log.consistencyProof(65_500, 65_800)));
    const { hash } = await log.entry(65_640);
    assert.ok(verifyInclusion(fromHex(hash), 65_640, 65_800, await log.inclusionProof(65_640, 65_800), log.checkpoint().root));
    // Beyond this size only the edge is checked at open, and each other tile when it is read.
    flipped(store, "log/tile/0/003");
    const reopened = await open(store);
    await assert.rejects(reopened.inclusionProof(800, 65_800), corrupt(/log\/tile\/0\/003 /));
    await assert.rejects(reopened.verifyAll(), corrupt(/log\/tile\/0\/003 /));
  });

  test("the same event is logged once, also within one append and without a catalog", async () => {
    const store = await filled(3);
    const log = await open(store);
    const result = await log.append([sealedDraft(1), sealedDraft(7), sealedDraft(7), sealedDraft(2, "users")]);
    assert.deepEqual(
      result.entries.map(({ index, sequence, fresh }) => [index, sequence, fresh]),
      [
        [1, 2, false],
        [3, 4, true],
        [3, 4, false],
        [4, 1, true],
      ],
    );
    assert.equal(log.size, 5);
    const changes = store.changes;
    await log.append([sealedDraft(0), sealedDraft(7)]);
    assert.equal(store.changes, changes, "an append of nothing new writes nothing");
  });

  test("with a catalog only the entries after it are read, and the catalog is not believed blindly", async () => {
    const store = await filled(600);
    const log = await open(store);
    const known = {
      size: 599,
      find: async (identity: string) => (identity === "sealed/orders/5" ? { index: 5 } : undefined),
      lastSequence: async () => 599,
    };
    const { entries } = await log.append([sealedDraft(5), sealedDraft(599), sealedDraft(1000)], known);
    assert.deepEqual(
      entries.map(({ index, sequence, fresh }) => [index, sequence, fresh]),
      [
        [5, 6, false],
        [599, 600, false],
        [600, 601, true],
      ],
    );
    const lying = { ...known, find: async () => ({ index: 6 }) };
    await assert.rejects(log.append([sealedDraft(5)], lying), corrupt(/entry 6/));
    await assert.rejects(log.append([sealedDraft(5)], { ...known, size: 700 }), corrupt(/has 601 entries, and the catalog knows of 700/));
  });

  test("a kill after any write leaves a valid log; the next append loses and doubles nothing", async () => {
    for (const [before, first, second] of [
      [0, 3, 2],
      [2, 3, 1],
      [250, 20, 300],
      [256, 1, 255],
      [511, 1, 2],
    ] as const) {
      let killed = true;
      for (let writes = 0; killed; writes++) {
        const store = before === 0 ? memoryStore() : await filled(before);
        const torn = drafts(before, before + first);
        store.lives = writes;
        killed = await (await open(store)).append(torn).then(
          () => false,
          () => true,
        );
        store.lives = Number.POSITIVE_INFINITY;
        const survivor = await open(store);
        assert.ok([before, before + first].includes(survivor.size), `${survivor.size} after ${writes} writes`);
        // Another event comes first, so that what was torn must be replaced and not just completed.
        const events: EntryDraft[] = [...drafts(5000, 5000 + second), ...torn];
        await survivor.append(events);
        assert.equal(survivor.size, before + first + second);
        assert.deepEqual(survivor.checkpoint().root, naiveRoot(await collect(survivor)));
        const again = await (await open(store)).append(events);
        assert.ok(again.entries.every(({ fresh }) => !fresh));
        assert.equal(new Set(again.entries.map(({ index }) => index)).size, events.length);
        await survivor.verifyAll();
      }
    }
  });

  test("a second writer is a conflict, and a log that was taken back is corrupt", async () => {
    const store = await filled(3);
    const log = await open(store);
    const other = await open(store);
    const { stat } = store;
    let interfered = false;
    store.stat = async (key, signal) => {
      if (!interfered) {
        interfered = true;
        await other.append([sealedDraft(50)]);
      }
      return stat(key, signal);
    };
    await assert.rejects(log.append([sealedDraft(60)]), (error) => isFailure(error, "LedgerConflict"));
    const snapshot = new Map(store.objects);
    await log.append([sealedDraft(60)]);
    assert.equal(log.size, 5);
    store.objects.clear();
    for (const [key, bytes] of snapshot) store.objects.set(key, bytes);
    await assert.rejects(log.append([sealedDraft(61)]), corrupt(/no longer extends/));
  });

  test("drafts that do not fit their kind are refused before anything is written", async () => {
    const store = memoryStore();
    const log = await open(store);
    const draft = sealedDraft(1);
    const wrong = { ...draft, body: { ...draft.body, databaseName: "orders" } } as unknown as EntryDraft;
    await assert.rejects(log.append([wrong]), (error) => isFailure(error, "UsageInvalid") && /databaseName/.test(error.message));
    assert.equal(store.changes, 0);
    const readOnly = await openLog({ store: await filled(1), origin, signer: { publicKey: signer.publicKey } });
    await assert.rejects(readOnly.append([sealedDraft(2)]), (error) => isFailure(error, "UsageInvalid"));
  });
});

describe("a log whose key is replaced", () => {
  const next = testSigner(41);
  const own = { name: origin, publicKey: signer.publicKey };
  const theirs = { name: origin, publicKey: next.publicKey };

  test("goes on under the new key, signs with both while they overlap, and is read by the keys that are known", async () => {
    const store = await filled(3);
    const overlapping = await openLog({ store, origin, signer: { ...next, earlier: [signer] } });
    await overlapping.append([sealedDraft(3)]);
    const { note } = overlapping.checkpoint();
    for (const key of [own, theirs]) assert.ok(!("reason" in openCheckpoint(note, origin, key)));
    await (await open(store)).append([sealedDraft(4)]);
    const behind = await openLog({ store, origin, signer: { ...next, earlier: [{ publicKey: signer.publicKey }] } });
    assert.equal(behind.size, 5, "a writer that only has the old key is seen");
    await behind.append([sealedDraft(5)]);
    assert.ok("reason" in openCheckpoint(behind.checkpoint().note, origin, own), "the overlap is over");
    await assert.rejects(openLog({ store, origin, signer: testSigner(42) }), corrupt(/carries no valid signature/));
  });

  test("is refused where the old key alone signed more than the log had when it was replaced", async () => {
    const after = (upTo: number) => ({ ...next, earlier: [{ publicKey: signer.publicKey, upTo }] });
    const store = await filled(7);
    assert.equal((await openLog({ store, origin, signer: after(7) })).size, 7);
    await assert.rejects(
      openLog({ store, origin, signer: after(6) }),
      corrupt(/of size 7 is signed only by a key that was retired when the log had 6 entries/),
    );
  });

  test("a published note that the old key alone signed beyond its end is shown with today's key, where the log has that very head", async () => {
    const store = await filled(7);
    const { note } = (await open(store)).checkpoint();
    const today = { ...next, earlier: [{ publicKey: signer.publicKey, upTo: 6 }] };
    assert.ok("reason" in openLogCheckpoint(note, origin, keysOf(today)), "as it is, it is refused");
    await (await openLog({ store, origin, signer: { ...next, earlier: [{ publicKey: signer.publicKey }] } })).append([sealedDraft(7)]);
    const log = await openLog({ store, origin, signer: today });
    const head = await log.checkpointAt(7);
    const shown = (await keptNoteOf(`${note}— witness.example/w AAAAAAAAAAAA\n`, head, today)) ?? "";
    assert.ok(!("reason" in openLogCheckpoint(shown, origin, keysOf(today))));
    assert.ok(shown.startsWith(note) && shown.includes("— witness.example/w AAAAAAAAAAAA\n"), "what it had it keeps");
    assert.equal(await signedToday(shown, today), shown, "once");
    assert.equal(await keptNoteOf(note, await log.checkpointAt(6), today), undefined, "of another head");
    assert.equal(await keptNoteOf(note, head, next), undefined, "of a key that the log never had");
    assert.equal(await keptNoteOf("no note", head, today), undefined);
  });

  test("who reads it for long notices that the overlap has ended", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-24T00:00:00.000Z") });
    const store = await filled(7);
    const retired = { publicKey: signer.publicKey, upTo: 6, until: "2026-11-25T00:00:00.000Z" };
    const reader = await openLog({ store, origin, signer: { publicKey: next.publicKey, earlier: [retired] } });
    await (await open(store)).append([sealedDraft(7)]);
    await reader.refresh();
    assert.equal(reader.size, 8);
    t.mock.timers.setTime(Date.parse("2026-11-25T00:00:00.001Z"));
    await assert.rejects(reader.refresh(), corrupt(/of size 8 is signed only by a key that was retired when the log had 6 entries/));
    await (await openLog({ store, origin, signer: { ...next, earlier: [{ publicKey: signer.publicKey }] } })).append([sealedDraft(8)]);
    await reader.refresh();
    assert.equal(reader.size, 9);
  });
});

describe("a log that was altered in its store", () => {
  test("every tile, and the checkpoint, at every size around a tile's end: found at open and named", async () => {
    for (const size of [1, 255, 256, 257, 700]) {
      const intact = await filled(size);
      for (const key of intact.objects.keys()) {
        if (key.startsWith("log/tile/entries/")) continue;
        const current = key.replace(/\.p\/\d+$/, "");
        for (const at of [0, 31, 40, 8000]) {
          const store = flipped(await filled(size), key, at);
          await assert.rejects(open(store), corrupt(new RegExp(`^${current.replaceAll("/", "\\/")}`)), `${key} of ${size} at ${at}`);
        }
      }
    }
  });

  test("an altered entry is found when it is read, and before an append builds on it", async () => {
    const store = flipped(await filled(300), "log/tile/entries/001.p/44");
    const log = await open(store);
    await assert.rejects(log.entry(299), corrupt(/log\/tile\/entries\/001\.p\/44/));
    await assert.rejects(log.append([sealedDraft(900)]), corrupt(/entries\/001/));
    await assert.rejects(log.verifyAll(), corrupt(/entries\/001/));
  });

  test("missing, cut off and exchanged objects", async () => {
    const missing = await filled(300);
    missing.objects.delete("log/tile/0/001.p/44");
    await assert.rejects(open(missing), corrupt(/log\/tile\/0\/001\.p\/44 .* is missing/));
    const cut = await filled(300);
    cut.objects.set("log/tile/0/000", cut.objects.get("log/tile/0/000")!.subarray(0, 8000));
    await assert.rejects(open(cut), corrupt(/log\/tile\/0\/000 .* has 8000 bytes/));
    const headless = await filled(300);
    headless.objects.delete("log/checkpoint");
    await assert.rejects(open(headless), corrupt(/log\/checkpoint .* is missing/));
    const exchanged = await filled(300);
    filledBefore.delete(300);
    exchanged.objects.set("log/checkpoint", (await filled(300)).objects.get("log/checkpoint")!);
    await assert.rejects(open(exchanged), corrupt(/does not hash to the signed checkpoint/));
    await assert.rejects(openLog({ store: await filled(3), origin, signer: testSigner(2) }), corrupt(/no valid signature/));
    await assert.rejects(openLog({ store: await filled(3), origin: "other.example", signer }), corrupt(/not of "other.example"/));
  });
});

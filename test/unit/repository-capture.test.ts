import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isFailure } from "../../core/domain/failure.ts";
import type { Framing } from "../../core/domain/snapshot.ts";
import { openCaptureWriter, type SealedPack } from "../../core/repository/capture-writer.ts";
import { unwrapKey } from "../../core/repository/envelopes.ts";
import { digestKeyOf } from "../../core/repository/keys.ts";
import {
  openPackDirectory,
  packBlockProof,
  packRoot,
  readPackDirectory,
  verifyPack,
  verifyPackBlock,
} from "../../core/repository/packs.ts";
import { openRange, openRangeIndex, sealRange, verifyRange } from "../../core/repository/ranges.ts";
import { readRange } from "../../core/repository/read-range.ts";
import { rowDigestOf } from "../../core/repository/row-digest.ts";
import { asyncBlocks, collect, memoryRepository, newRecipient, randomKeys, smallConfig, splitBy, tableText } from "./repository-fixture.ts";

const document = (content: Uint8Array): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(4), content, Buffer.alloc(1)]);
  bytes.writeInt32LE(bytes.length);
  return bytes;
};
/** Rows by length and seed, not byte by byte: quick to make, to shrink and to print. */
const row = fc.record({
  length: fc.oneof({ weight: 9, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.integer({ min: 10_000, max: 50_000 }) }),
  seed: fc.integer(),
  plain: fc.boolean(),
});
const rowBytes = ({ length, seed, plain }: { length: number; seed: number; plain: boolean }): Uint8Array => {
  let state = seed | 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    return plain ? 97 + ((state >>> 16) % 4) : state >>> 24;
  });
};
const framings: Record<Framing, (rows: Uint8Array[]) => Buffer> = {
  lines: (rows) => Buffer.concat(rows.flatMap((bytes) => [bytes, Buffer.from("\n")])),
  stamped: (rows) => Buffer.concat(rows.flatMap((bytes) => [bytes, Buffer.from("\t1763977275\n")])),
  bson: (rows) => Buffer.concat(rows.map(document)),
  opaque: (rows) => Buffer.concat(rows),
};
const stream = fc.record({
  framing: fc.constantFrom<Framing>("lines", "stamped", "bson", "opaque"),
  rows: fc.array(row, { maxLength: 120, size: "max" }),
});

test("what is captured, sealed, opened and read is identical, and its digest is that of the content", async () => {
  const { recipient, secret } = await newRecipient("anna");
  await fc.assert(
    fc.asyncProperty(stream, fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 5 }), async ({ framing, rows }, split) => {
      const bytes = framings[framing](rows.map(rowBytes));
      const repository = memoryRepository();
      const { draft, read } = await repository.capture(framing, splitBy(bytes, split));
      assert.equal(read, bytes.length);
      const range = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
      verifyRange(range.bytes, range.id);
      const open = openRange(range.bytes, await unwrapKey(range.envelopes, secret));
      assert.ok((await collect(readRange(open, repository.read, { readBytes: 9000 }))).equals(bytes));
      assert.deepEqual(draft.digest, await rowDigestOf(asyncBlocks([bytes]), framing, digestKeyOf(repository.keys.dedupSecret)));
      const index = openRangeIndex(range.bytes, repository.keys.indexKey);
      assert.deepEqual(
        index.chunks,
        open.chunks.map(({ id, location }) => ({ id, location })),
      );
      assert.deepEqual(index.packs, range.packs);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

test("the default sizes carry large rows, odd blocks and several packs", async () => {
  const { defaultRepositoryConfig } = await import("../../core/repository/repository-config.ts");
  const repository = memoryRepository(randomKeys(), defaultRepositoryConfig);
  const noise = randomBytes(2_500_000).toString("base64");
  const bytes = Buffer.concat([tableText(150_000), Buffer.from(`${noise}\n`), tableText(20_000, 9)]);
  const { draft } = await repository.capture("lines", splitBy(bytes, [65_536, 5_000_000, 17]), 2_000_000);
  assert.ok(repository.packs.size > 1);
  assert.ok((await collect(readRange(draft, repository.read))).equals(bytes));
});

test("two writers with the same secrets find each other's chunks; with other secrets none", async () => {
  const bytes = tableText(20_000);
  const keys = randomKeys();
  const repository = memoryRepository(keys);
  const first = await repository.capture("lines", splitBy(bytes, [5000]));
  assert.equal(first.new, bytes.length);
  const packs = repository.packs.size;
  const again = await repository.capture("lines", splitBy(bytes, [777]));
  // The end of a stream makes one chunk that may be under the smallest size, and such are never found again.
  assert.ok(again.new < smallConfig.chunking.min, `${again.new} bytes are new`);
  assert.ok(repository.packs.size <= packs + 1);
  assert.ok((await collect(readRange(again.draft, repository.read))).equals(bytes));
  const stranger = await memoryRepository({ ...keys, dedupSecret: randomBytes(32) }).capture("lines", [bytes]);
  const ids = new Set(first.draft.chunks.map((chunk) => Buffer.from(chunk.id).toString("hex")));
  assert.ok(stranger.draft.chunks.every((chunk) => !ids.has(Buffer.from(chunk.id).toString("hex"))));
});

test("repeated content is stored once, also within one range and before its pack is written", async () => {
  const block = tableText(2_000);
  const repository = memoryRepository();
  const { draft, new: fresh } = await repository.capture("lines", [block, block, block, block], 10_000_000);
  assert.ok(fresh < block.length * 1.5, `${fresh} of ${block.length * 4}`);
  assert.ok((await collect(readRange(draft, repository.read))).equals(Buffer.concat([block, block, block, block])));
});

test("a row changed in the middle costs a few chunks", async () => {
  const before = tableText(40_000);
  const repository = memoryRepository();
  await repository.capture("lines", [before]);
  const text = before.toString("utf8").split("\n");
  const after = Buffer.from(text.with(20_000, "changed").join("\n"), "utf8");
  const { new: fresh } = await repository.capture("lines", [after]);
  assert.ok(fresh < 16 * (smallConfig.chunking.min + smallConfig.chunking.target), `${fresh} bytes are new`);
});

test("content below the smallest chunk size has random keys and ids: it cannot be confirmed by guessing", async () => {
  const secret = Buffer.from("salary\t123456\n");
  const repository = memoryRepository();
  const drafts = [await repository.capture("lines", [secret]), await repository.capture("lines", [secret])].map(({ draft }) => draft);
  const [first, second] = drafts.map((draft) => draft.chunks[0]!);
  assert.notDeepEqual(first!.id, second!.id);
  assert.notDeepEqual(first!.key, second!.key);
  const { convergentSecrets } = await import("../../core/repository/chunk-secrets.ts");
  assert.notDeepEqual(convergentSecrets(repository.keys.dedupSecret, secret).id, first!.id);
  for (const draft of drafts) assert.ok((await collect(readRange(draft, repository.read))).equals(secret));
});

test("several ranges written at the same time share packs, and each comes back as it was", async () => {
  const keys = randomKeys();
  const packs = new Map<string, Uint8Array>();
  const writer = openCaptureWriter({
    keys,
    digestKey: digestKeyOf(keys.dedupSecret),
    config: smallConfig,
    packBytes: 100_000,
    index: { lookup: async (ids) => ids.map(() => undefined) },
    sink: { write: async (pack) => void packs.set(pack.id, pack.bytes.slice()) },
  });
  const contents = [1, 2, 3].map((seed) => tableText(12_000, seed * 77));
  const drafts = await Promise.all(
    contents.map(async (bytes) => {
      const range = writer.beginRange("lines");
      for (const block of splitBy(bytes, [10_000])) await range.write(block);
      return range.finish();
    }),
  );
  await writer.flush();
  const read = async (pack: string, { offset, length }: { offset: number; length: number }) =>
    packs.get(pack)!.subarray(offset, offset + length);
  for (const [n, draft] of drafts.entries()) assert.ok((await collect(readRange(draft, read))).equals(contents[n]!));
  const users = [...packs.keys()].map(
    (pack) => drafts.filter((draft) => draft.chunks.some((chunk) => chunk.location.pack === pack)).length,
  );
  assert.ok(users.some((count) => count > 1));
  assert.equal(
    writer.counts().stored,
    [...packs.values()].reduce((sum, bytes) => sum + bytes.length, 0),
  );
});

test("an empty range and a flush with nothing write no pack", async () => {
  const repository = memoryRepository();
  const { draft } = await repository.capture("lines", []);
  assert.deepEqual(draft.chunks, []);
  assert.equal(repository.packs.size, 0);
  const { recipient, secret } = await newRecipient("anna");
  const range = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
  assert.deepEqual(openRange(range.bytes, await unwrapKey(range.envelopes, secret)).chunks, []);
});

test("a pack is named by its bytes, proves each of its blocks, and its directory tells the same as the writer did", async () => {
  const keys = randomKeys();
  const sealed: SealedPack[] = [];
  const writer = openCaptureWriter({
    keys,
    digestKey: digestKeyOf(keys.dedupSecret),
    config: smallConfig,
    index: { lookup: async (ids) => ids.map(() => undefined) },
    sink: { write: async (pack) => void sealed.push({ ...pack, bytes: pack.bytes.slice() }) },
  });
  const range = writer.beginRange("opaque");
  await range.write(randomBytes(300_000));
  const draft = await range.finish();
  await assert.rejects(sealRange(draft, { recipients: [], keys }), (error) => isFailure(error, "Unexpected"));
  await writer.flush();
  const [pack] = sealed as [SealedPack];
  verifyPack(pack.bytes, pack.id);
  assert.deepEqual(
    openPackDirectory(pack.bytes, keys.indexKey, pack.id),
    pack.chunks.map((chunk) => ({ ...chunk, id: new Uint8Array(chunk.id) })),
  );
  const reader = async ({ offset, length }: { offset: number; length: number }) => pack.bytes.subarray(offset, offset + length);
  assert.deepEqual(
    await readPackDirectory(reader, pack.bytes.length, keys.indexKey, pack.id),
    openPackDirectory(pack.bytes, keys.indexKey),
  );
  assert.equal(packRoot(pack.bytes), pack.root);
  const blocks = Math.ceil(pack.bytes.length / 65_536);
  assert.equal(blocks, 5);
  for (let n = 0; n < blocks; n++) {
    const content = pack.bytes.slice(n * 65_536, (n + 1) * 65_536);
    const proof = packBlockProof(pack.bytes, n);
    assert.ok(verifyPackBlock(pack.root, pack.bytes.length, n, content, proof));
    assert.ok(!verifyPackBlock(pack.root, pack.bytes.length, (n + 1) % blocks, content, proof));
    content[5]! ^= 1;
    assert.ok(!verifyPackBlock(pack.root, pack.bytes.length, n, content, proof));
  }
});

test("at most one pack is being written while another fills, and the sink may take the memory", async () => {
  const keys = randomKeys();
  let underway = 0;
  let most = 0;
  const packs = new Map<string, Uint8Array>();
  const writer = openCaptureWriter({
    keys,
    digestKey: digestKeyOf(keys.dedupSecret),
    config: smallConfig,
    packBytes: 50_000,
    index: { lookup: async (ids) => ids.map(() => undefined) },
    sink: {
      write: async (pack) => {
        most = Math.max(most, ++underway);
        const whole =
          packs.size % 2 === 0
            ? pack.bytes.slice()
            : new Uint8Array(structuredClone(pack.bytes.buffer as ArrayBuffer, { transfer: [pack.bytes.buffer as ArrayBuffer] })).subarray(
                0,
                1,
              );
        await new Promise((done) => setImmediate(done));
        packs.set(pack.id, whole);
        underway--;
      },
    },
  });
  const range = writer.beginRange("opaque");
  await range.write(randomBytes(9_000_000));
  await range.finish();
  await writer.flush();
  assert.equal(most, 1);
  assert.ok(packs.size > 100);
  for (const [id, bytes] of packs) if (bytes.length > 1) verifyPack(bytes, id);
});

test("a failure of the sink or the index reaches the caller, once and for all", async () => {
  const keys = randomKeys();
  const full = new Error("no space");
  for (const broken of ["sink", "index"]) {
    const writer = openCaptureWriter({
      keys,
      digestKey: digestKeyOf(keys.dedupSecret),
      config: smallConfig,
      packBytes: 50_000,
      index: { lookup: async (ids) => (broken === "index" ? Promise.reject(full) : ids.map(() => undefined)) },
      sink: { write: async () => Promise.reject(full) },
    });
    const range = writer.beginRange("opaque");
    const all = async () => {
      for (let n = 0; n < 20; n++) await range.write(randomBytes(1_000_000));
      await range.finish();
      await writer.flush();
    };
    await assert.rejects(all(), full, broken);
    if (broken === "sink") await assert.rejects(writer.flush(), full);
  }
});

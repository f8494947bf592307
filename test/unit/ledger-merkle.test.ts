import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { consistencyPath, inclusionPath, rangeRoot } from "../../core/ledger/tree.ts";
import { emptyRoot, fromHex, type Hash, leafHash, nodeHash, toHex, utf8 } from "../../core/ledger/verify/hash.ts";
import { verifyConsistency, verifyInclusion } from "../../core/ledger/verify/merkle.ts";
import { naiveRoot } from "./ledger-fixtures.ts";

// The inputs and roots that the reference implementation of Certificate Transparency is tested with.
const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(fromHex);
const roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, (_, at) => utf8(`entry ${at}`));

/** Reads complete subtrees by hashing all their leaves: slow and plainly right. */
const reader = (leaves: readonly Uint8Array[]) => {
  const known = new Map<string, Hash>();
  const read = (level: number, index: number): Hash => {
    const key = `${level}/${index}`;
    const hash =
      known.get(key) ?? (level === 0 ? leafHash(leaves[index]!) : nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1)));
    known.set(key, hash);
    return hash;
  };
  return (level: number, index: number) => Promise.resolve(read(level, index));
};

/** Reads complete subtrees of a large tree out of its levels, each one block of memory. */
const levelsOf = (size: number) => {
  const levels = [Buffer.alloc(size * 32)];
  const leaf = Buffer.alloc(4);
  for (let at = 0; at < size; at++) {
    leaf.writeUInt32BE(at);
    levels[0]!.set(leafHash(leaf), at * 32);
  }
  for (let below = levels[0]!; below.length >= 64; below = levels.at(-1)!) {
    const level = Buffer.alloc(Math.floor(below.length / 64) * 32);
    for (let at = 0; at < level.length; at += 32) {
      level.set(nodeHash(below.subarray(2 * at, 2 * at + 32), below.subarray(2 * at + 32, 2 * at + 64)), at);
    }
    levels.push(level);
  }
  return (level: number, index: number): Promise<Hash> => Promise.resolve(levels[level]!.subarray(index * 32, index * 32 + 32));
};

const flip = (hash: Hash, bit = 0): Hash => hash.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));

describe("RFC 6962 trees", () => {
  test("roots of the standard inputs", async () => {
    assert.equal(toHex(emptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (const [at, root] of roots.entries()) {
      const leaves = inputs.slice(0, at + 1);
      assert.equal(toHex(await rangeRoot(reader(leaves), 0, leaves.length)), root);
      assert.equal(toHex(naiveRoot(leaves)), root);
    }
  });

  test("inclusion and consistency for every size up to 300", async () => {
    const most = 300;
    const leaves = leavesOf(most);
    const read = reader(leaves);
    const rootOf = Array.from({ length: most + 1 }, (_, size) => naiveRoot(leaves.slice(0, size)));
    for (let size = 0; size <= most; size++) {
      assert.deepEqual(await rangeRoot(read, 0, size), rootOf[size]);
      for (let index = 0; index < size; index++) {
        const proof = await inclusionPath(read, index, size);
        assert.ok(verifyInclusion(leafHash(leaves[index]!), index, size, proof, rootOf[size]!), `inclusion ${index} of ${size}`);
        if ((index + size) % 7 === 0)
          assert.ok(!verifyInclusion(leafHash(leaves[index]!), index + 1, size, proof, rootOf[size]!), `wrong index ${index} of ${size}`);
      }
      for (let from = 0; from <= size; from++) {
        const proof = await consistencyPath(read, from, size);
        const [older, newer] = [
          { size: from, root: rootOf[from]! },
          { size, root: rootOf[size]! },
        ];
        assert.ok(verifyConsistency(older, newer, proof), `consistency ${from} to ${size}`);
        if ((from + size) % 7 !== 0) continue;
        assert.ok(!verifyConsistency({ ...older, root: flip(older.root) }, newer, proof), `wrong older root ${from} to ${size}`);
        if (from > 0)
          assert.ok(!verifyConsistency(older, { ...newer, root: flip(newer.root) }, proof), `wrong newer root ${from} to ${size}`);
      }
    }
  });

  test("random sizes up to a million", async () => {
    const most = 1_000_000;
    const read = levelsOf(most);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: most }), fc.nat(), fc.nat(), fc.nat(), async (size, a, b, bit) => {
        const [index, from] = [a % size, 1 + (b % (size - 1))];
        const [root, older] = [await rangeRoot(read, 0, size), { size: from, root: await rangeRoot(read, 0, from) }];
        const inclusion = await inclusionPath(read, index, size);
        const leaf = await read(0, index);
        assert.ok(inclusion.length <= 20 && verifyInclusion(leaf, index, size, inclusion, root));
        assert.ok(!verifyInclusion(flip(leaf, bit % 256), index, size, inclusion, root));
        const consistency = await consistencyPath(read, from, size);
        assert.ok(consistency.length <= 21 && verifyConsistency(older, { size, root }, consistency));
        assert.ok(!verifyConsistency(older, { size, root: flip(root, bit % 256) }, consistency));
      }),
      { numRuns: 300 },
    );
  });

  test("larger random sizes, and every kind of damage to a proof is refused", async () => {
    const leaves = leavesOf(3000);
    const read = reader(leaves);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 3000 }), fc.nat(), fc.nat(), fc.nat(), async (size, a, b, bit) => {
        const index = a % size;
        const from = 1 + (b % (size - 1));
        const root = await rangeRoot(read, 0, size);
        const leaf = leafHash(leaves[index]!);
        const inclusion = await inclusionPath(read, index, size);
        assert.ok(verifyInclusion(leaf, index, size, inclusion, root));
        for (const wrong of damaged(inclusion, bit)) assert.ok(!verifyInclusion(leaf, index, size, wrong, root));
        assert.ok(!verifyInclusion(flip(leaf, bit % 256), index, size, inclusion, root));
        const older = { size: from, root: await rangeRoot(read, 0, from) };
        const consistency = await consistencyPath(read, from, size);
        assert.ok(verifyConsistency(older, { size, root }, consistency));
        for (const wrong of damaged(consistency, bit)) assert.ok(!verifyConsistency(older, { size, root }, wrong));
      }),
      { numRuns: 150 },
    );
  });

  test("sizes that are no counts, and proofs without end, are refused and not thrown on", () => {
    const hash = emptyRoot();
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      assert.ok(!verifyInclusion(hash, 0, size, [], hash));
      assert.ok(!verifyInclusion(hash, size, 2 ** 60, [], hash));
      assert.ok(!verifyConsistency({ size, root: hash }, { size: 5, root: hash }, []));
    }
    assert.ok(!verifyInclusion(hash, 0, 2 ** 50, Array(10_000).fill(hash), hash));
    assert.ok(!verifyConsistency({ size: 1, root: hash }, { size: 2 ** 50, root: hash }, Array(10_000).fill(hash)));
  });
});

const damaged = (proof: readonly Hash[], bit: number): Hash[][] => [
  [...proof, emptyRoot()],
  ...(proof.length === 0 ? [] : [proof.slice(1), proof.slice(0, -1)]),
  ...proof.map((_, at) => proof.map((hash, other) => (other === at ? flip(hash, bit % 256) : hash))),
];

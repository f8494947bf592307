import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { packUses, unitedBytes } from "../../core/repository/pack-use.ts";
import { openRangeIndex, sealRange } from "../../core/repository/ranges.ts";
import { memoryRepository, newRecipient } from "./repository-fixture.ts";

const { recipient } = await newRecipient("restorer");

const capture = async (...blocks: readonly Uint8Array[]) => {
  const repository = memoryRepository();
  const { draft } = await repository.capture("opaque", blocks);
  const { bytes } = await sealRange(draft, { recipients: [recipient], keys: repository.keys });
  return { ...repository, uses: packUses(openRangeIndex(bytes, repository.keys.indexKey)) };
};

test("a pack of which everything is needed is needed whole, however little is in it", async () => {
  for (const size of [1, 20, 500, 50_000]) {
    const { packs, uses } = await capture(randomBytes(size));
    assert.equal(uses.length, 1);
    const { pack, bytes, used } = uses[0]!;
    assert.deepEqual([bytes, unitedBytes([used, used])], [packs.get(pack)!.length, bytes], `${size} bytes of content`);
  }
});

test("of a pack that nothing refers to nothing is needed", () => assert.equal(unitedBytes([]), 0));

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { getPlan, putPlanObject } from "../../activities/snapshot/plan-objects.ts";
import type { Store } from "../../core/stores/store.ts";
import { openStore } from "../../core/stores/stores.ts";

const folder = await mkdtemp(join(tmpdir(), "dbgov-plan-"));
after(() => rm(folder, { recursive: true, force: true }));
const disk = await openStore({ kind: "directory", name: "disk", domain: "here", path: folder });
const indexKey = new Uint8Array(32).fill(7);
const signal = new AbortController().signal;

test("batches share one reading of their plan, which a cancelled one does not end for the others", async () => {
  const key = "plans/20261124T000000Z-000000000001/plan-1-1";
  await putPlanObject(disk, indexKey, key, { batches: [[[0, 0]]] }, signal);
  let reads = 0;
  const { promise: open, resolve: release } = Promise.withResolvers<void>();
  const slow: Store = {
    ...disk,
    get: async (name, until, range) => {
      reads += 1;
      await open;
      until.throwIfAborted();
      return await disk.get(name, until, range);
    },
  };
  const cancelled = new AbortController();
  const first = getPlan(slow, indexKey, key, cancelled.signal);
  const second = getPlan(slow, indexKey, key, signal);
  cancelled.abort(new Error("cancelled"));
  await assert.rejects(first, /cancelled/);
  release();
  assert.deepEqual(await second, { batches: [[[0, 0]]] });
  assert.equal(reads, 1);
});

test("a plan that could not be read is read again by the next who asks", async () => {
  const key = "plans/20261124T000000Z-000000000002/plan-1-1";
  await assert.rejects(getPlan(disk, indexKey, key, signal), { type: "ObjectMissing" });
  await putPlanObject(disk, indexKey, key, { batches: [] }, signal);
  assert.deepEqual(await getPlan(disk, indexKey, key, signal), { batches: [] });
});

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findTakeover } from "../../activities/snapshot/find-takeover.ts";
import { putPlanObject } from "../../activities/snapshot/plan-objects.ts";
import { recordReplicas } from "../../core/catalog/record-replica.ts";
import { packKey, rangeKey } from "../../core/repository/object-keys.ts";
import type { Site } from "../../core/site/site.ts";
import { type TakeoverRecord, takeoverKey } from "../../core/snapshot/takeover.ts";
import { openStore } from "../../core/stores/stores.ts";
import { committed, createCatalog, writtenPacks } from "../integration/catalog-database.ts";

const { catalog } = await createCatalog();
const signal = new AbortController().signal;
const indexKey = new Uint8Array(32).fill(7);
/** To whom `committed` seals. */
const recipient = "0123456789abcdef";

test("ranges are taken over only while every recipient can open them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov takeover "));
  after(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore({ kind: "directory", name: "disk", path: folder, domain: "here" } as Parameters<typeof openStore>[0]);
  const siteOf = (...recipients: string[]): Site =>
    ({
      catalog: async () => catalog,
      store: async () => store,
      repositoryKeys: async () => ({ indexKey }),
      recipients: async () => recipients.map((id) => ({ id })),
    }) as unknown as Site;
  const packs = await writtenPacks(catalog, 2);
  const { snapshot, ranges } = await committed(catalog, "rotating", packs);
  const objects = [...packs.map(packKey), ...ranges.map(({ id }) => rangeKey(id))];
  await recordReplicas(
    catalog,
    objects.map((object) => ({ object, store: "disk", receipt: "there", bytes: 1, provenAt: null })),
  );
  const parts = ranges.map(({ id, packs }, n) => ({ place: `${n}`, mark: {}, range: id, rows: 1, bytes: 1, sum: "0", packs }));
  const record = { version: 2, snapshot, sinceFull: 0, parts } satisfies TakeoverRecord;
  await putPlanObject(store, indexKey, takeoverKey(snapshot), record, signal);

  const taken = async (site: Site) => (await findTakeover(site, "rotating", "disk", signal))?.parts.length;
  assert.equal(await taken(siteOf(recipient)), 2);
  assert.equal(await taken(siteOf(recipient, "fedcba9876543210")), 0, "one that came later has no envelope of them");
  assert.equal(await taken(siteOf("fedcba9876543210")), 0, "nor has one that took another's place");

  // What other releases left is read as if it were not there.
  const { version: _version, ...unversioned } = record;
  for (const other of [unversioned, { ...record, version: 3 }]) {
    await putPlanObject(store, indexKey, takeoverKey(snapshot), other, signal);
    assert.equal(await findTakeover(siteOf(recipient), "rotating", "disk", signal), undefined);
  }
});

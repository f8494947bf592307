import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createSealSnapshot, type SealInput } from "../../activities/encrypt/seal-snapshot.ts";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { planPrefix, putPlanObject } from "../../activities/snapshot/plan-objects.ts";
import { manifestKey } from "../../core/repository/object-keys.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import type { Store } from "../../core/stores/store.ts";
import { openStore } from "../../core/stores/stores.ts";
import { createCatalog, envelopeOf, freshId, snapshotOf, writtenPacks } from "../integration/catalog-database.ts";
import { newRecipient, randomKeys } from "../unit/repository-fixture.ts";

const { catalog } = await createCatalog();
const signal = new AbortController().signal;

test("two attempts that seal at once both succeed, with the manifest that was committed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov seal "));
  after(() => rm(folder, { recursive: true, force: true }));
  const store = await openStore({ kind: "directory", name: "disk", path: folder, domain: "here" } as Parameters<typeof openStore>[0]);
  const keys = randomKeys();
  const { recipient } = await newRecipient("restorer");
  const { snapshot } = snapshotOf("shop", []);
  const packs = await writtenPacks(catalog, 1);
  const range = freshId();
  const stream = { name: "t", kind: "rows", framing: "lines", target: {}, parts: [{ selector: {}, estimatedBytes: 1 }] };
  const plan = { plan: { databaseName: "shop", notes: [], streams: [stream] }, takenOver: {}, earlierSnapshot: null, sinceFull: 0 };
  const part = { part: [0, 0], range, rows: 1, bytes: 1, sum: "0".repeat(16), packs, envelopes: [envelopeOf(range)] };
  const [planKey, batchKey] = [`${planPrefix(snapshot)}plan`, `${planPrefix(snapshot)}batch`];
  await putPlanObject(store, keys.indexKey, planKey, plan, signal);
  await putPlanObject(store, keys.indexKey, batchKey, { parts: [part] }, signal);

  // Neither commits before the other has sealed its manifest, too.
  let drafts = 0;
  const { promise: both, resolve } = Promise.withResolvers<void>();
  const meeting: Store = {
    ...store,
    put: async (key, bytes, stop) => {
      const receipt = await store.put(key, bytes, stop);
      if (!key.includes("/manifest-")) return receipt;
      drafts += 1;
      if (drafts === 2) resolve();
      await both;
      return receipt;
    },
  };
  const site = {
    catalog: async () => catalog,
    store: async () => meeting,
    repositoryKeys: async () => keys,
    recipients: async () => [recipient],
    signer: async () => signerFromSeed("05".repeat(32)),
    signingKeys: async () => [{ publicKey: signerFromSeed("05".repeat(32)).publicKey }],
    database: () => ({ engine: "postgres" }),
  };
  const { sealSnapshot } = createSealSnapshot({ site: async () => site } as unknown as ActivityEnvironment);
  const at = new Date().toISOString();
  const input = {
    ...{ database: "shop", policy: { name: "nightly", landing: "disk" }, snapshot, startedAt: at, capturedAt: at },
    ...{ consistency: "transactional", serverVersion: "18", plan: planKey, batches: [batchKey], bytes: { read: 1, new: 1, stored: 1 } },
  } as unknown as SealInput;
  const attempt = (): Promise<{ rows: number; manifestHash: string; signer: string }> =>
    new MockActivityEnvironment().run(sealSnapshot, input);
  const [first, second] = await Promise.all([attempt(), attempt()]);
  assert.deepEqual(first, second);
  assert.equal(first.signer, Buffer.from(signerFromSeed("05".repeat(32)).publicKey).toString("hex"));
  const written = await store.get(manifestKey(snapshot), signal);
  assert.equal(createHash("sha256").update(written).digest("hex"), first.manifestHash);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { createVerifySnapshot } from "../../activities/restore/verify-snapshot.ts";
import { reachState } from "../../core/catalog/reach-state.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { recordReplica } from "../../core/catalog/record-replica.ts";
import type { VerifyInput, VerifyResult } from "../../core/domain/run.ts";
import { manifestKey, rangeKey } from "../../core/repository/object-keys.ts";
import { committed, createCatalog, writtenPacks } from "../integration/catalog-database.ts";

const { catalog } = await createCatalog();

for (const [type, stays] of [
  ["ContentDiffers", false],
  ["EnvelopeMissing", false],
  ["ObjectCorrupt", false],
  ["StoreUnreachable", true],
] as const) {
  test(`a snapshot that was verified ${stays ? "stays so" : "is no longer so"} when a verification finds ${type}`, async () => {
    const { snapshot, ranges } = await committed(catalog, `shop-${type}`, await writtenPacks(catalog, 1));
    await recordReplica(catalog, { object: manifestKey(snapshot), store: "disk", receipt: "there", bytes: 1, provenAt: null });
    await reachState(catalog, snapshot, "verified", {}, new Date());
    const problem = { store: "disk", object: rangeKey(ranges[0]!.id), type, message: "as told" };
    const site = {
      catalog: async () => catalog,
      loaded: { config: { databases: [{ name: `shop-${type}` }], stores: [] } },
      policyOf: () => ({ landing: "disk", stores: [], envelopes: [] }),
      recipientSecret: async () => ({ secret: {} }),
      signingKeys: async () => [{ publicKey: new Uint8Array(32) }],
      storeConfig: async () => ({ name: "disk" }),
      store: async () => ({ name: "disk" }),
    };
    // What the job finds is tested by itself; this is what comes of it.
    const threads = { run: async () => ({ proven: {}, bytes: 0, objects: 1, problems: [problem] }) };
    const environment = { site: async () => site, threads } as unknown as ActivityEnvironment;
    const { verifySnapshot } = createVerifySnapshot(environment);
    const input: VerifyInput = { snapshot, depth: "full" };
    const { verified } = (await new MockActivityEnvironment().run(verifySnapshot, input)) as VerifyResult;
    assert.equal(verified, false);
    const states = (await getSnapshot(catalog, snapshot))?.states.map(({ state }) => state) ?? [];
    assert.equal(states.includes("verified"), stays);
  });
}

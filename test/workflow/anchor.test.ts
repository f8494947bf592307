import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { latestCheckpoint } from "../../core/catalog/latest-checkpoint.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { askRpc } from "../stack/components/http.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { useStack } from "../stack/use-stack.ts";

/** A chain of its own, whose blocks come when the test says so: it is reorganized under the workflow's feet. */
describe("anchoring on a chain that is reorganized", () => {
  let folder: string;
  let test: TestSite;
  let rpc: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov anchor chain "));
    const { anvil } = await stackUp({ folder, components: ["anvil"] });
    rpc = anvil.rpc;
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "arlocal");
    const source = await createDatabase(stack, "anchor_source");
    await runSql(source, "CREATE TABLE t (n int)");
    test = await createTestSite({
      name: "anchor",
      stack: { ...stack, anvil },
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
    });
    await test.worker();
  });
  after(async () => {
    await test?.close();
    await stackDown(folder, { purge: true });
    await rm(folder, { recursive: true, force: true });
  });

  const anchored = async (status: "submitted" | "mined" | "finalized") => await latestAnchor(await test.site.catalog(), "chain", status);
  const within = async <T>(seconds: number, what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const deadline = Date.now() + seconds * 1_000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) assert.fail(`not within ${seconds} s: ${what}`);
      await delay(100);
    }
  };

  it("submits again when the block of its transaction is gone, and is anchored by the second one", async () => {
    // From here on a block is made for a transaction alone, so nothing becomes final by itself.
    await askRpc(rpc, "evm_setIntervalMining", [0]);
    await askRpc(rpc, "evm_setAutomine", [true]);
    const before = await askRpc(rpc, "evm_snapshot");
    const { snapshot } = await test.backup("shop");
    const first = await within(20, "the transaction is mined", () => anchored("mined"));
    await askRpc(rpc, "evm_revert", [before]);
    const second = await within(30, "another transaction is mined", async () => {
      const found = await anchored("mined");
      return found !== undefined && (found.transaction !== first.transaction || found.blockHash !== first.blockHash) ? found : undefined;
    });
    assert.notEqual(second.blockHash, first.blockHash);
    await askRpc(rpc, "evm_setIntervalMining", [1]);
    await test.client.workflow.getHandle("anchor/chain").result();
    const final = await anchored("finalized");
    const head = await latestCheckpoint(await test.site.catalog(), test.site.loaded.config.log.origin);
    assert.deepEqual([final?.size, final?.root], [head?.size, head?.root]);
    const { json } = await test.dbgov("snapshots", snapshot);
    assert.ok(
      json.states.some(({ state }: { state: string }) => state === "anchored"),
      JSON.stringify(json),
    );
    const events = (await test.client.workflow.getHandle("anchor/chain").fetchHistory()).events ?? [];
    const submissions = events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "submitCheckpoint");
    assert.ok(submissions.length >= 2);
    const results = events.map((event) => event.activityTaskCompletedEventAttributes?.result?.payloads?.[0]?.data);
    assert.ok(
      results.some((data) => data != null && Buffer.from(data).toString() === '"dropped"'),
      "the loss of the first was seen",
    );
    assert.ok((await logEntries(await test.site.catalog(), { kind: "snapshot-sealed" })).length === 1);
  });
});

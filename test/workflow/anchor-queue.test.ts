import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { query } from "../../core/catalog/catalog.ts";
import { latestCheckpoint } from "../../core/catalog/latest-checkpoint.ts";
import { latestAnchor } from "../../core/catalog/read-anchors.ts";
import { until } from "../integration/ledger-chain.ts";
import { type PrivateChain, startPrivateChain } from "../integration/ledger-private-chain.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

/** A chain whose blocks come when the test says so, and two workers that could both send to it. */
describe("one transaction at a time, within the budget", () => {
  let chain: PrivateChain;
  let test: TestSite;
  let timer: NodeJS.Timeout;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "arlocal");
    chain = await startPrivateChain(1);
    // Setting up the site sends transactions and waits for them.
    timer = setInterval(() => void chain.mine().catch(() => {}), 100);
    const source = await createDatabase(stack, "queue_source");
    await runSql(source, "CREATE TABLE t (n int)");
    test = await createTestSite({
      name: "queue",
      stack: { ...stack, anvil: { rpc: chain.rpc, chainId: chain.chainId, keys: [] } },
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors[0] = { ...config.anchors[0], every: "1s", replaceAfter: "2s", budgetPerMonthWei: "1" };
        config.anchors.push({ ...config.anchors[0], name: "second" });
      },
    });
    clearInterval(timer);
    await Promise.all([test.worker(), test.worker()]);
  });
  after(async () => {
    clearInterval(timer);
    await test?.close();
    chain?.stop();
  });

  interface Sent {
    readonly anchor: string;
    readonly nonce: number;
    readonly status: string;
  }
  const sent = async (): Promise<Sent[]> =>
    await query<Sent>(
      await test.site.catalog(),
      "looking",
      "SELECT anchor, nonce, status FROM dbgov.chain_transaction ORDER BY sent_at, fee",
    );
  const details = async (anchor: string): Promise<string> => {
    const handle = test.client.workflow.getHandle(`anchor/${anchor}`);
    const answer = (await handle.query("__temporal_workflow_metadata")) as { currentDetails?: string };
    return answer.currentDetails ?? "";
  };

  it("over the month's budget it queues and says so; with a larger one it goes on by itself", async () => {
    await test.backup("shop");
    const said = await until(
      () => details("chain").catch(() => ""),
      (text) => text.includes("queued"),
    );
    assert.match(
      said,
      /anchor chain has spent 0 of 1 wei in \d{4}-\d\d, and the next transaction may cost \d+: it waits for the next month/,
    );
    assert.deepEqual(await sent(), []);
    await test.reconfigure((config) => {
      for (const anchor of config.anchors) anchor.budgetPerMonthWei = "1000000000000000000";
    });
    const [first] = await until(sent, (list) => list.length > 0);
    assert.equal(first?.status, "sent");
  });

  it("two anchors of one chain take turns, and what no block takes is replaced at the same nonce", async () => {
    const waiting = first(await sent()).anchor === "chain" ? "second" : "chain";
    const said = await until(
      () => details(waiting),
      (text) => text.includes("one at a time"),
    );
    assert.match(said, /the transaction 0x[0-9a-f]{64} of anchor \w+ is on its way on chain 31338: one at a time/);
    const replaced = await until(sent, (list) => list.length >= 2);
    assert.equal(new Set(replaced.map(({ nonce }) => nonce)).size, 1, JSON.stringify(replaced));
    timer = setInterval(() => void chain.mine().catch(() => {}), 200);
    const catalog = await test.site.catalog();
    for (const anchor of ["chain", "second"]) {
      await until(
        () => latestAnchor(catalog, anchor, "finalized"),
        (found) => found !== undefined,
        60_000,
      );
    }
    const head = await latestCheckpoint(catalog, test.site.loaded.config.log.origin);
    assert.equal((await latestAnchor(catalog, "chain", "finalized"))?.root, head?.root);
    const all = await sent();
    for (const nonce of new Set(all.map((one) => one.nonce))) {
      const states = all.filter((one) => one.nonce === nonce).map(({ status }) => status);
      assert.ok(states.filter((status) => status === "final").length <= 1, JSON.stringify(all));
    }
    const [row] = await query<{ cost: string }>(catalog, "looking", "SELECT max(cost)::text AS cost FROM dbgov.chain_transaction");
    assert.ok(BigInt(row?.cost ?? "0") > 0n, "what was paid is known");
  });
});

const first = <T>(list: readonly T[]): T => {
  assert.ok(list[0] !== undefined);
  return list[0];
};

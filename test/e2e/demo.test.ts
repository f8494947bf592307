import assert from "node:assert/strict";
import { test } from "node:test";
import type { DemoReport } from "../../client/demo/demo-report.ts";
import { runDbgov } from "../../client/demo/run-dbgov.ts";

test("the demo shows the whole line on real components, and says so in its last line", { timeout: 600_000 }, async () => {
  const { stdout, stderr, code } = await runDbgov(["demo", "--json"], { cwd: process.cwd(), env: process.env });
  assert.equal(code, 0, `${stdout}\n${stderr.slice(-4_000)}`);
  const report = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as DemoReport;

  assert.deepEqual(
    report.databases.map(({ database, state, degraded }) => ({ database, state, degraded })),
    [
      { database: "shop", state: "drilled", degraded: false },
      { database: "orders", state: "drilled", degraded: false },
    ],
  );
  const [shop, orders] = report.databases;
  assert.ok(shop !== undefined && shop.rows >= 200_000, "at least 200,000 rows");
  assert.ok(orders !== undefined && orders.rows >= 50_000, "at least 50,000 documents");
  for (const { bytes, replicas, seconds } of report.databases) {
    assert.ok(bytes.read > 0 && bytes.new > 0 && bytes.stored > 0 && bytes.stored < bytes.read);
    assert.ok(seconds > 0);
    assert.deepEqual(replicas.map(({ store }) => store).sort(), ["azure", "ipfs", "local"]);
    for (const { packs, verified } of replicas) assert.ok(packs > 0 && verified > 0 && verified <= packs);
  }
  assert.ok(report.checkpoint.size >= 2);
  assert.match(report.checkpoint.root, /^[0-9a-f]{64}$/);
  assert.equal(report.anchor.finalized, true);
  assert.match(report.anchor.transaction, /^0x[0-9a-f]{64}$/);
  assert.ok(report.anchor.block > 0);
  assert.equal(report.proof.verified, true);
  assert.equal(report.corruption.detected, true);
  assert.deepEqual(
    report.drills.map(({ database, identical }) => ({ database, identical })),
    [
      { database: "shop", identical: true },
      { database: "orders", identical: true },
    ],
  );
  const { pass, fail, inconclusive } = report.sweep;
  assert.ok(pass > 0 && fail > 0 && inconclusive >= 0, "a stack on loopback without TLS has findings, and they are not hidden");
  assert.match(report.ui, /^http:\/\//);
});

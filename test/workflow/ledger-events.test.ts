import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import type { LogEntry } from "../../core/ledger/entries.ts";
import { openLog } from "../../core/ledger/log.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

describe("what a run and a configuration put into the log", () => {
  let test: TestSite;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    const source = await createDatabase(stack, "events_source");
    await runSql(source, "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 100)");
    test = await createTestSite({
      name: "events",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
  });
  after(() => test?.close());

  const entries = async (kind: LogEntry["kind"]): Promise<LogEntry[]> => {
    const { site } = test;
    const { origin, store } = site.loaded.config.log;
    const log = await openLog({ store: await site.store(store), origin, signer: await site.logSigner() });
    const found: LogEntry[] = [];
    for (const { index } of await logEntries(await site.catalog(), { kind })) found.push((await log.entry(index)).entry);
    return found;
  };
  const applied = async (): Promise<void> => {
    assert.equal((await test.dbgov("apply")).code, 0);
    for await (const { workflowId } of test.client.workflow.list({ query: "WorkflowType = 'configuration'" })) {
      await test.client.workflow.getHandle(workflowId).result();
    }
  };

  it("a snapshot that is replicated is so in the log, right after it is sealed there", async () => {
    const { snapshot } = await test.backup("shop");
    const [sealed] = await entries("snapshot-sealed");
    const [replicated] = await entries("snapshot-replicated");
    assert.ok(sealed?.kind === "snapshot-sealed" && replicated?.kind === "snapshot-replicated");
    assert.deepEqual([sealed.snapshot, replicated.snapshot], [snapshot, snapshot]);
    assert.deepEqual([sealed.sequence, replicated.sequence], [1, 2]);
    assert.deepEqual([replicated.copies, replicated.domains, replicated.failed], [2, 2, 0]);
    assert.deepEqual([sealed.database, sealed.manifestHash], [replicated.database, replicated.manifestHash]);
    assert.ok(sealed.bytesStored !== undefined && sealed.startedAt !== undefined);
  });

  it("a configuration is logged when it is applied, once; another one again, and keys that were exchanged with it", async () => {
    await applied();
    await applied();
    const [first, ...others] = await entries("configuration-changed");
    assert.ok(first?.kind === "configuration-changed");
    assert.deepEqual(others, []);
    assert.deepEqual(await entries("keys-rotated"), []);
    assert.equal(first.recipients.length, 1);

    await test.reconfigure((config) => {
      config.policies[0].retention = { ...config.policies[0].retention, last: 9 };
    });
    await applied();
    assert.equal((await entries("configuration-changed")).length, 2);
    assert.deepEqual(await entries("keys-rotated"), []);

    await writeFile(join(dirname(test.config), "keys", "signing.secret"), "ab".repeat(32));
    await applied();
    const [, , third, ...more] = await entries("configuration-changed");
    assert.ok(third?.kind === "configuration-changed" && more.length === 0);
    const [rotation] = await entries("keys-rotated");
    assert.ok(rotation?.kind === "keys-rotated");
    assert.deepEqual([rotation.purpose, rotation.before, rotation.after], ["signing", first.signer, third.signer]);
    assert.notEqual(first.signer, third.signer);
  });
});

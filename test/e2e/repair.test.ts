import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import type { Store } from "../../core/stores/store.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const signal = new AbortController().signal;

describe("repair, as an operator has it", () => {
  let test: TestSite;
  let pack: string;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    const source = await createDatabase(stack, "repair_source");
    await runSql(source, "CREATE TABLE item AS SELECT n, md5(n::text) AS text FROM generate_series(1, 2000) n");
    test = await createTestSite({
      ...{ name: "repair", stack, databases: [{ name: "shop", engine: "postgres", url: source }] },
      policy: { stores: ["azure"], archive: [], copies: 2, domains: 2, patience: "1s" },
      change: (config) => {
        config.anchors = [];
        config.stores = config.stores.filter(({ name }: { name: string }) => ["local", "azure"].includes(name));
      },
    });
    await test.worker();
    const { snapshot } = await test.backup("shop");
    await test.client.workflow.getHandle(`verify/${snapshot}`).result();
    const { packs } = await snapshotObjects(await test.site.catalog(), snapshot);
    pack = packKey(packs[0]!.id);
  });
  after(() => test?.close());

  const fileOf = (key: string): string => join(test.folder, "site", "store", key);
  const flip = async (): Promise<Buffer> => {
    const before = await readFile(fileOf(pack));
    const altered = Buffer.from(before);
    altered[20]! ^= 1;
    await writeFile(fileOf(pack), altered);
    return before;
  };

  it("proves every copy of a store that is well, and says so", async () => {
    const { code, json, stderr } = await test.dbgov("repair", "--store", "local");
    assert.equal(code, 0, stderr);
    const [local] = json.stores;
    assert.deepEqual([json.stores.length, local.store, local.trust, local.lost, local.covered], [1, "local", 1, 0, local.copies]);
    assert.deepEqual([local.pass.asked, local.pass.proven, local.pass.found], [local.copies, local.copies, 0]);
    assert.deepEqual([json.findings, json.left], [[], 0]);
  });

  it("finds a flipped bit, replaces the copy, logs it, and believes the store less", async () => {
    const good = await flip();
    const { code, json, stderr } = await test.dbgov("repair", "--store", "local");
    assert.equal(code, 0, `what was found is put right: ${stderr}`);
    const [local] = json.stores;
    assert.deepEqual([local.pass.found, local.pass.repaired, local.lost, json.left], [1, 1, 0, 0]);
    assert.ok(local.trust < 0.9);
    const [{ store, object, kind, outcome, repairedFrom }] = json.findings;
    assert.deepEqual([store, object, kind, outcome, repairedFrom], ["local", pack, "changed", "repaired", "azure"]);
    assert.deepEqual(await readFile(fileOf(pack)), good);
    const [logged, ...more] = await logEntries(await test.site.catalog(), { kind: "copies-repaired" });
    assert.ok(logged !== undefined && more.length === 0);
    const shown = await test.dbgov("repair", "--show");
    assert.deepEqual([shown.code, shown.json.stores.length, shown.json.stores[0].pass, shown.json.left], [0, 2, null, null]);
  });

  it("reads the log's copy in another store, too, and puts it right", async () => {
    const [azure, local] = [await test.site.store("azure"), await test.site.store("local")];
    const head = async (store: Store): Promise<string> => Buffer.from(await store.get("log/checkpoint", signal)).toString();
    // What the repair before this has logged is on its way to the copy.
    while ((await head(azure)) !== (await head(local))) await pause(100);
    const size = Number((await head(azure)).split("\n")[1]);
    const partial = (await Array.fromAsync(azure.list("log/tile/entries/000.p/", signal))).find(({ key }) => key.endsWith(`/${size}`));
    const altered = Buffer.from(await azure.get(partial!.key, signal));
    altered[10]! ^= 1;
    await azure.delete(partial!.key, signal);
    await azure.put(partial!.key, altered, signal);
    const { code, json } = await test.dbgov("repair", "--store", "azure");
    const [{ pass, trust }] = json.stores;
    assert.deepEqual([code, pass.found, pass.log.found], [0, 0, 1]);
    assert.ok(pass.log.asked >= 2 && trust < 0.9);
    assert.deepEqual([json.findings[0].object, json.findings[0].outcome], [partial!.key, "repaired"]);
  });

  it("fails with CopyLost, naming it, when no store has a good copy any more", async () => {
    await rm(fileOf(pack));
    await (await test.site.store("azure")).delete(pack, signal);
    // The other store is found out when its copy is to be the source.
    const { code, json } = await test.dbgov("repair", "--store", "azure");
    assert.deepEqual([code, json.error.type], [5, "CopyLost"]);
    assert.ok(json.error.message.includes(pack));
    const shown = await test.dbgov("repair", "--show");
    assert.equal(shown.code, 3);
    assert.deepEqual(
      shown.json.stores.map(({ store, lost }: { store: string; lost: number }) => [store, lost]),
      [
        ["local", 1],
        ["azure", 1],
      ],
    );
  });

  it("renews what ends: nothing here does", async () => {
    const run = await test.client.workflow.start("renewal", { workflowId: "renewal", taskQueue: "orchestrate" });
    assert.deepEqual(await run.result(), []);
  });
});

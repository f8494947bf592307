import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { lastRuns } from "../../core/catalog/last-runs.ts";
import { getSnapshot, listSnapshots } from "../../core/catalog/read-snapshots.ts";
import type { BackupResult } from "../../core/domain/run.ts";
import { outcomeKey } from "../../workflows/search-attributes.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

const run = promisify(execFile);
const rows = 4_000;

/** Stores that do not take part: the run says so, and what it believes can be restored. */
describe("stores that fail during a backup", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let azure: TcpFront;
  let source: string;
  let test: TestSite;

  before(async () => {
    stack = await startStack();
    const blob = new URL(/BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1] ?? "");
    azure = await openTcpFront({ host: blob.hostname, port: Number(blob.port) });
    source = await createDatabase(stack, "faults_source");
    await runSql(source, `CREATE TABLE orders AS SELECT n, md5(n::text) AS text FROM generate_series(1, ${rows}) n`);
    test = await createTestSite({
      name: "faults",
      stack: { ...stack, azurite: { connectionString: throughFront(stack.azurite.connectionString, blob.host, azure) } },
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure", "ipfs"], copies: 2, domains: 2, archive: [], patience: "1s" },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
  });
  after(async () => {
    await test?.close();
    await azure?.close();
  });

  const assertRestores = async (snapshot: string): Promise<void> => {
    const target = await createDatabase(stack, "faults_target");
    const { code, json } = await test.dbgov("restore", snapshot, "--to", target);
    assert.deepEqual([code, json.identical, json.rows], [0, true, rows]);
  };

  /** A backup that is done in two stores of three, and says what the third one's matter is. */
  const assertDegraded = async (reason: RegExp): Promise<void> => {
    const { code, json } = await test.dbgov("backup", "shop");
    assert.deepEqual([code, json.state, json.degraded, json.rows], [3, "logged", true, rows]);
    assert.deepEqual(
      json.replicas.map(({ store, packs, verified }: BackupResult["replicas"][number]) => [store, packs > 0, verified > 0]),
      [
        ["local", true, true],
        ["ipfs", true, true],
      ],
    );
    const [last] = await lastRuns(await test.site.catalog(), "shop");
    assert.equal(last?.outcome, "degraded");
    assert.match(last?.message ?? "", reason);
    const { typedSearchAttributes } = await test.client.workflow.getHandle("backup/shop").describe();
    assert.equal(typedSearchAttributes.get(outcomeKey), "degraded");
    const replicated = (await getSnapshot(await test.site.catalog(), json.snapshot))?.states.find(({ state }) => state === "replicated");
    assert.deepEqual(replicated?.evidence.failed, [{ store: "azure", type: "StoreUnreachable" }]);
    assert.equal((await test.dbgov("status")).json.databases[0].copies, 2);
    await assertRestores(json.snapshot);
  };

  it("degrade it when one is away and the quorum holds; the next backup heals it", async () => {
    await azure.down();
    await assertDegraded(/^azure: store "azure" .*ECONNREFUSED/);
    await azure.up();
    const { code, json } = await test.dbgov("backup", "shop");
    assert.deepEqual([code, json.degraded, json.bytes.stored < 100_000], [0, false, true]);
    assert.deepEqual(
      json.replicas.map(({ store }: { store: string }) => store),
      ["local", "azure", "ipfs"],
    );
    const verified = await test.dbgov("verify", json.snapshot, "--store", "azure");
    assert.deepEqual([verified.code, verified.json.verified], [0, true]);
    assert.equal((await test.dbgov("status")).json.databases[0].copies, 3);
  });

  it("do not stand between a restore and another store's copy, though their secret is not set", async () => {
    const [newest] = await listSnapshots(await test.site.catalog(), { database: "shop", limit: 1 });
    const { DBGOV_AZURE: _unset, ...env } = { ...process.env, ...test.environment };
    const target = await createDatabase(stack, "faults_secretless");
    const args = ["restore", newest?.snapshot ?? "", "--to", target, "--config", test.config, "--json"];
    const { code, stdout } = await runDbgov(args, { cwd: test.folder, env });
    assert.deepEqual([code, JSON.parse(stdout).identical], [0, true], stdout);
    const named = await runDbgov([...args, "--replace", "--store", "azure"], { cwd: test.folder, env });
    assert.deepEqual([named.code, JSON.parse(named.stdout).error.type], [2, "SecretMissing"]);
  });

  it("degrade it when one answers with errors", async () => {
    azure.answer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    await assertDegraded(/^azure: store "azure" .*500/);
    azure.answer(undefined);
  });

  it("fail it when the disk of the landing store is full, and nothing of it is believed", async (context: TestContext) => {
    const disk = join(test.folder, "small disk");
    await mkdir(disk);
    try {
      await run("mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]);
    } catch {
      return context.skip("no right to mount a small disk here");
    }
    try {
      await test.reconfigure((config) => {
        config.stores.push({ name: "small", kind: "directory", domain: "small-disk", path: disk });
        config.policies[0].landing = "small";
      });
      await writeFile(join(disk, "filler"), new Uint8Array(250_000));
      const { code, json } = await test.dbgov("backup", "shop");
      assert.deepEqual([code, json.error.type], [1, "StoreFull"]);
      assert.match(json.error.message, /store "small" \(.*small disk\)/);
      await rm(join(disk, "filler"));
      const next = await test.dbgov("backup", "shop");
      assert.deepEqual([next.code, next.json.degraded, next.json.rows], [0, false, rows]);
      await assertRestores(next.json.snapshot);
    } finally {
      await run("umount", [disk]);
    }
  });

  it("has told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createClient } from "@redis/client";
import { createTestSite, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

describe("Redis through the command line", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal", "redis");
  let test: TestSite;
  /** On the server that all tests share: a logical database of its own. */
  let source: string;
  let target: string;
  let folder: string;
  const on = async <T>(url: string, work: (call: (...command: string[]) => Promise<unknown>) => Promise<T>): Promise<T> => {
    const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    try {
      return await work((...command) => client.sendCommand(command));
    } finally {
      client.destroy();
    }
  };

  before(async () => {
    const stack = await startStack();
    const database = randomInt(0, 6) * 2;
    source = `${stack.redis.url}/${database}`;
    target = `${stack.redis.url}/${database + 1}`;
    folder = await mkdtemp(join(tmpdir(), "dbgov-redis-"));
    await on(source, async (call) => {
      await call("FLUSHDB");
      for (let n = 0; n < 2_000; n++) await call("HSET", `user:${n}`, "name", `n${n}`, "mail", `${n}@example.org`);
      await call("SET", "session:1", "x", "EX", "3600");
      await call("XADD", "events", "1-1", "kind", "signup");
      await call("XGROUP", "CREATE", "events", "workers", "0");
    });
    await on(target, (call) => call("FLUSHDB"));
    test = await createTestSite({
      name: "redis",
      stack,
      databases: [{ name: "cache", engine: "redis", url: source }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    await test.worker();
  });
  after(async () => {
    await test?.close();
    for (const url of [source, target]) await on(url, (call) => call("FLUSHDB"));
    await rm(folder, { recursive: true, force: true });
  });

  it("is checked, backed up, restored, drilled, exported, and restored in part", async () => {
    const backup = await test.dbgov("backup", "cache");
    assert.equal(backup.code, 0, `${backup.stdout}${backup.stderr}`);
    assert.equal(backup.json.rows, 2_002);
    const { snapshot } = backup.json as { snapshot: string };

    const restore = await test.dbgov("restore", snapshot, "--to", target);
    assert.equal(restore.code, 0, `${restore.stdout}${restore.stderr}`);
    assert.equal(restore.json.identical, true);
    assert.equal(await on(target, (call) => call("DBSIZE")), 2_002);

    const again = await test.dbgov("restore", snapshot, "--to", target);
    assert.equal(again.code, 1);
    assert.match(again.stdout + again.stderr, /TargetNotEmpty/);

    await on(target, (call) => call("DEL", "user:7", "user:8"));
    const part = await test.dbgov("restore", snapshot, "--to", target, "--only", "user:7");
    assert.equal(part.code, 0, `${part.stdout}${part.stderr}`);
    assert.equal(await on(target, (call) => call("EXISTS", "user:7", "user:8")), 1);

    const drill = await test.dbgov("drill", "cache");
    assert.equal(drill.code, 0, `${drill.stdout}${drill.stderr}`);
    assert.equal(drill.json.identical, true);
    assert.doesNotMatch(String(await on(source, (call) => call("INFO", "keyspace"))), /db15/);

    const exported = await test.dbgov("export", snapshot, "--out", join(folder, "export"));
    assert.equal(exported.code, 0, `${exported.stdout}${exported.stderr}`);
    assert.ok((await readdir(join(folder, "export"))).includes("keys.resp"));
  });
});

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import type { BackupResult } from "../../core/domain/run.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

describe("stores that come and go: status, plan, forecast, evacuation, rebalancing, quotas", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal", "s3");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let source: string;
  let client: S3Client;
  const bucket = `stores-${randomUUID()}`;
  let first: BackupResult;

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "stores_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n, md5(n::text) AS code FROM generate_series(1, 20000) n");
    const { endpoint, accessKeyId, secretAccessKey } = stack.s3;
    client = new S3Client({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    Object.assign(process.env, { S3_STORES_ID: accessKeyId, S3_STORES_SECRET: secretAccessKey });
    test = await createTestSite({
      name: "stores",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["bucket"], copies: 2, domains: 2, archive: [], envelopes: ["bucket"] },
      change: (config) => {
        config.anchors = [];
        config.stores = config.stores.filter(({ name }: { name: string }) => name === "local");
        const secrets = { accessKeyId: { env: "S3_STORES_ID" }, secretAccessKey: { env: "S3_STORES_SECRET" } };
        config.stores.push({ name: "bucket", kind: "s3", domain: "s3", bucket, endpoint, quota: "1GB", ...secrets });
        for (const name of ["spare", "joined"]) config.stores.push({ name, kind: "directory", domain: name, path: name, quota: "50MB" });
      },
    });
    await test.worker();
    first = await test.backup("shop");
  });
  after(async () => {
    await test?.close();
    await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(source)} WITH (FORCE)`);
    client.destroy();
  });
  const holdersOf = async (snapshot: string): Promise<string[]> => {
    const { json } = await test.dbgov("snapshots", snapshot);
    return json.replicas.map(({ store, objects }: { store: string; objects: number }) => `${store} ${objects}`);
  };

  it("shows each store, what would go where, and when it is full", async () => {
    const status = await test.dbgov("stores", "status");
    assert.equal(status.code, 0, status.stdout + status.stderr);
    const [local, s3, spare] = status.json.stores;
    assert.deepEqual(Object.keys(local), ["name", "kind", "used", "allowance", "packs", "proven", "health"]);
    assert.deepEqual([local.name, local.allowance, local.health], ["local", null, "good"]);
    assert.ok(s3.used > 0 && s3.packs > 0 && s3.proven.packs > 0 && s3.proven.oldest !== null, JSON.stringify(s3));
    assert.deepEqual([s3.allowance, spare.used, spare.packs], [1e9, 0, 0]);

    const plan = await test.dbgov("stores", "plan", "--objects");
    assert.equal(plan.code, 0, plan.stdout + plan.stderr);
    assert.equal(plan.json.policies[0].refused, 0);
    assert.ok(plan.json.objects.every(({ choices }: { choices: { adds: number }[] }) => choices.every(({ adds }) => adds === 0)));

    const page = join(test.folder, "forecast.html");
    const forecast = await test.dbgov("stores", "forecast", "--estate", "45MB", "--growth", "1MB", "--days", "60", "--html", page);
    assert.equal(forecast.code, 0, forecast.stdout + forecast.stderr);
    assert.deepEqual(
      forecast.json.stores.map(({ name }: { name: string }) => name),
      ["local", "bucket", "spare", "joined"],
    );
    assert.equal(forecast.json.timeline.at(-1).day, 60);
    const html = await readFile(page, "utf8");
    assert.match(html, /<svg role="img" aria-label="Bytes by store"/);
    assert.doesNotMatch(html, /<script|https?:/);
    const wrong = await test.dbgov("stores", "forecast", "--estate", "lots");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stdout + wrong.stderr, /--estate must be a size as 5MB or 10GB/);
  });

  it("moves what a bucket that is gone for good had, from the others, while a backup runs; again it moves nothing", async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key: Key! })) } }));
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    assert.match((await test.dbgov("stores")).stdout, /"name":"bucket".*?"health":"unreachable"/);

    const named = await test.dbgov("stores", "evacuate", "bucket", "--gone");
    assert.equal(named.code, 2, named.stdout + named.stderr);
    assert.match(named.stdout + named.stderr, /policy \S+ still names store bucket/);

    await test.reconfigure((config) => Object.assign(config.policies[0], { stores: ["spare"], envelopes: ["spare"] }));
    await runSql(source, "INSERT INTO orders SELECT n, md5((-n)::text) FROM generate_series(20001, 30000) n");
    const [gone, second] = await Promise.all([test.dbgov("stores", "evacuate", "bucket", "--gone", "--rate", "20MB"), test.backup("shop")]);
    assert.equal(gone.code, 0, gone.stdout + gone.stderr);
    assert.equal(second.degraded, false);
    assert.deepEqual(gone.json.left, {});
    for (const snapshot of [first.snapshot, second.snapshot]) {
      const holders = await holdersOf(snapshot);
      assert.deepEqual(
        holders.map((holder) => holder.split(" ")[0]),
        ["local", "spare"],
        snapshot,
      );
      const verified = await test.dbgov("verify", snapshot, "--store", "spare");
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    }
    const again = await test.dbgov("stores", "evacuate", "bucket", "--gone");
    assert.deepEqual([again.code, again.json.moved, again.json.emptied], [0, 0, 0], again.stdout + again.stderr);
  });

  it("fills a store that joins, and empties one that is left", async () => {
    await test.reconfigure((config) => Object.assign(config.policies[0], { stores: ["spare", "joined"] }));
    const filled = await test.dbgov("stores", "rebalance", "--rate", "20MB");
    assert.equal(filled.code, 0, filled.stdout + filled.stderr);
    assert.ok(filled.json.moved > 0 && filled.json.bytes > 0);
    const holders = (await holdersOf(first.snapshot)).map((holder) => holder.split(" ")[0]);
    assert.deepEqual(holders, ["joined", "local", "spare"]);
    assert.equal((await test.dbgov("stores", "rebalance")).json.moved, 0);

    await test.reconfigure((config) => Object.assign(config.policies[0], { stores: ["joined"], envelopes: ["joined"] }));
    const emptied = await test.dbgov("stores", "evacuate", "spare", "--empty");
    assert.equal(emptied.code, 0, emptied.stdout + emptied.stderr);
    assert.ok(emptied.json.emptied > 0, emptied.stdout);
    const { json } = await test.dbgov("stores");
    const spare = json.stores.find(({ name }: { name: string }) => name === "spare");
    assert.deepEqual([spare.used, spare.packs], [0, 0]);
    assert.equal((await test.dbgov("verify", first.snapshot, "--store", "joined")).code, 0);
  });

  it("does not burst a quota: the run says so, and is degraded or fails as the policy has it; what is lost in every copy is told", async () => {
    await test.reconfigure((config) => {
      Object.assign(config.policies[0], { stores: ["joined", "spare"], envelopes: [] });
      config.stores.find(({ name }: { name: string }) => name === "spare").quota = "10kB";
    });
    await runSql(source, "INSERT INTO orders SELECT n, md5((-n)::text) FROM generate_series(30001, 40000) n");
    const third = await test.backup("shop");
    assert.equal(third.degraded, true);
    const runs = await test.dbgov("status");
    assert.match(runs.stdout, /"copies":2/);
    const spare = (await test.dbgov("stores")).json.stores.find(({ name }: { name: string }) => name === "spare");
    assert.ok(spare.used <= 10_000, JSON.stringify(spare));
    const plan = await test.dbgov("stores", "plan");
    assert.match(plan.stdout, /"store":"spare","code":"quota","why":"has room for/);
    const filled = await test.dbgov("stores", "rebalance");
    assert.equal(filled.code, 3, filled.stdout + filled.stderr);
    assert.match(Object.keys(filled.json.left).join("; "), /spare has room for/);

    // A pack that no store has any more is told by the evacuation, and does not stop it.
    await rm(join(test.folder, "site", "joined"), { recursive: true, force: true });
    await test.reconfigure((config) => Object.assign(config.policies[0], { stores: ["spare"] }));
    await test.reconfigure((config) => {
      config.stores.find(({ name }: { name: string }) => name === "spare").quota = "50MB";
    });
    const moved = await test.dbgov("stores", "evacuate", "joined");
    assert.equal(moved.code, 0, moved.stdout + moved.stderr);
    assert.ok(moved.json.moved > 0);
    assert.equal((await test.dbgov("verify", third.snapshot, "--store", "spare")).code, 0);
  });

  it("chooses among the stores that a policy names as many as it promises, stays with them, and goes elsewhere when they are full", async () => {
    await test.reconfigure((config) => {
      const pool = (name: string, quota: string) => ({ name, kind: "directory", domain: name, path: name, quota });
      config.stores.push(pool("pool-a", "2MB"), pool("pool-b", "20MB"), pool("pool-c", "10MB"));
      Object.assign(config.policies[0], { placement: "planned", stores: ["pool-a", "pool-b", "pool-c"] });
    });
    const chosenOf = async (): Promise<string[]> => {
      const { replicas, degraded } = await test.backup("shop");
      assert.equal(degraded, false);
      return replicas.map(({ store }) => store);
    };
    assert.deepEqual(await chosenOf(), ["local", "pool-b"], "the most room");
    await test.reconfigure((config) => {
      config.stores.find(({ name }: { name: string }) => name === "pool-c").quota = "90MB";
    });
    assert.deepEqual(await chosenOf(), ["local", "pool-b"], "where the rest of it is");
    await test.reconfigure((config) => {
      config.stores.find(({ name }: { name: string }) => name === "pool-b").quota = "1kB";
    });
    assert.deepEqual(await chosenOf(), ["local", "pool-c"]);
    await test.reconfigure((config) => {
      for (const store of config.stores) if (store.name.startsWith("pool-")) store.quota = "1kB";
    });
    const refused = await test.dbgov("backup", "shop");
    assert.equal(refused.code, 1, refused.stdout + refused.stderr);
    assert.match(refused.stdout + refused.stderr, /StoreFull.*what policy \S+ promises for \S+ has no place: .*pool-a has room for/);
  });
});

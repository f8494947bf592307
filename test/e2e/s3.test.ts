import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { openCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

describe("a bucket as store, through the command line", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal", "s3");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let source: string;
  let target: string;
  let folder: string;
  let client: S3Client;
  const bucket = `site-${randomUUID()}`;

  before(async () => {
    stack = await startStack();
    folder = await mkdtemp(join(tmpdir(), "dbgov-s3-"));
    source = await createDatabase(stack, "s3_source");
    target = await createDatabase(stack, "s3_target");
    await runSql(source, "CREATE TABLE orders AS SELECT n, md5(n::text) AS code FROM generate_series(1, 5000) n");
    const { endpoint, accessKeyId, secretAccessKey } = stack.s3;
    client = new S3Client({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    Object.assign(process.env, { S3_TEST_ID: accessKeyId, S3_TEST_SECRET: secretAccessKey, S3_TEST_WRONG: "a-wrong-secret" });
    test = await createTestSite({
      name: "s3",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["bucket"], copies: 2, domains: 2, archive: [] },
      change: (config) => {
        config.anchors = [];
        config.stores = config.stores.filter(({ name }: { name: string }) => name === "local");
        const place = { kind: "s3", domain: "s3", bucket, endpoint, accessKeyId: { env: "S3_TEST_ID" } };
        config.stores.push({ ...place, name: "bucket", prefix: "backups/shop", secretAccessKey: { env: "S3_TEST_SECRET" } });
        const [{ path }] = config.stores;
        config.stores.push({ kind: "directory", name: "beside", domain: "elsewhere", path: `${path}-beside` });
        config.stores.push({ ...place, name: "wrong", prefix: "backups/other", secretAccessKey: { env: "S3_TEST_WRONG" } });
      },
    });
    await test.worker();
  });
  after(async () => {
    await test?.close();
    for (const url of [source, target]) await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(url)} WITH (FORCE)`);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key: Key! })) } }));
    await client.send(new DeleteBucketCommand({ Bucket: bucket }));
    client.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  it("is checked: one that works, and one whose secret is wrong", async () => {
    const { code, stdout, json } = await test.dbgov("check");
    assert.equal(code, 1, stdout);
    const [bucketCheck, wrong, beside] = ["bucket", "wrong", "beside"].map((name) =>
      json.checks.find((check: { name: string }) => check.name === name),
    );
    assert.equal(bucketCheck.ok, true, stdout);
    assert.equal(wrong.ok, false, stdout);
    assert.match(wrong.details.join(" "), /the access key or its secret is wrong \(SignatureDoesNotMatch\)/);
    assert.ok(!stdout.includes("a-wrong-secret"));
    assert.equal(beside.ok, true, "it works, and whoever counts on it is told");
    assert.match(beside.details.join(" "), /it is on the same file system as local, though of another domain/);
  });

  it("takes a copy, proves it, and restores from its address and the recovery kit alone", async () => {
    const { snapshot } = await test.backup("shop");
    const verified = await test.dbgov("verify", snapshot, "--store", "bucket");
    assert.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
    assert.equal((await test.dbgov("keys", "kit")).code, 0);
    await cp(join(dirname(test.config), "recovery-kit"), join(folder, "kit"), { recursive: true });

    const { PATH, HOME } = process.env;
    const { endpoint, accessKeyId, secretAccessKey } = stack.s3;
    const env = { PATH, HOME, DBGOV_PG_BIN: stack.postgres.bin };
    const from = ["recover", "--store", `s3://${bucket}/backups/shop?endpoint=${endpoint}`, "--kit", "kit"];
    const secrets = [secretAccessKey];
    await openCli({ cwd: folder, env, secrets }).fails({ code: 2, type: "SecretMissing", message: /AWS_ACCESS_KEY_ID/ }, ...from, "--list");

    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const cli = openCli({ cwd: folder, env: { ...env, ...keys }, secrets });
    const { code, json } = await cli.json(...from, "--snapshot", "latest", "--database", "shop", "--to", target);
    assert.deepEqual([code, json.snapshot, json.identical, json.rows], [0, snapshot, true, 5_000]);
    const sum = "SELECT count(*), md5(string_agg(code, ',' ORDER BY n)) FROM orders";
    assert.deepEqual(await runSql(target, sum), await runSql(source, sum));
  });
});

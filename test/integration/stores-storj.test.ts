import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { getProven } from "../../activities/replicate/copy-object.ts";
import type { StoreConfig } from "../../core/config/schema.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { addressOf, openStoreByUrl } from "../../core/stores/store-address.ts";
import { openStorjStore } from "../../core/stores/storj.ts";
import type { StackAddresses } from "../stack/components.ts";
import { progressToStderr } from "../stack/progress.ts";
import { stackDown, stackUp } from "../stack/stack.ts";
import { useStack } from "../stack/use-stack.ts";
import { storeContract } from "./store-contract.ts";
import { fails, keysOf, never, same } from "./store-expectations.ts";

type Network = StackAddresses["storj"];
type StorjConfig = Extract<StoreConfig, { kind: "storj" }>;

const clientOf = ({ endpoint, accessKeyId, secretAccessKey }: Network): S3Client =>
  new S3Client({
    ...{ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true },
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
const makeBucket = async (network: Network, ObjectLockEnabledForBucket = false): Promise<string> => {
  const Bucket = `stores-${randomUUID()}`;
  const client = clientOf(network);
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket }));
  client.destroy();
  return Bucket;
};
const configOf = ({ endpoint, accessKeyId, secretAccessKey }: Network, bucket: string, changes: Partial<StorjConfig> = {}): StorjConfig => {
  const place = { bucket, prefix: randomUUID(), endpoint, accessKeyId, secretAccessKey };
  return { kind: "storj", name: "network", domain: "storj", ...place, ...changes };
};

// The buckets go with the network, which keeps nothing.
const { storj } = await useStack("storj");
const bucket = await makeBucket(storj);
const open = (changes: Partial<StorjConfig> = {}, options?: StoreOptions): Store =>
  openStorjStore(configOf(storj, bucket, changes), options);

describe("Storj store, on a network of ten storage nodes", () => {
  storeContract({
    open: async (options) => open({}, options),
    openAt: async (url, options) => open({ endpoint: url }, options),
    secrets: [storj.secretAccessKey],
    listed: 60,
    large: 9 << 20,
  });

  test("the gateway lists in an order of its own, and refuses half a name: the store asks for neither", async () => {
    const store = open({ prefix: "" }, { pageSize: 3 });
    const keys = Array.from({ length: 12 }, (_, index) => `order/${String(index).padStart(2, "0")}`);
    for (const key of keys) await store.put(key, Buffer.from(key), never);
    const client = clientOf(storj);
    const listed = (await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "order/" }))).Contents?.map(({ Key }) => Key);
    assert.notDeepEqual(listed, keys);
    assert.deepEqual(listed?.toSorted(), keys);
    await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "order/0" })), /too many items/);
    client.destroy();
    assert.deepEqual(await keysOf(store, "order/0"), keys.slice(0, 10));
    for (const key of keys) await store.delete(key, never);
  });

  test("in a bucket with Object Lock: locked until a date, held, and then gone in every version, wherever the list has it", async () => {
    const locked = await makeBucket(storj, true);
    const store = openStorjStore(configOf(storj, locked));
    for (let index = 0; index < 6; index += 1) await store.put(`packs/${index}`, randomBytes(10), never);
    for (const text of ["one", "two"]) await store.put("packs/versions", Buffer.from(text), never);
    const until = new Date(Date.now() + 5_000);
    await store.protect!("packs/versions", until, never);
    await store.protect!("packs/versions", new Date(until.getTime() - 2_000), never);
    const retained = await fails(store.delete("packs/versions", never), "StoreRetained", [storj.secretAccessKey]);
    assert.ok(Math.abs(Date.parse(retained.details.until ?? "") - until.getTime()) < 1_000);
    assert.equal(Buffer.from(await store.get("packs/versions", never)).toString(), "two", "what is retained can still be read");
    await store.legalHold!("packs/0", true, never);
    assert.match((await fails(store.delete("packs/0", never), "StoreRetained")).message, /a legal hold is on the object$/);
    await store.legalHold!("packs/0", false, never);
    await store.delete("packs/0", never);
    while (new Date() <= until) await new Promise((resolve) => setTimeout(resolve, until.getTime() - Date.now() + 100));
    await store.delete("packs/versions", never);
    assert.equal(await store.stat("packs/versions", never), undefined);
    assert.deepEqual(
      await keysOf(store, "packs/"),
      [1, 2, 3, 4, 5].map((index) => `packs/${index}`),
    );
  });

  test("recovery opens it by its address, as a bucket of S3", async () => {
    const config = configOf(storj, bucket);
    await openStorjStore(config).put("config", Buffer.from("{}"), never);
    const env = { AWS_ACCESS_KEY_ID: storj.accessKeyId, AWS_SECRET_ACCESS_KEY: storj.secretAccessKey };
    const found = openStoreByUrl(addressOf(config), env);
    assert.equal(Buffer.from(await found.get("config", never)).toString(), "{}");
    assert.deepEqual(await keysOf(found, "con"), ["config"]);
  });

  test("storage nodes go: a pack survives six of ten; with seven gone that is noticed and named; when one is back it is there; lost pieces are a lost pack", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dbgov-storj-"));
    after(() => stackDown(folder, { purge: true }));
    const { storj: own } = await stackUp({ folder, components: ["storj"], onProgress: progressToStderr });
    // The satellite does at every stop what it does about nodes that it does not hear of: to disqualify them, after a day already, would show below.
    const tell = async (node: number, what: "stop" | "start" | "lose"): Promise<void> => {
      const answer = await fetch(`${own.control}/nodes/${node}/${what}`, { method: "POST" });
      assert.equal(answer.status, 200, await answer.text());
    };
    const store = openStorjStore(configOf(own, await makeBucket(own)), { silenceMs: 60_000 });
    const pack = randomBytes(16 << 20);
    await store.put("packs/pack", pack, never);
    for (const node of [0, 1, 2, 3, 4, 5]) await tell(node, "stop");
    same(await getProven(store, "packs/pack", never), pack);
    same(await store.get("packs/pack", never, { offset: 5_000_000, length: 70_000 }), pack.subarray(5_000_000, 5_070_000));

    await tell(6, "stop");
    // The satellite knows its name and size still: only reading proves anything.
    assert.equal((await store.stat("packs/pack", never))?.bytes, pack.length);
    const failure = await fails(store.get("packs/pack", never), "StoreUnreachable", [own.secretAccessKey]);
    assert.match(
      failure.message,
      /^store "network" \(s3:.*\): get of packs\/pack: too few storage nodes that have the object's pieces answer$/,
    );
    await tell(0, "start");
    same(await store.get("packs/pack", never), pack);

    for (const node of [7, 8, 9]) await tell(node, "lose");
    const lost = await fails(getProven(store, "packs/pack", never), "ObjectMissing", [own.secretAccessKey]);
    assert.match(lost.message, /^store "network" .*: get of packs\/pack: storage nodes have lost too many of the object's pieces$/);
    assert.equal((await store.stat("packs/pack", never))?.bytes, pack.length);
    await store.delete("packs/pack", never);
    assert.equal(await store.stat("packs/pack", never), undefined);
  });
});

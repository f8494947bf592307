import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { BlobServiceClient } from "@azure/storage-blob";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { azureStub } from "./azure-service-stub.ts";
import { fails, keysOf, never } from "./store-expectations.ts";

const openWith = (connection: string, tier?: "hot" | "cool" | "cold", container = "backups"): Store =>
  openAzureBlobStore({ kind: "azure-blob", name: "blob", domain: "azure", connection, container, ...(tier && { tier }) });

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1_000);
const text = Buffer.from("sealed");

describe("Azure Blob store: immutability, legal hold, soft delete, against a stub of the service", () => {
  test("a locked object is StoreRetained, says until when, and stays where it was", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/locked", text, never);
    const until = inSeconds(3_600.5);
    await store.protect!("packs/locked", until, never);
    const failure = await fails(store.delete("packs/locked", never), "StoreRetained");
    const [version] = stub.versions;
    assert.equal(version!.mode, "locked");
    assert.equal(failure.details.until, version!.until!.toISOString());
    assert.ok(version!.until! >= until, "a lock ends no sooner than asked for, though the service keeps whole seconds");
    assert.match(failure.message, /store "blob" .*packs\/locked: it is locked until 20/);
    assert.ok(text.equals(await store.get("packs/locked", never)), "it was not even hidden");
  });

  test("a lock is never made shorter, and an unlocked policy with a later date is locked as it is", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/x", text, never);
    const [version] = stub.versions as [(typeof stub.versions)[number]];
    await store.protect!("packs/x", inSeconds(7_200), never);
    const first = version.until;
    await store.protect!("packs/x", inSeconds(60), never);
    assert.equal(version.until, first);
    await store.protect!("packs/x", inSeconds(9_000), never);
    assert.ok(version.until! > first!);
    const later = new Date(Math.ceil(inSeconds(90_000).getTime() / 1_000) * 1_000);
    Object.assign(version, { until: later, mode: "unlocked" });
    await store.protect!("packs/x", inSeconds(60), never);
    assert.deepEqual([version.until, version.mode], [later, "locked"]);
    await fails(store.protect!("packs/none", inSeconds(60), never), "ObjectMissing");
  });

  test("an object whose lock has ended is deleted with all its versions", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("log/checkpoint", text, never);
    await store.put("log/checkpoint", Buffer.from("newer"), never);
    await store.put("log/checkpoint.old", text, never);
    for (const version of stub.versions) Object.assign(version, { until: inSeconds(-10), mode: "locked" });
    await store.delete("log/checkpoint", never);
    assert.deepEqual(
      stub.versions.map(({ key }) => key),
      ["log/checkpoint.old"],
    );
    await store.delete("log/checkpoint", never);
  });

  test("a deletion that broke off after it hid the object is completed by the next", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/half", text, never);
    const [version] = stub.versions as [(typeof stub.versions)[number]];
    Object.assign(version, { current: false, until: inSeconds(3_600), mode: "locked" });
    await fails(store.delete("packs/half", never), "StoreRetained");
    assert.equal(stub.versions.length, 1);
    version.until = inSeconds(-10);
    await store.delete("packs/half", never);
    assert.equal(stub.versions.length, 0);
  });

  test("an old version that is locked keeps the object, whole", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("log/checkpoint", text, never);
    await store.protect!("log/checkpoint", inSeconds(3_600), never);
    await store.put("log/checkpoint", Buffer.from("newer"), never);
    await fails(store.delete("log/checkpoint", never), "StoreRetained");
    assert.equal(stub.versions.length, 2);
    assert.equal(Buffer.from(await store.get("log/checkpoint", never)).toString(), "newer");
  });

  test("a legal hold has no date, and ends when it is lifted", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/held", text, never);
    await store.legalHold!("packs/held", true, never);
    const failure = await fails(store.delete("packs/held", never), "StoreRetained");
    assert.equal(failure.details.until, undefined);
    await store.legalHold!("packs/held", false, never);
    await store.delete("packs/held", never);
    assert.deepEqual(await keysOf(store, ""), []);
    await fails(store.legalHold!("packs/held", true, never), "ObjectMissing");
  });

  test("a container without immutability of versions refuses locks and holds: StoreRejected", async () => {
    await using stub = await azureStub({ immutable: false });
    const store = openWith(stub.connection);
    await store.put("packs/x", text, never);
    await fails(store.protect!("packs/x", inSeconds(60), never), "StoreRejected");
    await fails(store.legalHold!("packs/x", true, never), "StoreRejected");
  });

  test("soft delete is noticed, with its days; without it there is nothing to say", async () => {
    await using soft = await azureStub({ softDeleteDays: 7 });
    const [notice] = await openWith(soft.connection).notices!(never);
    assert.match(notice!, /soft delete is on: .* for up to 7 d more; only then is a deletion real/);
    await using plain = await azureStub();
    assert.deepEqual(await openWith(plain.connection).notices!(never), []);
    assert.equal(plain.versions.length, 0);
  });

  test("objects are written to the tier that was configured, whose minimum days the store says", async () => {
    await using stub = await azureStub();
    for (const [tier, days] of [
      [undefined, 0],
      ["hot", 0],
      ["cool", 30],
      ["cold", 90],
    ] as const) {
      const store = openWith(stub.connection, tier);
      await store.put(`packs/${tier}`, text, never);
      assert.equal(store.capabilities.minimumDays, days);
    }
    assert.deepEqual(
      stub.versions.map(({ tier }) => tier),
      ["Hot", "Hot", "Cool", "Cold"],
    );
  });
});

describe("Azure Blob store: the same, as far as Azurite has it", async () => {
  const { azurite } = await useStack("azurite");
  const container = `stores-${randomUUID()}`;
  const client = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(container);
  after(() => client.deleteIfExists());

  test("tiers, also of an object in blocks; no soft delete to notice", async () => {
    const store = openWith(azurite.connectionString, "cool", container);
    await store.put("packs/small", text, never);
    await store.put("packs/large", Buffer.alloc(9 << 20, 1), never);
    for (const key of ["packs/small", "packs/large"]) assert.equal((await client.getBlobClient(key).getProperties()).accessTier, "Cool");
    assert.deepEqual(await store.notices!(never), []);
  });
});

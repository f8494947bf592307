import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { BlobServiceClient } from "@azure/storage-blob";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { azureStub } from "./azure-service-stub.ts";
import { fails, keysOf, never } from "./store-expectations.ts";

const openWith = (connection: string, container = "backups"): Store =>
  openAzureBlobStore({ kind: "azure-blob", name: "blob", domain: "azure", connection, container });

const text = Buffer.from("sealed");
const md5 = createHash("md5").update(text).digest("hex");

describe("Azure Blob store: the archive tier, against a stub of the service", () => {
  test("what is archived is there with its size, ETag and MD5, and cannot be read: ObjectArchived, at once", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    const { id } = await store.put("packs/old", text, never);
    await store.tier!("packs/old", "archive", never);
    assert.deepEqual(await store.stat("packs/old", never), { key: "packs/old", bytes: 6, receipt: id, offline: "archived", md5 });
    const failure = await fails(store.get("packs/old", never), "ObjectArchived");
    assert.match(failure.message, /store "blob" .*packs\/old: the object lies in the archive tier, where nothing can be read/);
    await fails(store.get("packs/old", never, { offset: 1, length: 2 }), "ObjectArchived");
    assert.deepEqual(await keysOf(store, ""), ["packs/old"]);
  });

  test("it comes back when the service says so; asked again meanwhile, nothing is asked of the service but to be faster", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/old", text, never);
    await store.tier!("packs/old", "archive", never);
    const [version] = stub.versions;
    assert.equal(await store.rehydrate!("packs/old", "standard", never), "coming");
    assert.deepEqual([version!.tier, version!.coming], ["Archive", { to: "Hot", priority: "Standard" }]);
    assert.equal((await store.stat("packs/old", never))?.offline, "coming");
    await fails(store.get("packs/old", never), "ObjectArchived");
    assert.equal(await store.rehydrate!("packs/old", "standard", never), "coming");
    assert.equal(await store.rehydrate!("packs/old", "high", never), "coming");
    assert.deepEqual(version!.coming, { to: "Hot", priority: "High" });
    assert.equal(await store.rehydrate!("packs/old", "standard", never), "coming");
    assert.equal(stub.rehydrated(), 1);
    assert.equal(await store.rehydrate!("packs/old", "high", never), "online");
    assert.equal((await store.stat("packs/old", never))?.offline, undefined);
    assert.ok(text.equals(await store.get("packs/old", never)));
  });

  test("somebody else's rehydration to another tier is joined, and what is archived is moved to no other tier by tiering", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    await store.put("packs/old", text, never);
    await store.tier!("packs/old", "archive", never);
    const [version] = stub.versions;
    await store.tier!("packs/old", "cool", never);
    assert.deepEqual([version!.tier, version!.coming], ["Archive", undefined]);
    version!.coming = { to: "Cool", priority: "Standard" };
    assert.equal(await store.rehydrate!("packs/old", "high", never), "coming");
    assert.deepEqual(version!.coming, { to: "Cool", priority: "High" });
    await store.tier!("packs/old", "archive", never);
    assert.deepEqual(version!.coming, { to: "Cool", priority: "High" });
  });

  test("the same bytes over an archived object are no error, others are; it can be deleted", async () => {
    await using stub = await azureStub();
    const store = openWith(stub.connection);
    const { id } = await store.put("packs/old", text, never);
    await store.tier!("packs/old", "archive", never);
    assert.equal((await store.put("packs/old", text, never)).id, id);
    await fails(store.put("packs/old", Buffer.from("others"), never), "ObjectArchived");
    assert.equal(stub.versions.length, 1);
    await store.delete("packs/old", never);
    assert.equal(stub.versions.length, 0);
    await fails(store.rehydrate!("packs/old", "standard", never), "ObjectMissing");
  });
});

describe("Azure Blob store: the archive tier, as far as Azurite has it", async () => {
  const { azurite } = await useStack("azurite");
  const container = `stores-${randomUUID()}`;
  const client = BlobServiceClient.fromConnectionString(azurite.connectionString).getContainerClient(container);
  after(() => client.deleteIfExists());

  test("archived objects cannot be read or overwritten, and can be deleted; there, they are back at once", async () => {
    const store = openWith(azurite.connectionString, container);
    for (const [name, bytes] of [
      ["small", text],
      ["blocks", Buffer.alloc(9 << 20, 7)],
    ] as const) {
      const key = `packs/${name}`;
      await store.put(key, bytes, never);
      await store.tier!(key, "archive", never);
      const found = await store.stat(key, never);
      assert.equal(found?.offline, "archived");
      assert.equal(found?.md5, createHash("md5").update(bytes).digest("hex"));
      await fails(store.get(key, never), "ObjectArchived");
    }
    // One that is written in blocks is overwritten there without a word, which the specification does not settle.
    assert.equal((await store.put("packs/small", text, never)).id, (await store.stat("packs/small", never))?.receipt);
    await fails(store.put("packs/small", Buffer.from("others"), never), "ObjectArchived");
    // A rehydration that takes hours is what Azurite lacks.
    assert.equal(await store.rehydrate!("packs/small", "high", never), "online");
    assert.ok(text.equals(await store.get("packs/small", never)));
    await store.delete("packs/blocks", never);
    assert.equal(await store.stat("packs/blocks", never), undefined);
  });
});

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { BlobServiceClient, ContainerSASPermissions } from "@azure/storage-blob";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { openStoreByUrl } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, never } from "./store-expectations.ts";
import { meddlingProxy } from "./store-servers.ts";

const { azurite } = await useStack("azurite");
const part = (name: string): string => new RegExp(`${name}=([^;]+)`).exec(azurite.connectionString)![1]!;
const [account, accountKey, endpoint] = [part("AccountName"), part("AccountKey"), part("BlobEndpoint")];
const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
const made: string[] = [];
after(async () => {
  for (const container of made) await service.getContainerClient(container).deleteIfExists();
});

const freshContainer = (): string => {
  const container = `stores-${randomUUID()}`;
  made.push(container);
  return container;
};
const openWith = (connection: string, container: string, options?: StoreOptions): Store =>
  openAzureBlobStore({ kind: "azure-blob", name: "blob", domain: "azure", connection, container }, options);
const connectionAt = (url: string, key = accountKey): string =>
  `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${url}/${account};`;
const sasUrl = (container: string, permissions: string, expiresInMs = 600_000): Promise<string> =>
  service.getContainerClient(container).generateSasUrl({
    permissions: ContainerSASPermissions.parse(permissions),
    startsOn: new Date(Date.now() - 3_600_000),
    expiresOn: new Date(Date.now() + expiresInMs),
  });
const signatureOf = (url: string): string => new URL(url).searchParams.get("sig")!;

describe("Azure Blob store", () => {
  storeContract({
    open: async (options) => openWith(azurite.connectionString, freshContainer(), options),
    openAt: async (url, options) => openWith(connectionAt(url), "container", options),
    secrets: [accountKey],
    listed: 200,
    large: 9 << 20,
  });

  test("an object moves to a cheaper tier and can still be read there", async () => {
    const container = freshContainer();
    const store = openWith(azurite.connectionString, container);
    await store.put("packs/a", randomBytes(10), never);
    for (const tier of ["cool", "cold"] as const) {
      await store.tier?.("packs/a", tier, never);
      const { accessTier } = await service.getContainerClient(container).getBlobClient("packs/a").getProperties();
      assert.equal(accessTier?.toLowerCase(), tier);
      assert.equal((await store.get("packs/a", never)).length, 10);
    }
    await fails(store.tier!("packs/none", "cool", never), "ObjectMissing", []);
  });

  test("a wrong key is StoreRejected, and is not repeated", async () => {
    const wrong = Buffer.from("wrong key".repeat(8)).toString("base64");
    const store = openWith(connectionAt(new URL(endpoint).origin, wrong), freshContainer());
    const calls: (() => Promise<unknown>)[] = [
      () => store.put("a", randomBytes(1), never),
      () => store.get("a", never),
      () => store.stat("a", never),
      () => all(store.list("", never)),
      () => store.delete("a", never),
      () => store.probe(never),
    ];
    for (const call of calls) await fails(call(), "StoreRejected", [wrong, "signature found"]);
  });

  test("writers of the same object in two processes do not spoil each other's upload", async () => {
    const container = freshContainer();
    const bytes = randomBytes(20 << 20);
    const stores = Array.from({ length: 4 }, () => openWith(azurite.connectionString, container));
    await Promise.all(stores.map((store) => store.put("packs/same", bytes, never)));
    assert.ok(bytes.equals(await stores[0]!.get("packs/same", never)));
  });

  test("a container URL with a SAS is enough, and its signature is in no text", async () => {
    const container = freshContainer();
    await service.createContainer(container);
    const full = await sasUrl(container, "rwdlc");
    const store = openWith(full, container);
    await store.probe(never);
    await store.put("packs/sas", Buffer.alloc(20 << 20, 5), never);
    assert.equal((await store.get("packs/sas", never, { offset: 9 << 20, length: 100 })).length, 100);

    const readOnly = await sasUrl(container, "rl");
    const reader = openWith(readOnly, container);
    assert.equal((await all(reader.list("packs/", never))).length, 1);
    await fails(reader.put("packs/new", randomBytes(10), never), "StoreRejected", [signatureOf(readOnly)]);
    await fails(reader.delete("packs/sas", never), "StoreRejected", [signatureOf(readOnly)]);

    const expired = await sasUrl(container, "rwdlc", -60_000);
    const late = openWith(expired, container);
    const failure = await fails(late.get("packs/sas", never), "StoreRejected", [signatureOf(expired), "sig="]);
    assert.match(failure.message, new RegExp(`store "blob" \\(${endpoint}/${container}\\): get of packs/sas: the server answered 403`));

    const nowhere = new URL(full);
    nowhere.port = "1";
    await fails(openWith(nowhere.href, container, { silenceMs: 3_000 }).get("packs/sas", never), "StoreUnreachable", [
      signatureOf(full),
      "sig=",
    ]);
  });

  test("recovery opens it by its URL: with the SAS in it, or with the secret in the environment", async () => {
    const container = freshContainer();
    await openWith(azurite.connectionString, container).put("config", Buffer.from("{}"), never);
    const plain = `${endpoint}/${container}`;
    const sas = await sasUrl(container, "rl");
    for (const store of [
      openStoreByUrl(sas, {}),
      openStoreByUrl(plain, { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString }),
      openStoreByUrl(plain, { AZURE_STORAGE_SAS_TOKEN: new URL(sas).search }),
    ]) {
      assert.equal(Buffer.from(await store.get("config", never)).toString(), "{}");
    }
    const missing = openStoreByUrl(`${endpoint}/${freshContainer()}`, { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString });
    await fails(missing.get("config", never), "StoreUnreachable");
    await fails(missing.stat("config", never), "StoreUnreachable");
    await fails(all(missing.list("", never)), "StoreUnreachable");
    await fails(missing.put("config", randomBytes(1), never), "StoreUnreachable");
  });

  test("bytes that change on the way are refused, and nothing is stored", async () => {
    for (const size of [1_000, 20 << 20]) {
      await using proxy = await meddlingProxy(new URL(endpoint).origin, {
        sent: ({ method, url }, body) => {
          if (method === "PUT" && body.length > 900 && !url!.includes("comp=blocklist")) body[500] = body[500]! ^ 1;
          return body;
        },
      });
      const container = freshContainer();
      const store = openWith(connectionAt(proxy.url), container);
      await fails(store.put("packs/flipped", randomBytes(size), never), "StoreUnreachable", [accountKey]);
      assert.equal(await store.stat("packs/flipped", never), undefined);
    }
  });

  test("an answer that breaks off is asked for again, by range", async () => {
    let cut = 0;
    await using proxy = await meddlingProxy(new URL(endpoint).origin, {
      received: (incoming, body) => {
        if (incoming.method !== "GET" || body.length < 100_000 || cut > 0) return body;
        cut += 1;
        incoming.socket.destroySoon();
        return body.subarray(0, 50_000);
      },
    });
    const store = openWith(connectionAt(proxy.url), freshContainer());
    const bytes = randomBytes(1 << 20);
    await store.put("packs/cut", bytes, never);
    assert.ok(bytes.equals(await store.get("packs/cut", never)));
    assert.equal(cut, 1);
  });

  test("an upload in blocks goes on where it broke off", async () => {
    let accepted = 0;
    let limit = 3;
    await using proxy = await meddlingProxy(new URL(endpoint).origin, {
      refuse: ({ url }) => {
        if (!url!.includes("comp=block&")) return undefined;
        if (accepted >= limit) return 403;
        accepted += 1;
        return undefined;
      },
    });
    const container = freshContainer();
    await service.createContainer(container);
    const bytes = randomBytes(41 << 20);
    const open = (): Store => openWith(connectionAt(proxy.url), container);
    await fails(open().put("packs/long", bytes, never), "StoreRejected");
    assert.equal(await open().stat("packs/long", never), undefined);
    limit = Number.POSITIVE_INFINITY;
    await open().put("packs/long", bytes, never);
    assert.equal(accepted, 6, "three blocks were there already, three were missing");
    assert.ok(bytes.equals(await open().get("packs/long", never)));
    const other = randomBytes(41 << 20);
    await open().put("packs/long", other, never);
    assert.ok(other.equals(await open().get("packs/long", never)), "blocks of other bytes are not taken for these");
  });

  test("a server that answers 503 in the middle of an upload is StoreUnreachable, and nothing is to be seen", async () => {
    await using proxy = await meddlingProxy(new URL(endpoint).origin, {
      refuse: ({ url }) => (url!.includes("comp=block&") ? 503 : undefined),
    });
    const store = openWith(connectionAt(proxy.url), freshContainer(), { silenceMs: 10_000 });
    await fails(store.put("packs/slow", randomBytes(10 << 20), never), "StoreUnreachable");
    assert.deepEqual(await all(store.list("", never)), []);
  });
});

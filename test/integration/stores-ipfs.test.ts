import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { CID, create } from "ipfs-http-client";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { openStoreByUrl } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { ownPeer } from "./ipfs-own-peer.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, never } from "./store-expectations.ts";
import { closedAddress, meddlingProxy } from "./store-servers.ts";

const { ipfs } = await useStack("ipfs");
const apis = ipfs.map(({ api }) => create({ url: api }));
const folders: string[] = [];
after(async () => {
  for (const api of apis)
    for (const folder of folders) await api.files.rm(folder, { recursive: true, force: true } as object).catch(() => {});
});

const freshFolder = (): string => {
  const folder = `/stores-${randomUUID()}`;
  folders.push(folder);
  return folder;
};
const openWith = (peers: { name: string; api: string; token?: string }[], folder: string, options?: StoreOptions): Store =>
  openIpfsStore({ kind: "ipfs", name: "swarm", domain: "p2p", peers, folder }, options);
const isPinned = async (api: (typeof apis)[number], cid: string): Promise<boolean> =>
  (await Array.fromAsync(api.pin.ls({ paths: CID.parse(cid), type: "recursive" })).catch(() => [])).length === 1;

describe("IPFS store", () => {
  storeContract({
    open: async (options) => openWith(ipfs, freshFolder(), options),
    openAt: async (url, options) =>
      openWith(
        [1, 2].map((number) => ({ name: `peer-${number}`, api: url, token: "bearer-of-secrets" })),
        freshFolder(),
        options,
      ),
    secrets: ["bearer-of-secrets"],
    listed: 60,
    large: 16 << 20,
  });

  test("every peer has the object pinned and named, under a CID version 1 that depends on the bytes only", async () => {
    const folder = freshFolder();
    const store = openWith(ipfs, folder);
    const bytes = randomBytes(3 << 20);
    const { id } = await store.put("packs/everywhere", bytes, never);
    assert.equal(CID.parse(id).version, 1);
    for (const api of apis) {
      assert.ok(await isPinned(api, id));
      const named = await api.files.stat(`${folder}/packs/everywhere`, { withLocal: true });
      assert.equal(named.cid.toString(), id);
      assert.equal(named.sizeLocal, named.cumulativeSize, "every block is on the peer itself");
    }
    await store.delete("packs/everywhere", never);
    for (const api of apis) assert.ok(!(await isPinned(api, id)));
  });

  test("the peers say how much the objects take", async () => {
    const store = openWith(ipfs, freshFolder());
    assert.deepEqual(await store.usage!(never), { bytes: 0 });
    await store.put("packs/a", randomBytes(1_000_000), never);
    await store.put("packs/b", randomBytes(500_000), never);
    const { bytes } = await store.usage!(never);
    assert.ok(bytes > 1_500_000 && bytes < 1_510_000, `${bytes}`);
    await store.delete("packs/a", never);
    assert.ok((await store.usage!(never)).bytes < 510_000);
  });

  test("bytes come back from the last peer, which is not the one that added them", async () => {
    const asked: string[] = [];
    await using servers = new AsyncDisposableStack();
    const proxies = await Promise.all(
      ipfs.map(({ name, api }) =>
        meddlingProxy(api, {
          refuse: ({ url }) => {
            const call = /v0\/(add|cat)\?/.exec(url!)?.[1];
            if (call !== undefined) asked.push(`${call} ${name}`);
            return undefined;
          },
        }),
      ),
    );
    const store = openWith(
      ipfs.map(({ name }, index) => ({ name, api: proxies[index]!.url })),
      freshFolder(),
    );
    for (const proxy of proxies) servers.use(proxy);
    await store.put("packs/far", randomBytes(1_000_000), never);
    await store.get("packs/far", never);
    assert.deepEqual(asked, [`add ${ipfs[0]!.name}`, `cat ${ipfs.at(-1)!.name}`]);
  });

  test("a peer that is away fails the put and is named; reads go on; the put repeated completes the object", async () => {
    const folder = freshFolder();
    const [first, second, third] = ipfs as [(typeof ipfs)[0], (typeof ipfs)[0], (typeof ipfs)[0]];
    const away = await closedAddress();
    const bytes = randomBytes(500_000);
    const broken = openWith([first, { name: "lost-peer", api: away }, third], folder);
    const failure = await fails(broken.put("packs/partly", bytes, never), "StoreUnreachable");
    assert.match(failure.message, /peer "lost-peer"/);
    const whole = openWith(ipfs, folder);
    assert.equal(await whole.stat("packs/partly", never), undefined, "not on every peer, so not there");
    assert.ok(bytes.equals(await broken.get("packs/partly", never)));
    assert.equal((await all(broken.list("", never))).length, 1);

    const addFailsOver = openWith([{ name: "lost-peer", api: away }, second, third], folder);
    assert.match((await fails(addFailsOver.put("packs/partly", bytes, never), "StoreUnreachable")).message, /peer "lost-peer"/);
    await whole.put("packs/partly", bytes, never);
    assert.equal((await whole.stat("packs/partly", never))?.bytes, 500_000);
    await fails(broken.delete("packs/partly", never), "StoreUnreachable");
  });

  test("a peer without the name finds the object by its CID", async () => {
    const folder = freshFolder();
    const store = openWith(ipfs, folder);
    const bytes = randomBytes(700_000);
    await store.put("packs/nameless", bytes, never);
    await apis[2]!.files.rm(`${folder}/packs/nameless`);
    assert.ok(bytes.equals(await store.get("packs/nameless", never)));
    await using deaf = await meddlingProxy(ipfs[0]!.api, { refuse: ({ url }) => (url!.includes("/cat?") ? 500 : undefined) });
    const known = openWith([{ name: "deaf", api: deaf.url }, ipfs[2]!], folder);
    assert.ok(bytes.equals(await known.get("packs/nameless", never)));
  });

  test("an answer that breaks off is StoreUnreachable, or comes from another peer", async () => {
    const folder = freshFolder();
    await openWith(ipfs, folder).put("packs/short", randomBytes(100_000), never);
    await using proxy = await meddlingProxy(ipfs[2]!.api, {
      received: ({ url }, body) => (url!.includes("/cat?") ? body.subarray(0, 10) : body),
    });
    const cutting = { name: "cutting", api: proxy.url };
    await fails(openWith([cutting], folder).get("packs/short", never), "StoreUnreachable");
    assert.equal((await openWith([ipfs[0]!, cutting], folder).get("packs/short", never)).length, 100_000);
  });

  test("recovery opens it by its URL, with one peer that is left", async () => {
    const folder = freshFolder();
    await openWith(ipfs, folder).put("manifests/m", Buffer.from("sealed"), never);
    const store = openStoreByUrl(`ipfs+${ipfs[1]!.api}${folder}`, {});
    assert.equal(Buffer.from(await store.get("manifests/m", never)).toString(), "sealed");
    assert.deepEqual(
      (await all(store.list("", never))).map(({ key }) => key),
      ["manifests/m"],
    );
    const two = openStoreByUrl(`ipfs+${await closedAddress()}${folder},ipfs+${ipfs[1]!.api}${folder}`, {});
    assert.equal(Buffer.from(await two.get("manifests/m", never)).toString(), "sealed");
  });

  test("a peer whose API wants a token: StoreRejected without the right one", async () => {
    const allowed = { dbgov: { AuthSecret: "bearer:the-right-token", AllowedPaths: ["/api/v0"] } };
    await using peer = await ownPeer({ "API.Authorizations": allowed });
    const { api } = peer;
    for (const token of ["the-wrong-token", undefined]) {
      const store = openWith([{ name: "guarded", api, ...(token === undefined ? {} : { token }) }], "/dbgov");
      await fails(store.put("packs/x", randomBytes(10), never), "StoreRejected", ["the-wrong-token"]);
      await fails(store.get("packs/x", never), "StoreRejected", ["the-wrong-token"]);
      await fails(store.probe(never), "StoreRejected", ["the-wrong-token"]);
    }
    await openWith([{ name: "guarded", api, token: "the-right-token" }], "/dbgov").probe(never);
    await openStoreByUrl(`ipfs+${api}`, { DBGOV_IPFS_TOKEN: "the-right-token" }).probe(never);
  });

  test("a server that is no Kubo RPC API is StoreRejected", async () => {
    await using proxy = await meddlingProxy(ipfs[0]!.api, { refuse: () => 404 });
    const failure = await fails(openWith([{ name: "not-kubo", api: proxy.url }], freshFolder()).probe(never), "StoreRejected");
    assert.match(failure.message, /not a Kubo RPC API/);
  });
});

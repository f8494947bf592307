import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openArweaveStore } from "../../core/stores/arweave.ts";
import { parseWallet } from "../../core/stores/arweave-wallet.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { openStoreByUrl } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, never } from "./store-expectations.ts";
import { meddlingProxy } from "./store-servers.ts";

const { arlocal } = await useStack("arlocal");
const ask = async (path: string): Promise<string> => (await fetch(`${arlocal.url}/${path}`)).text();

interface TestWallet {
  readonly text: string;
  readonly address: string;
}

/** RSA of 4096 bits takes seconds to find: the tests share a few owners, told apart by what they store. */
const makeWallet = (): TestWallet => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const text = JSON.stringify(privateKey.export({ format: "jwk" }));
  return { text, address: parseWallet("test", text).address };
};
const fundedWallet = async (): Promise<TestWallet> => {
  const wallet = makeWallet();
  await ask(`mint/${wallet.address}/1000000000000000`);
  return wallet;
};
const balance = async ({ address }: TestWallet): Promise<number> => Number(await ask(`wallet/${address}/balance`));
const openWith = (wallet: TestWallet, gateway = arlocal.url, options?: StoreOptions, maxWinston = "900000000000"): Store =>
  openArweaveStore({ kind: "arweave", name: "forever", domain: "arweave", gateway, wallet: wallet.text, maxWinston }, options);

describe("Arweave store", () => {
  // The network's blocks come without our doing: so do arlocal's, while the tests run.
  const stop = new AbortController();
  let mining: Promise<void>;
  before(() => {
    mining = (async () => {
      while (!stop.signal.aborted) {
        await ask("mine").catch(() => "");
        await pause(300, undefined, { signal: stop.signal }).catch(() => {});
      }
    })();
  });
  after(async () => {
    stop.abort();
    await mining;
  });

  const brokenWallet = makeWallet();
  storeContract({
    open: async (options) => openWith(await fundedWallet(), arlocal.url, options),
    openAt: async (url, options) => openWith(brokenWallet, url, options),
    secrets: [(JSON.parse(brokenWallet.text) as { d: string }).d],
    listed: 24,
    large: 1 << 20,
  });

  test("an object is pending until a block holds it", async () => {
    const wallet = await fundedWallet();
    const store = openWith(wallet);
    const { id, cost } = await store.put("manifests/m", randomBytes(2_000), never);
    assert.match(cost ?? "", /^\d+ winston$/);
    const confirmed = async (): Promise<boolean> => (await store.stat("manifests/m", never))?.pending === undefined;
    while (!(await confirmed())) await pause(20);
    assert.deepEqual(await store.stat("manifests/m", never), { key: "manifests/m", bytes: 2_000, receipt: id });
  });

  test("the same bytes again are found, not paid for again; by another process neither", async () => {
    const wallet = await fundedWallet();
    const bytes = randomBytes(5_000);
    const store = openWith(wallet);
    const first = await store.put("manifests/once", bytes, never);
    const left = await balance(wallet);
    for (const again of [store, openWith(wallet)]) {
      const { id, cost } = await again.put("manifests/once", bytes, never);
      assert.equal(id, first.id);
      assert.equal(cost, undefined);
    }
    assert.equal(await balance(wallet), left);
    const changed = await store.put("manifests/once", randomBytes(5_000), never);
    assert.notEqual(changed.id, first.id);
    assert.ok((await balance(wallet)) < left);
  });

  test("a price above the cap is refused before anything is posted", async () => {
    const wallet = await fundedWallet();
    const store = openWith(wallet, arlocal.url, {}, "1000000");
    const failure = await fails(store.put("manifests/dear", randomBytes(10_000), never), "CostCapExceeded");
    assert.match(failure.message, /manifests\/dear \(10000 bytes\) would cost \d+ winston, and the cap \(maxWinston\) is 1000000/);
    assert.deepEqual(await all(store.list("", never)), []);
    await fails(store.probe(never), "CostCapExceeded");
  });

  test("an empty wallet is StoreFull, and a wallet that is none ConfigurationInvalid", async () => {
    const store = openWith(makeWallet());
    await fails(store.put("manifests/poor", randomBytes(100), never), "StoreFull");
    await fails(store.probe(never), "StoreFull");
    for (const text of ["", "{}", "not JSON", JSON.stringify({ kty: "RSA", n: "secret-modulus" })]) {
      await fails((async () => openWith({ text, address: "" }))(), "ConfigurationInvalid", text.length > 2 ? [text, "secret-modulus"] : []);
    }
  });

  test("other bytes than were stored are ObjectCorrupt", async () => {
    const wallet = await fundedWallet();
    await openWith(wallet).put("manifests/flipped", Buffer.alloc(1_000, 3), never);
    await using proxy = await meddlingProxy(arlocal.url, {
      received: ({ url }, body) => {
        if (/^\/[\w-]{43}$/.test(url!)) body[7] = body[7]! ^ 1;
        return body;
      },
    });
    const failure = await fails(openWith(wallet, proxy.url).get("manifests/flipped", never), "ObjectCorrupt");
    assert.match(failure.message, /manifests\/flipped/);
  });

  test("an upload that breaks off between chunks is completed by the next put, under the same transaction", async () => {
    const wallet = await fundedWallet();
    const bytes = randomBytes(1_100_000);
    let chunks = 0;
    await using proxy = await meddlingProxy(arlocal.url, {
      refuse: ({ url }) => (url === "/chunk" && ++chunks > 2 ? 400 : undefined),
    });
    const broken = openWith(wallet, proxy.url);
    await fails(broken.put("manifests/large", bytes, never), "StoreRejected");
    const left = await balance(wallet);
    const store = openWith(wallet);
    const { cost } = await store.put("manifests/large", bytes, never);
    assert.equal(cost, undefined);
    assert.equal(await balance(wallet), left);
    assert.ok(bytes.equals(await store.get("manifests/large", never)));
  });

  test("recovery reads it by gateway and owner, without the wallet, and sees no one else's objects", async () => {
    const [wallet, other] = [await fundedWallet(), await fundedWallet()];
    await openWith(wallet).put("manifests/m", Buffer.from("sealed"), never);
    await openWith(other).put("manifests/m", Buffer.from("forged"), never);
    const store = openStoreByUrl(`arweave+${arlocal.url}/${wallet.address}`, {});
    assert.equal(Buffer.from(await store.get("manifests/m", never)).toString(), "sealed");
    assert.equal((await all(store.list("", never))).length, 1);
    await store.probe(never);
    await fails(store.put("manifests/n", randomBytes(1), never), "StoreRejected");
  });
});

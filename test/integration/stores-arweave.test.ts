import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type ArweaveOptions, openArweaveStore } from "../../core/stores/arweave.ts";
import { parseWallet } from "../../core/stores/arweave-wallet.ts";
import { openDirectoryStore } from "../../core/stores/directory.ts";
import type { Receipt, Store } from "../../core/stores/store.ts";
import { openStoreByUrl } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { storeContract } from "./store-contract.ts";
import { all, fails, keysOf, never } from "./store-expectations.ts";
import { closedAddress, type Meddling, meddlingProxy } from "./store-servers.ts";

const { arlocal } = await useStack("arlocal");
const ask = async (path: string): Promise<string> => (await fetch(`${arlocal.url}/${path}`)).text();

interface TestWallet {
  readonly text: string;
  readonly address: string;
}

/** RSA of 4096 bits takes seconds to find: the tests share a few owners, told apart by what they store. */
const makeWallet = (modulusLength = 2048): TestWallet => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
  const text = JSON.stringify(privateKey.export({ format: "jwk" }));
  return { text, address: parseWallet("test", text).address };
};
const fundedWallet = async (bits?: number): Promise<TestWallet> => {
  const wallet = makeWallet(bits);
  await ask(`mint/${wallet.address}/1000000000000000`);
  return wallet;
};
const balance = async ({ address }: TestWallet): Promise<number> => Number(await ask(`wallet/${address}/balance`));
const configOf = (wallet: TestWallet, gateway: string) =>
  ({
    kind: "arweave",
    name: "forever",
    domain: "arweave",
    gateway,
    otherGateways: [] as string[],
    confirmations: 3,
    wallet: wallet.text,
  }) as const;
const openWith = (wallet: TestWallet, gateway = arlocal.url, options?: ArweaveOptions, maxWinston = "900000000000"): Store =>
  openArweaveStore({ ...configOf(wallet, gateway), maxWinston }, options);
/** Reads from `gateways`, in their order. */
const openAtAll = (wallet: TestWallet, [gateway, ...otherGateways]: string[]): Store =>
  openArweaveStore({ ...configOf(wallet, gateway!), otherGateways, maxWinston: "900000000000" });
/** A gateway whose answers to GraphQL are changed node by node; undefined takes a node out. */
const twistedIndex = (twist: (node: IndexNode) => IndexNode | undefined, meddling: Meddling = {}) =>
  meddlingProxy(arlocal.url, {
    ...meddling,
    received: (incoming, body) => {
      if (incoming.url !== "/graphql") return meddling.received?.(incoming, body) ?? body;
      const answer = JSON.parse(body.toString()) as { data: { transactions: { edges: { node: IndexNode }[] } } };
      const { transactions } = answer.data;
      transactions.edges = transactions.edges.flatMap((edge) => {
        const node = twist(edge.node);
        return node === undefined ? [] : [{ ...edge, node }];
      });
      return Buffer.from(JSON.stringify(answer));
    },
  });
interface IndexNode {
  readonly bundledIn?: { id: string } | null;
  readonly id: string;
  readonly tags: { name: string; value: string }[];
}

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
    for (const one of [broken, store]) assert.equal(await one.stat("manifests/large", never), undefined, "known, and not there");
    await fails(store.delete("manifests/large", never), "StoreRejected");
    const { cost } = await store.put("manifests/large", bytes, never);
    assert.equal(cost, undefined);
    assert.equal(await balance(wallet), left);
    assert.ok(bytes.equals(await store.get("manifests/large", never)));
  });

  test("it is settled when so many blocks are on top of it, and every gateway that answers says so", async () => {
    const wallet = await fundedWallet();
    const store = openAtAll(wallet, [arlocal.url, await closedAddress()]);
    await store.put("manifests/m", randomBytes(2_000), never);
    const patient = openArweaveStore({ ...configOf(wallet, arlocal.url), confirmations: 1_000, maxWinston: "1" });
    while (!(await store.settled!("manifests/m", never))) await pause(50);
    assert.equal(await patient.settled!("manifests/m", never), false);
    await using forked = await twistedIndex((node) => node, {
      refuse: ({ url }) => (/^\/tx\/.*\/status$/.test(url!) ? 404 : undefined),
    });
    assert.equal(await openAtAll(wallet, [arlocal.url, forked.url]).settled!("manifests/m", never), false);
    assert.equal(await store.settled!("manifests/none", never), false);
    await fails(openAtAll(wallet, [await closedAddress()]).settled!("manifests/m", never), "StoreUnreachable");
  });

  test("a transaction that the network has dropped is not there, and the next put posts another", async () => {
    const wallet = await fundedWallet();
    let dropped = "none";
    await using network = await twistedIndex((node) => (node.id === dropped ? undefined : node), {
      refuse: ({ url }) => (url!.startsWith(`/tx/${dropped}`) ? 404 : undefined),
    });
    const store = openWith(wallet, network.url);
    const bytes = randomBytes(2_000);
    const { id } = await store.put("manifests/m", bytes, never);
    dropped = id;
    assert.equal(await store.stat("manifests/m", never), undefined);
    assert.equal(await store.settled!("manifests/m", never), false);
    const again = await store.put("manifests/m", bytes, never);
    assert.notEqual(again.id, id);
    assert.match(again.cost!, /winston/);
    assert.equal((await store.stat("manifests/m", never))?.receipt, again.id);
  });

  test("a gateway that lies is passed over, and named; also one whose lies agree with each other", async () => {
    const wallet = await fundedWallet();
    const bytes = Buffer.alloc(1_000, 3);
    await openWith(wallet).put("manifests/m", bytes, never);
    const writer = openWith(wallet);
    while ((await writer.stat("manifests/m", never))?.pending) await pause(50);
    const forged = Buffer.alloc(1_000, 4);
    const hash = createHash("sha256").update(forged).digest("hex");
    await using liar = await twistedIndex(
      (node) => ({ ...node, tags: node.tags.map((tag) => (tag.name === "SHA-256" ? { ...tag, value: hash } : tag)) }),
      { received: ({ url }, body) => (/^\/[\w-]{43}$/.test(url!) ? forged : body) },
    );
    const store = openAtAll(wallet, [liar.url, arlocal.url]);
    assert.ok(bytes.equals(await store.get("manifests/m", never)));
    const named = (await store.renewals!(never)).find(({ what }) => what.includes(new URL(liar.url).origin));
    assert.match(named!.problem!, /was signed with other tags than the gateway lists/);
    const failure = await fails(openAtAll(wallet, [liar.url, liar.url]).get("manifests/m", never), "ObjectCorrupt");
    assert.ok(failure.message.includes(liar.url));
    assert.ok(bytes.equals(await openAtAll(wallet, [await closedAddress(), arlocal.url]).get("manifests/m", never)));
  });

  test("renewals tell of a wallet that runs dry", async () => {
    const [wallet] = await openWith(makeWallet()).renewals!(never);
    assert.match(wallet!.problem!, /and the wallet .* holds 0/);
    const [funded] = await openWith(await fundedWallet()).renewals!(never);
    assert.equal(funded!.problem, undefined);
  });

  test("small objects that come together share a transaction; a gateway need not look into it", async () => {
    const wallet = await fundedWallet(4096);
    const store = openWith(wallet);
    const objects = Array.from({ length: 12 }, (_, index) => ({ key: `manifests/m-${index}`, bytes: randomBytes(2_000 + index) }));
    const receipts = await Promise.all(objects.map(({ key, bytes }) => store.put(key, bytes, never)));
    assert.equal(new Set(receipts.map(({ id }) => id)).size, objects.length);
    // What is in a bundle is no transaction of its own.
    const isAlone = async ({ id }: Receipt): Promise<boolean> => (await fetch(`${arlocal.url}/tx/${id}`)).ok;
    const alone = await Promise.all(receipts.map(isAlone));
    const bundled = receipts.filter((_, index) => !alone[index]);
    assert.ok(bundled.length >= 11, `${bundled.length} of 12 in bundles`);
    // As a gateway that does not look into bundles.
    let bundle = "";
    await using plain = await twistedIndex((node) => {
      if (node.tags.some(({ name }) => name === "Bundle-Format")) bundle = node.id;
      return bundled.some(({ id }) => id === node.id) ? undefined : node;
    });
    const reader = openWith(wallet, plain.url);
    assert.deepEqual((await all(reader.list("", never))).map(({ key }) => key).sort(), objects.map(({ key }) => key).sort());
    for (const [index, { key, bytes }] of objects.entries()) {
      for (const one of [reader, openWith(wallet)]) assert.ok(bytes.equals(await one.get(key, never)));
      assert.equal((await reader.stat(key, never))?.receipt, receipts[index]!.id);
    }
    const left = await balance(wallet);
    for (const again of [store, reader]) assert.equal((await again.put(objects[3]!.key, objects[3]!.bytes, never)).cost, undefined);
    assert.equal(await balance(wallet), left);
    while (!(await reader.settled!(objects[11]!.key, never))) await pause(50);
    await using liar = await twistedIndex(
      (node) => (bundled.some(({ id }) => id === node.id) ? { ...node, bundledIn: { id: bundle } } : node),
      {
        received: ({ url }, body) => {
          if (url === `/${bundle}`) body[body.length - 1]! ^= 1;
          return body;
        },
      },
    );
    await fails(openWith(wallet, liar.url).get(objects[11]!.key, never), "ObjectCorrupt");
  });

  test("a bundle whose data does not arrive is there for nobody; the next put completes it, and pays nothing", async () => {
    const wallet = await fundedWallet(4096);
    let broken = true;
    await using proxy = await meddlingProxy(arlocal.url, { refuse: ({ url }) => (url === "/chunk" && broken ? 400 : undefined) });
    const store = openWith(wallet, proxy.url);
    const objects = Array.from({ length: 4 }, (_, index) => ({ key: `manifests/m-${index}`, bytes: randomBytes(95_000) }));
    const results = await Promise.allSettled(objects.map(({ key, bytes }) => store.put(key, bytes, never)));
    const failed = objects.filter((_, index) => results[index]!.status === "rejected");
    assert.equal(failed.length, 3, "the first was on its way alone");
    const left = await balance(wallet);
    for (const { key, bytes } of failed) {
      assert.equal(await store.stat(key, never), undefined);
      await fails(store.put(key, bytes, never), "StoreRejected");
    }
    broken = false;
    for (const { key, bytes } of failed) assert.equal((await store.put(key, bytes, never)).cost, undefined);
    assert.equal(await balance(wallet), left);
    for (const { key, bytes } of failed) assert.ok(bytes.equals(await openWith(wallet).get(key, never)));
  });

  test("who comes after a process that was killed while it posted goes on with the same transactions, and pays nothing", async (t) => {
    const wallet = await fundedWallet(4096);
    const folder = await mkdtemp(join(tmpdir(), "dbgov-posting-"));
    t.after(() => rm(folder, { recursive: true }));
    const kept = openDirectoryStore({ kind: "directory", name: "log", domain: "here", path: folder });
    const keptKeys = () => keysOf(kept, "posting/forever/");
    const journal = async () => kept;
    let broken = true;
    await using proxy = await meddlingProxy(arlocal.url, { refuse: ({ url }) => (url === "/chunk" && broken ? 400 : undefined) });
    const killed = openWith(wallet, proxy.url, { journal });
    const objects = Array.from({ length: 4 }, (_, index) => ({ key: `manifests/k-${index}`, bytes: randomBytes(95_000) }));
    await Promise.allSettled(objects.map(({ key, bytes }) => killed.put(key, bytes, never)));
    const [entry, ...others] = await keptKeys();
    assert.ok(entry !== undefined && others.length === 0, "the bundle whose data did not arrive");
    assert.ok(!Buffer.from(await kept.get(entry, never)).includes((JSON.parse(wallet.text) as { d: string }).d), "no secret");
    const left = await balance(wallet);
    broken = false;
    const next = openWith(wallet, proxy.url, { journal });
    for (const { key, bytes } of objects) assert.equal((await next.put(key, bytes, never)).cost, undefined);
    assert.equal(await balance(wallet), left);
    for (const { key, bytes } of objects) assert.ok(bytes.equals(await openWith(wallet).get(key, never)));
    assert.deepEqual(await keptKeys(), []);

    // One that the network has taken while the answer got lost, and that no index shows yet.
    let deaf = true;
    await using unsure = await twistedIndex(() => undefined, {
      refuse: ({ url }) => (/^\/tx\/.*\/status$/.test(url!) && deaf ? 503 : undefined),
    });
    const bytes = randomBytes(1_000);
    await fails(openWith(wallet, unsure.url, { journal }).put("manifests/late", bytes, never), "StoreUnreachable");
    const paid = await balance(wallet);
    assert.ok(paid < left);
    deaf = false;
    assert.equal((await openWith(wallet, unsure.url, { journal }).put("manifests/late", bytes, never)).cost, undefined);
    assert.equal(await balance(wallet), paid);
    assert.deepEqual(await keptKeys(), []);

    // One that the network takes no more gives way to a new one.
    let refused = 0;
    await using strict = await meddlingProxy(arlocal.url, {
      refuse: ({ url, method }) => (url === "/tx" && method === "POST" && ++refused <= 2 ? 400 : undefined),
    });
    await fails(openWith(wallet, strict.url, { journal }).put("manifests/stale", bytes, never), "StoreRejected");
    assert.match((await openWith(wallet, strict.url, { journal }).put("manifests/stale", bytes, never)).cost!, /winston$/);
    assert.deepEqual([await keptKeys(), refused], [[], 3]);
  });

  test("who gives up a put that goes on in a bundle, and puts it again, pays once", async () => {
    const wallet = await fundedWallet(4096);
    const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
    const { promise: bundlePosted, resolve: sawBundle } = Promise.withResolvers<void>();
    let posts = 0;
    await using proxy = await meddlingProxy(arlocal.url, {
      refuse: async ({ url, method }) => {
        if (url !== "/tx" || method !== "POST") return undefined;
        posts += 1;
        if (posts < 2) return undefined;
        sawBundle();
        return held;
      },
    });
    const store = openWith(wallet, proxy.url);
    const stop = new AbortController();
    const alone = store.put("manifests/alone", randomBytes(100), never);
    const [kept, bytes] = [store.put("manifests/kept", randomBytes(200), never), randomBytes(300)];
    const given = assert.rejects(store.put("manifests/given-up", bytes, stop.signal));
    await bundlePosted;
    stop.abort();
    await given;
    const again = store.put("manifests/given-up", bytes, never);
    letGo(undefined);
    await Promise.all([alone, kept]);
    assert.equal((await again).cost, undefined);
    assert.equal(posts, 2);
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

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { CID, create, multiaddr } from "ipfs-http-client";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import { openPeer } from "../../core/stores/ipfs-peer.ts";
import { openTransfers } from "../../core/stores/ipfs-transfer.ts";
import type { Store } from "../../core/stores/store.ts";
import { ownPeer } from "./ipfs-own-peer.ts";
import { fails, never } from "./store-expectations.ts";
import { meddlingProxy } from "./store-servers.ts";

/** Two peers that have never met. */
const [first, second] = await Promise.all([ownPeer(), ownPeer()]);
after(() => Promise.all([first, second].map((peer) => peer[Symbol.asyncDispose]())));

interface PeerAt {
  readonly name: string;
  readonly api: string;
}

const openWith = (...peers: PeerAt[]): Store =>
  openIpfsStore({ kind: "ipfs", name: "swarm", domain: "p2p", peers, folder: "/dbgov" }, { silenceMs: 60_000 });

const peersOf = async ({ api }: PeerAt): Promise<string[]> => (await create({ url: api }).swarm.peers()).map(({ peer }) => peer.toString());

const cutOff = async (): Promise<void> => {
  const client = create({ url: second.api });
  for (const peer of await peersOf(second)) await client.swarm.disconnect(multiaddr(`/p2p/${peer}`));
};

const isWhole = async ({ api }: PeerAt, cid: string): Promise<boolean> => {
  const pins = await Array.fromAsync(create({ url: api }).pin.ls({ paths: CID.parse(cid), type: "recursive" })).catch(() => []);
  return pins.length === 1;
};

type Refuse = (call: string, times: number) => number | undefined | Promise<undefined | number>;

/** A peer, and those calls it gets that say how an object came to it. `refuse` may answer one with a status instead. */
const watched = async (peer: PeerAt, refuse: Refuse = () => undefined) => {
  const calls: string[] = [];
  const disconnections: string[] = [];
  const proxy = await meddlingProxy(peer.api, {
    refuse: ({ url }) => {
      const call = /v0\/(pin\/add|swarm\/connect|dag\/import)\b/.exec(url!)?.[1];
      if (call === undefined) return undefined;
      calls.push(call);
      return refuse(call, calls.filter((other) => other === call).length);
    },
    received: ({ url }, body) => {
      if (url!.includes("swarm/disconnect")) disconnections.push(body.toString());
      return body;
    },
  });
  return { name: peer.name, api: proxy.url, calls, disconnections, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
};

const refusesToConnect: Refuse = (call) => (call === "dag/import" ? undefined : 500);

describe("getting an object to a peer that the swarm does not serve", () => {
  test("silence of peers that know nobody: the blocks go through us, with the same CID, pinned", async () => {
    await cutOff();
    const bytes = randomBytes(3 << 20);
    const { id: cid } = await openWith(first).put("packs/silent", bytes, never);
    await using watching = await watched(second, (call) => (call === "swarm/connect" ? 500 : undefined));
    const transfer = openTransfers(60_000, 1_000);
    const [from, to] = [openPeer("swarm", first), openPeer("swarm", watching)];
    await transfer({ from, to, cid, path: "/dbgov/packs/silent" }, never);
    assert.deepEqual(watching.calls, ["pin/add", "swarm/connect", "dag/import"]);
    assert.ok(await isWhole(second, cid));
    assert.deepEqual(await peersOf(second), []);
  });

  test("peers that are not connected are told to connect, and then the swarm brings it", async () => {
    await cutOff();
    await using watching = await watched(second, (call, times) => (call === "pin/add" && times === 1 ? 500 : undefined));
    const store = openWith(first, watching);
    const bytes = randomBytes(3 << 20);
    const { id } = await store.put("packs/met", bytes, never);
    assert.deepEqual(watching.calls, ["pin/add", "swarm/connect", "pin/add"]);
    assert.equal((await peersOf(second)).length, 1);
    assert.ok(await isWhole(second, id));
    assert.ok(bytes.equals(await store.get("packs/met", never)));
    await store.put("packs/met-again", randomBytes(10), never);
    assert.equal(watching.calls.length, 4, "the next one goes over the swarm at once");
  });

  test("a connection that is up and dead is closed and made anew", async () => {
    assert.equal((await peersOf(second)).length, 1);
    await using watching = await watched(second, (call, times) => (call === "pin/add" && times === 1 ? 500 : undefined));
    await openWith(first, watching).put("packs/dead", randomBytes(100_000), never);
    assert.deepEqual(watching.calls, ["pin/add", "swarm/connect", "pin/add"]);
    assert.match(watching.disconnections.join(), /success/);
    assert.equal((await peersOf(second)).length, 1);
  });

  test("a pair that cannot connect is not asked in vain again", async () => {
    await cutOff();
    await using watching = await watched(second, refusesToConnect);
    const store = openWith(first, watching);
    for (const size of [0, 1, 300_000]) {
      const bytes = randomBytes(size);
      const { id } = await store.put(`packs/cut-${size}`, bytes, never);
      assert.equal((await openWith(second).stat(`packs/cut-${size}`, never))?.receipt, id);
      assert.ok(bytes.equals(await openWith(second).get(`packs/cut-${size}`, never)));
    }
    assert.deepEqual(watching.calls, ["pin/add", "swarm/connect", "dag/import", "dag/import", "dag/import"]);
  });

  test("ten minutes after the last try the swarm is tried again, however many objects went through us meanwhile", async (t) => {
    await cutOff();
    await using watching = await watched(second, refusesToConnect);
    let now = performance.now();
    t.mock.method(performance, "now", () => now);
    const store = openWith(first, watching);
    for (const minutes of [0, 6, 6]) {
      now += minutes * 60_000;
      await store.put(`packs/later-${now}`, randomBytes(100), never);
    }
    const tried = ["pin/add", "swarm/connect", "dag/import"];
    assert.deepEqual(watching.calls, [...tried, "dag/import", ...tried]);
  });

  test("objects at the same time share one reconnection", async () => {
    await cutOff();
    const { promise: allAsked, resolve } = Promise.withResolvers<undefined>();
    await using watching = await watched(second, async (call, times) => {
      if (call !== "pin/add" || times > 3) return undefined;
      if (times === 3) resolve(undefined);
      await allAsked;
      return 500;
    });
    const store = openWith(first, watching);
    await Promise.all([1, 2, 3].map((number) => store.put(`packs/together-${number}`, randomBytes(100_000), never)));
    assert.equal(watching.calls.filter((call) => call === "swarm/connect").length, 1);
    assert.ok(!watching.calls.includes("dag/import"));
  });

  test("an archive that was cut or changed on the way is refused by the peer: the put fails and names it", async () => {
    await cutOff();
    const cut = (body: Buffer): Buffer => body.subarray(0, body.length / 2);
    const changed = (body: Buffer): Buffer => {
      body.writeUInt8(body.at(-9)! ^ 1, body.length - 9);
      return body;
    };
    for (const spoil of [cut, changed]) {
      await using source = await meddlingProxy(first.api, {
        received: ({ url }, body) => (url!.includes("dag/export") ? spoil(body) : body),
      });
      await using deaf = await watched(second, refusesToConnect);
      const store = openWith({ name: "source", api: source.url }, deaf);
      const failure = await fails(store.put("packs/spoiled", randomBytes(200_000), never), "StoreUnreachable");
      assert.match(failure.message, new RegExp(`peer "${deaf.name}".*copy of .*packs/spoiled from peer "source"`));
      assert.equal(await openWith(second).stat("packs/spoiled", never), undefined, "no name for what is not there");
    }
  });
});

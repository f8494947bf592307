import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { create, multiaddr } from "ipfs-http-client";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import type { Store } from "../../core/stores/store.ts";
import { ownPeer } from "./ipfs-own-peer.ts";
import { fails, keysOf, never } from "./store-expectations.ts";

/** Two peers that route between themselves; the first announces nothing of what it has. A third one that routes nothing. */
const [silent, open, alone] = await Promise.all([
  ownPeer({ "Routing.Type": "dhtserver", "Provide.Enabled": false }),
  ownPeer({ "Routing.Type": "dhtserver" }),
  ownPeer(),
]);
after(() => Promise.all([silent, open, alone].map((peer) => peer[Symbol.asyncDispose]())));
const { addresses } = await create({ url: silent.api }).id();
await create({ url: open.api }).swarm.connect(multiaddr(String(addresses[0])));

const openWith = (...peers: { name: string; api: string }[]): Store =>
  openIpfsStore(
    { kind: "ipfs", name: "swarm", domain: "p2p", peers: peers.map(({ name, api }) => ({ name, api })), folder: "/dbgov" },
    { silenceMs: 60_000 },
  );

/** Whether the node has the object's first block, without asking anybody. */
const has = async (api: string, cid: string): Promise<boolean> =>
  (await fetch(`${api}/api/v0/block/stat?offline=true&arg=${cid}`, { method: "POST" })).ok;

describe("IPFS peers over time", () => {
  test("garbage collection takes what was deleted or replaced, and nothing that has a name", { timeout: 120_000 }, async () => {
    const store = openWith(silent, open);
    const kept = randomBytes(3 << 20);
    const { id: keptId } = await store.put("packs/kept", kept, never);
    const { id: gone } = await store.put("packs/gone", randomBytes(3 << 20), never);
    const { id: old } = await store.put("log/checkpoint", Buffer.from("old"), never);
    await store.put("log/checkpoint", Buffer.from("new"), never);
    await store.delete("packs/gone", never);
    for (const { api } of [silent, open]) {
      assert.ok(await has(api, gone), "until the collection the bytes are there");
      for await (const { err } of create({ url: api }).repo.gc()) assert.equal(err ?? "none", "none");
      assert.deepEqual(await Promise.all([keptId, gone, old].map((cid) => has(api, cid))), [true, false, false]);
    }
    assert.deepEqual(await keysOf(store, ""), ["log/checkpoint", "packs/kept"]);
    for (const peer of [silent, open]) {
      const single = openWith(peer);
      assert.ok(kept.equals(await single.get("packs/kept", never)));
      assert.equal(Buffer.from(await single.get("log/checkpoint", never)).toString(), "new");
      await fails(single.get("packs/gone", never), "ObjectMissing");
    }
  });

  test("provider records are looked for: which peer others cannot find, and which publishes none, is told", {
    timeout: 120_000,
  }, async () => {
    const store = openWith(silent, open);
    const { id } = await store.put("packs/kept", randomBytes(1_000), never);
    // The open peer publishes its record in its own time.
    const wanted = [`no provider record of ${id} names peer "${silent.name}": nodes that are not connected to it may not find what it has`];
    let notices = await store.notices!(never);
    while (notices.length > 1) {
      await pause(200);
      notices = await store.notices!(never);
    }
    assert.deepEqual(notices, wanted);
    assert.deepEqual(await openWith(alone).notices!(never), [
      `peer "${alone.name}" publishes no provider records (Routing.Type none): only nodes that are connected to it find what it has`,
    ]);
    assert.match((await openWith(open).notices!(never)).join(), /is not known: no other peer of the store could be asked/);
  });
});

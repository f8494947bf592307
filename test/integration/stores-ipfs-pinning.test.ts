import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { CID, create } from "ipfs-http-client";
import { openIpfsStore } from "../../core/stores/ipfs.ts";
import type { Store } from "../../core/stores/store.ts";
import { useStack } from "../stack/use-stack.ts";
import { pinningStub } from "./pinning-service-stub.ts";
import { fails, never } from "./store-expectations.ts";
import { answeringServer, closedAddress, hangingServer } from "./store-servers.ts";

const { ipfs } = await useStack("ipfs");
/** The last peer of the stack is the service's node, the others are the operator's. */
const peers = ipfs.slice(0, -1);
const theirs = create({ url: ipfs.at(-1)!.api });
const token = "token-of-the-service";
const stub = await pinningStub(ipfs.at(-1)!.api, token);
const folder = `/stores-${randomUUID()}`;
after(async () => {
  await stub[Symbol.asyncDispose]();
  for (const { api } of ipfs)
    await create({ url: api })
      .files.rm(folder, { recursive: true, force: true } as object)
      .catch(() => {});
});

const openAt = (endpoint: string, withToken = token, silenceMs = 60_000): Store =>
  openIpfsStore({ kind: "ipfs", name: "swarm", domain: "p2p", peers, folder, pinning: { endpoint, token: withToken } }, { silenceMs });
const store = openAt(stub.url);
const pinsOf = (key: string) => stub.pins.filter(({ pin }) => pin.name === `${folder}/${key}`);

describe("IPFS store with a pinning service, against a stub of one that has a real node", () => {
  test("an object is asked to be kept, told to be settled when the service has it, and then read from its node alone", async () => {
    const bytes = randomBytes(1 << 20);
    stub.fetching = false;
    const { id } = await store.put("packs/queued", bytes, never);
    assert.equal(await store.settled!("packs/queued", never), false);
    assert.equal((await store.stat("packs/queued", never))?.receipt, id, "it is promised: nothing has to be sent again");
    stub.fetching = true;
    await store.put("packs/kept", bytes, never);
    await stub.idle();
    assert.equal(await store.settled!("packs/kept", never), true);
    assert.deepEqual(pinsOf("packs/kept")[0]!.pin.origins!.length > 0, true);
    const parts = await Array.fromAsync(theirs.cat(CID.parse(id)));
    assert.ok(bytes.equals(Buffer.concat(parts)));
    assert.equal(await store.settled!("packs/none", never), false);
  });

  test("the same object twice is asked for once; another version takes the place of the first; deletion lets go", async () => {
    await store.put("log/checkpoint", Buffer.from("one"), never);
    await store.put("log/checkpoint", Buffer.from("one"), never);
    assert.equal(pinsOf("log/checkpoint").length, 1);
    const { id } = await store.put("log/checkpoint", Buffer.from("two"), never);
    assert.deepEqual(
      pinsOf("log/checkpoint").map(({ pin }) => pin.cid),
      [id],
    );
    await stub.idle();
    await store.delete("log/checkpoint", never);
    assert.deepEqual(pinsOf("log/checkpoint"), []);
    await store.delete("log/checkpoint", never);
  });

  test("what the service has lost or given up is not there, and a put repeated asks again", async () => {
    await store.put("packs/lost", randomBytes(100), never);
    await stub.idle();
    const bytes = await store.get("packs/lost", never);
    const forget = (): void => {
      stub.pins.length = 0;
    };
    const giveUp = (): void => {
      for (const pin of stub.pins) pin.status = "failed";
    };
    for (const lose of [forget, giveUp]) {
      lose();
      assert.equal(await store.stat("packs/lost", never), undefined);
      assert.equal(await store.settled!("packs/lost", never), false);
      await store.put("packs/lost", bytes, never);
      await stub.idle();
      assert.equal(await store.settled!("packs/lost", never), true);
      assert.equal(pinsOf("packs/lost").length, 1);
    }
  });

  test("a name that is too long for the service is known to it by its hash", async () => {
    const key = `packs/${"long/".repeat(60)}x`;
    await store.put(key, Buffer.from("x"), never);
    assert.ok(stub.pins.some(({ pin }) => /^sha256-[0-9a-f]{64}$/.test(pin.name!)));
    await stub.idle();
    assert.equal(await store.settled!(key, never), true);
    await store.delete(key, never);
  });

  test("what the service says is told in our words, without its sentences or the token", async () => {
    const wrong = "a-wrong-token";
    const key = "packs/refused";
    await fails(openAt(stub.url, wrong).put(key, Buffer.from("x"), never), "StoreRejected", [wrong, token]);
    for (const [status, reason, type] of [
      [409, "INSUFFICIENT_FUNDS", "StoreFull"],
      [403, "FORBIDDEN", "StoreRejected"],
      [429, "RATE_LIMITED", "StoreUnreachable"],
      [500, "INTERNAL_SERVER_ERROR", "StoreUnreachable"],
    ] as const) {
      stub.refusal = { status, reason };
      const failure = await fails(store.put(key, Buffer.from("x"), never), type, [token]);
      assert.match(failure.message, new RegExp(`store "swarm", pinning service \\(${stub.url}\\): .*${reason}`));
    }
    stub.refusal = undefined;
    await fails(openAt(await closedAddress()).put(key, Buffer.from("x"), never), "StoreUnreachable", [token]);
    await using elsewhere = await answeringServer(404);
    await fails(openAt(elsewhere.url).put(key, Buffer.from("x"), never), "StoreRejected", [token]);
    await fails(openAt(`${ipfs[0]!.api}/api/v0`).put(key, Buffer.from("x"), never), "StoreRejected", [token]);
    await using silent = await hangingServer();
    await store.put(key, Buffer.from("x"), never);
    await fails(openAt(silent.url, token, 2_000).stat(key, never), "StoreUnreachable", [token]);
    for (const endpoint of ["no url", "ftp://host/", "https://user:secret@host/"])
      assert.throws(() => openAt(endpoint), { type: "ConfigurationInvalid" });
    assert.equal(openIpfsStore({ kind: "ipfs", name: "s", domain: "d", peers, folder }).settled, undefined);
  });
});

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import type { StoreConfig } from "../../core/config/schema.ts";
import { openSiaStore } from "../../core/stores/sia.ts";
import type { Store, StoreOptions } from "../../core/stores/store.ts";
import { addressOf } from "../../core/stores/store-address.ts";
import { useStack } from "../stack/use-stack.ts";
import { bucketForTests } from "./s3-bucket.ts";
import { type SiaSimulator, type SimulatedContract, siaSimulator } from "./sia-simulator.ts";
import { storeContract } from "./store-contract.ts";
import { fails, never } from "./store-expectations.ts";
import { answeringServer, closedAddress, hangingServer } from "./store-servers.ts";

const { s3 } = await useStack("s3");
const { endpoint, ...credentials } = s3;
const { bucket } = await bucketForTests(s3, "sia");

type SiaConfig = Extract<StoreConfig, { kind: "sia" }>;
const configOf = (simulator: SiaSimulator, software: SiaConfig["software"], changes: Partial<SiaConfig> = {}): SiaConfig => ({
  ...{ kind: "sia", name: "sia", domain: "sia", bucket, prefix: randomUUID(), software, ...credentials },
  ...{ endpoint: simulator.endpoint, api: simulator.api, password: simulator.password },
  ...changes,
});
const open = (simulator: SiaSimulator, software: SiaConfig["software"], changes: Partial<SiaConfig> = {}, options?: StoreOptions): Store =>
  openSiaStore(configOf(simulator, software, changes), options);

const shared = await siaSimulator("renterd", endpoint, bucket);
after(() => shared[Symbol.asyncDispose]());

const siacoin = 10n ** 24n;
const contract = (windowStart: number, changes: Partial<SimulatedContract> = {}): SimulatedContract => ({
  ...{ id: `fcid:${randomBytes(32).toString("hex")}`, state: "active", startHeight: 499_000, windowStart },
  ...{ contractPrice: String(siacoin / 5n), initialRenterFunds: String((siacoin * 4n) / 5n) },
  ...changes,
});

describe("Sia store: the protocol on a real S3 server, the daemon's state from a simulator", () => {
  storeContract({
    open: async (options) => open(shared, "renterd", {}, options),
    openAt: async (url, options) => open(shared, "renterd", { endpoint: url, api: url }, options),
    secrets: [credentials.secretAccessKey, shared.password],
    listed: 40,
    large: 9 << 20,
  });

  test("renterd: what waits in a buffer is called healthy, and yet is not settled", async () => {
    await using simulator = await siaSimulator("renterd", endpoint, bucket);
    const prefix = randomUUID();
    const store = open(simulator, "renterd", { prefix });
    await store.put("packs/a", randomBytes(1_000), never);
    await store.put("empty", new Uint8Array(), never);
    assert.equal(await store.settled?.("packs/a", never), false);
    assert.equal(await store.settled?.("empty", never), true);
    simulator.upload();
    assert.equal(await store.settled?.("packs/a", never), true);
    assert.deepEqual(await store.usage?.(never), { bytes: 1_000, objects: 2 });

    simulator.objects.get(`${prefix}/packs/a`)!.health = 0.75;
    assert.equal(await store.settled?.("packs/a", never), false, "hosts have gone, and nobody has replaced them yet");
    await fails(store.settled!("packs/none", never), "ObjectMissing");
  });

  test("s3d: the queue is told to upload, and settled is what it has drained; one that stalls never is", async () => {
    await using simulator = await siaSimulator("s3d", endpoint, bucket);
    const store = open(simulator, "s3d");
    await store.put("packs/a", randomBytes(1_000), never);
    assert.deepEqual(await store.usage?.(never), { bytes: 1_000, objects: 1 });
    simulator.stalls = "silently";
    assert.equal(await store.settled?.("packs/a", never), false);
    simulator.stalls = "errors";
    await fails(store.settled!("packs/a", never), "StoreUnreachable", [simulator.password]);
    simulator.stalls = false;
    assert.equal(await store.settled?.("packs/a", never), true);
    assert.equal(simulator.told.flush, 3);
    assert.equal(await store.settled?.("packs/a", never), true);
    assert.equal(simulator.told.flush, 3, "an empty queue is left alone");
  });

  test("s3d up to 0.1.1 cannot be told to upload: then it is waited for", async () => {
    await using simulator = await siaSimulator("s3d", endpoint, bucket);
    simulator.canFlush = false;
    const store = open(simulator, "s3d");
    await store.put("packs/a", randomBytes(1_000), never);
    assert.equal(await store.settled?.("packs/a", never), false);
    simulator.upload();
    assert.equal(await store.settled?.("packs/a", never), true);
    assert.equal(store.renewals, undefined, "its contracts are its indexer's");
  });

  test("contracts end at their height, and the wallet lasts as long as it pays for them again", async () => {
    await using simulator = await siaSimulator("renterd", endpoint, bucket);
    const store = open(simulator, "renterd");
    const now = Date.parse(simulator.chain.lastBlockTime);
    const days = (count: number): string => new Date(now + count * 86_400_000).toISOString();
    simulator.contracts.push(
      contract(500_000 + 144 * 10, { startHeight: 500_000 }),
      contract(500_000 + 144 * 20, { startHeight: 500_000 }),
    );
    // One siacoin in ten days and one in twenty: 0.15 a day.
    Object.assign(simulator.wallet, { spendable: String(siacoin), unconfirmed: String(siacoin * 2n) });
    const [first, second, purse] = await store.renewals!(never);
    assert.equal(first?.until, days(10));
    assert.equal(second?.until, days(20));
    assert.equal(purse?.what, "wallet");
    assert.equal(Math.round((Date.parse(purse?.fundedUntil ?? "") - now) / 86_400_000), 20);
    assert.deepEqual([first?.problem, second?.problem, purse?.problem], [undefined, undefined, undefined]);

    Object.assign(simulator.wallet, { unconfirmed: "0" });
    assert.match(
      (await store.renewals!(never)).at(-1)?.problem ?? "",
      /^The wallet holds 1\.000 SC, and renewing its 2 contracts costs 2\.000 SC\.$/,
    );
    Object.assign(simulator.wallet, { spendable: "0" });
    assert.equal((await store.renewals!(never)).at(-1)?.fundedUntil, days(0));
  });

  test("a contract that ended, one that failed, none at all, and a daemon that is behind: each is said", async () => {
    await using simulator = await siaSimulator("renterd", endpoint, bucket);
    const store = open(simulator, "renterd");
    const problems = async () => (await store.renewals!(never)).flatMap(({ problem }) => problem ?? []);
    simulator.wallet.spendable = String(siacoin * 100n);
    assert.deepEqual(await problems(), ["renterd has no contract with any host."]);
    simulator.contracts.push(contract(499_999), contract(501_000, { state: "failed" }), contract(501_000));
    const [ended, failed, ...none] = await problems();
    assert.match(ended ?? "", /^contract [0-9a-f]{16} has ended and was not renewed\.$/);
    assert.match(failed ?? "", /has failed: its host did not prove that it has the data\.$/);
    assert.deepEqual(none, []);
    simulator.chain.synced = false;
    assert.match((await problems()).at(-1) ?? "", /does not know the chain to its end/);
  });

  test("renewing wakes the autopilot for what ends within the margin, and for nothing else", async () => {
    await using simulator = await siaSimulator("renterd", endpoint, bucket);
    const store = open(simulator, "renterd");
    simulator.contracts.push(contract(500_000 + 144 * 5), contract(500_000 + 144 * 50));
    assert.deepEqual(await store.renew!(never, { days: 4 }), []);
    assert.equal(simulator.told.trigger, 0);
    const done = await store.renew!(never, { days: 7 });
    assert.equal(done.length, 1);
    assert.match(done[0]!.what, /: renterd was told to renew it$/);
    assert.equal(simulator.told.trigger, 1);
  });

  test("a daemon that is away, silent, unwilling or something else is a failure that names it, without its password", async () => {
    await using hanging = await hangingServer();
    await using busy = await answeringServer(503);
    await using other = await answeringServer(200);
    for (const software of ["renterd", "s3d"] as const) {
      const asking = (changes: Partial<SiaConfig>): Promise<unknown> => open(shared, software, changes, { silenceMs: 300 }).usage!(never);
      for (const [api, type] of [
        [await closedAddress(), "StoreUnreachable"],
        [hanging.url, "StoreUnreachable"],
        [busy.url, "StoreUnreachable"],
        [other.url, "StoreRejected"],
      ] as const) {
        assert.match((await fails(asking({ api }), type, [shared.password])).message, /^store "sia" \(http:.*\): /);
      }
      await fails(asking({ password: "wrong-password" }), "StoreRejected", ["wrong-password"]);
    }
    assert.throws(() => open(shared, "s3d", { api: "http://user:secret@127.0.0.1/" }), /api must be an http or https URL/);
  });

  test("recovery takes its address for that of an S3 bucket", () => {
    const config = configOf(shared, "s3d", { prefix: "acme" });
    assert.equal(addressOf(config), `s3://${bucket}/acme?endpoint=${shared.endpoint}`);
  });
});

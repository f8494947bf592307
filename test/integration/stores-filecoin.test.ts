import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, describe, test } from "node:test";
import type { Contract } from "ethers";
import { openFilecoinStore } from "../../core/stores/filecoin.ts";
import { loadFilecoinSdk } from "../../core/stores/filecoin-sdk.ts";
import type { Renewal, Store, StoreOptions } from "../../core/stores/store.ts";
import { provingPeriod, startFilecoin } from "../filecoin-simulator/network.ts";
import { startProvider } from "../filecoin-simulator/provider.ts";
import { callChain, until } from "./ledger-chain.ts";
import { storeContract } from "./store-contract.ts";
import { fails, keysOf, never, same } from "./store-expectations.ts";

// Everything here is simulated but the EVM chain, the SDK, and the piece commitments: no Filecoin node can be had for a test.
const network = await startFilecoin();
const [first, second, third] = [await startProvider(network), await startProvider(network), await startProvider(network)];

const config = (rpc = network.rpc) =>
  ({
    kind: "filecoin",
    name: "cold",
    domain: "filecoin",
    network: "devnet",
    rpc,
    contracts: network.contracts,
    dataSet: "acme",
    copies: 2,
    maxDeposit: "10",
  }) as const;
const openWith = (wallet: string, rpc?: string, options?: StoreOptions): Store => openFilecoinStore({ ...config(rpc), wallet }, options);
const opened = async (deposited = "100", kept = "0") => {
  const payer = await network.payer(deposited, kept);
  const store = openWith(payer.key);
  return { payer, store, dataSets: () => dataSetsOf(payer.address) };
};
const dataSetsOf = async (payer: string): Promise<bigint[]> =>
  ((await network.contract.getFunction("getClientDataSets")(payer, 0, 10)) as { dataSetId: bigint }[]).map(({ dataSetId }) => dataSetId);
const problems = (renewals: readonly Renewal[]): string[] =>
  renewals.flatMap(({ what, problem }) => (problem === undefined ? [] : [`${what}: ${problem}`]));

describe("Filecoin store", () => {
  after(async () => {
    for (const provider of [first, second, third]) await provider.stop();
    network.stop();
  });
  afterEach(() => {
    for (const { failings } of [first, second, third])
      for (const name of Object.keys(failings)) delete failings[name as keyof typeof failings];
  });

  const secret = `0x${"5e".repeat(32)}`;
  storeContract({
    open: async (options) => openWith((await network.payer("100")).key, network.rpc, options),
    openAt: async (url, options) => openWith(secret, url, options),
    secrets: [secret, secret.slice(2)],
    listed: 16,
    large: 1 << 20,
  });

  test("it is settled once both providers have proven possession on the chain, and stays so in the periods after", async () => {
    const { store, dataSets } = await opened();
    await store.put("packs/p", randomBytes(3_000), never);
    assert.equal(await store.settled!("packs/p", never), false);
    const [one, two] = await dataSets();
    // The chain notes an epoch of a last proof when proving begins, without any: that is not believed.
    await first.startPeriod(two === undefined ? 0n : one!);
    assert.equal(await store.settled!("packs/p", never), false);
    await network.mine(provingPeriod + 1);
    await first.prove(one!);
    assert.equal(await store.settled!("packs/p", never), false, "one of two");
    await second.prove(two!);
    assert.equal(await store.settled!("packs/p", never), true);
    await store.put("packs/later", randomBytes(3_000), never);
    assert.equal(await store.settled!("packs/later", never), false, "it was not among what was proven");
    // Three periods later the next challenge is open, and the last answer counts.
    await network.mine(3 * provingPeriod);
    for (const [provider, set] of [
      [first, one],
      [second, two],
    ] as const) {
      await provider.prove(set!);
      await provider.startPeriod(set!);
    }
    assert.equal(await store.settled!("packs/later", never), true);
  });

  test("a provider that loses a piece: the other serves it, the proof fails on the chain, and the renewals name the provider", async () => {
    const { store, dataSets } = await opened();
    const bytes = randomBytes(3_000);
    await store.put("packs/p", bytes, never);
    const [one, two] = await dataSets();
    second.failings.loses = true;
    same(await store.get("packs/p", never), bytes);
    await first.prove(one!);
    await assert.rejects(second.prove(two!), /has lost/);
    assert.deepEqual(problems(await store.renewals!(never)), []);
    await network.mine(provingPeriod);
    const named = new RegExp(
      `^data set ${two} at provider ${second.id} .*: the provider has missed a proof of possession, which was due at epoch`,
    );
    assert.ok(problems(await store.renewals!(never)).some((problem) => named.test(problem)));
    first.failings.loses = true;
    const failure = await fails(store.get("packs/p", never), "ObjectMissing");
    assert.match(failure.message, new RegExp(`provider ${first.id} .*is paid for the piece`));
  });

  test("a proof from other bytes than were committed to is refused by the contract", async () => {
    const { store, dataSets } = await opened();
    const { id } = await store.put("packs/p", randomBytes(3_000), never);
    first.pieces.set(id, randomBytes(3_000));
    await assert.rejects(first.prove((await dataSets())[0]!), /proof did not verify/);
  });

  test("a provider that serves other bytes is passed over, and named when there is no other", async () => {
    const { store } = await opened();
    const bytes = randomBytes(3_000);
    await store.put("packs/p", bytes, never);
    second.failings.lies = randomBytes(3_000);
    same(await store.get("packs/p", never), bytes);
    first.failings.lies = randomBytes(3_000);
    const failure = await fails(store.get("packs/p", never), "ObjectCorrupt");
    for (const { id } of [first, second]) assert.match(failure.message, new RegExp(`provider ${id} .*serves other bytes`));
    first.failings.down = true;
    assert.match(
      (await fails(store.get("packs/p", never), "StoreUnreachable")).message,
      /answered 503.*serves other bytes|serves other bytes.*answered 503/,
    );
  });

  test("a provider that ignores ranges, and one that cannot fetch from the other", async () => {
    second.failings.cannotPull = true;
    second.failings.ignoresRanges = true;
    const { store } = await opened();
    const bytes = randomBytes(3_000);
    const before = second.requests.length;
    await store.put("packs/p", bytes, never);
    assert.ok(second.requests.slice(before).some((request) => request.startsWith("PUT /pdp/piece/uploads/")));
    same(await store.get("packs/p", never, { offset: 1_000, length: 9 }), bytes.subarray(1_000, 1_009));
  });

  test("a wrong commitment, and pieces that are only said to be added", async () => {
    const { store } = await opened();
    first.failings.damages = true;
    const damaged = await fails(store.put("packs/p", randomBytes(3_000), never), "StoreUnreachable");
    assert.match(damaged.message, new RegExp(`upload at provider ${first.id} .*another commitment`));
    delete first.failings.damages;
    await store.put("packs/p", randomBytes(3_000), never);
    second.failings.pretends = true;
    assert.match(
      (await fails(store.put("packs/q", randomBytes(3_000), never), "ObjectCorrupt")).message,
      /packs\/q.*the chain does not have it/,
    );
    assert.equal(await store.stat("packs/q", never), undefined);
  });

  test("a put that failed at one provider is completed by the next, with nothing sent again", async () => {
    const { store } = await opened();
    await store.put("packs/p", randomBytes(200), never);
    const bytes = randomBytes(3_000);
    second.failings.down = true;
    const failure = await fails(store.put("packs/q", bytes, never), "StoreUnreachable");
    assert.match(failure.message, new RegExp(`provider ${second.id}`));
    assert.equal(await store.stat("packs/q", never), undefined);
    delete second.failings.down;
    await store.put("packs/q", bytes, never);
    assert.equal((await store.stat("packs/q", never))?.bytes, 3_000);
    const before = first.requests.length + second.requests.length;
    await store.put("packs/q", bytes, never);
    assert.equal(first.requests.length + second.requests.length, before);
    assert.deepEqual(await store.usage!(never), { bytes: 2 * (224 + 3_040), objects: 4 });
  });

  test("what is in no block yet: a piece that is added again is paid for once, and a deletion ends when the chain has it", async () => {
    const { payer, store } = await opened();
    await store.put("packs/p", randomBytes(200), never);
    const bytes = randomBytes(3_000);
    const asked = (method: string): number =>
      [first, second]
        .flatMap(({ requests }) => requests)
        .filter((one) => one.startsWith(`${method} /pdp/data-sets/`) && !one.includes("added")).length;
    for (const { failings } of [first, second]) failings.answersEarly = true;
    await callChain(network.rpc, "evm_setAutomine", false);
    try {
      // Two processes, one after the other: neither waits for the block.
      for (const process of [store, openWith(payer.key)]) {
        const stop = new AbortController();
        const before = asked("POST");
        const put = assert.rejects(process.put("packs/q", bytes, stop.signal));
        await until(
          async () => asked("POST"),
          (count) => count === before + 2,
          60_000,
        );
        stop.abort(new Error("killed"));
        await put;
      }
    } finally {
      await callChain(network.rpc, "evm_setAutomine", true);
      await network.mine(1);
    }
    const before = asked("POST");
    await store.put("packs/q", bytes, never);
    assert.equal(asked("POST"), before, "it is there");
    assert.deepEqual(await store.usage!(never), { bytes: 2 * (224 + 3_040), objects: 4 });

    await callChain(network.rpc, "evm_setAutomine", false);
    const deleted = asked("DELETE");
    let ended = false;
    const deletion = store.delete("packs/q", never).then(() => {
      ended = true;
    });
    try {
      await until(
        async () => asked("DELETE"),
        (count) => count === deleted + 2,
        60_000,
      );
      assert.notEqual(await store.stat("packs/q", never), undefined);
      assert.equal(ended, false);
    } finally {
      await callChain(network.rpc, "evm_setAutomine", true);
      await network.mine(1);
    }
    await deletion;
    assert.equal(await store.stat("packs/q", never), undefined);
    await store.delete("packs/q", never);
    assert.equal(asked("DELETE"), deleted + 2, "what is scheduled is not asked for again");
    // The same object once more is another piece.
    await store.put("packs/q", bytes, never);
    assert.equal((await store.stat("packs/q", never))?.bytes, 3_000);
  });

  test("funds: what is missing is said, deposited under the cap, and not above it", async () => {
    const { payer, store } = await opened("0.1", "50");
    await fails(store.probe(never), "StoreFull");
    assert.match(
      (await fails(store.put("packs/p", randomBytes(200), never), "StoreFull")).message,
      /new data sets take 0\.340000 USDFC, and 0\.100000 USDFC of the deposit/,
    );
    const [done] = await store.renew!(never, { days: 30 });
    assert.match(done!.what, /^0\.2\d* USDFC deposited$/);
    await store.probe(never);
    await store.put("packs/p", randomBytes(200), never);
    assert.deepEqual(problems(await store.renewals!(never)), []);
    // Locked for thirty days, and nothing beyond: that is due within any margin.
    const [again] = await store.renew!(never, { days: 30 });
    assert.match(again!.what, /USDFC deposited$/);
    assert.ok(Date.parse(again!.fundedUntil!) > Date.now() + 59 * 86_400_000);
    assert.deepEqual(await store.renew!(never, { days: 30 }), []);
    await fails(store.renew!(never, { days: 36_500 }), "CostCapExceeded");
    const poor = openFilecoinStore({ ...config(), wallet: payer.key, maxDeposit: "1000000" });
    assert.match((await fails(poor.renew!(never, { days: 36_500 }), "StoreFull")).message, /and the wallet holds 4\d\./);
  });

  test("a renewal that was given up before its deposit was in a block: the next waits for that, and deposits nothing twice", async () => {
    const { payer, store } = await opened("0.1", "50");
    const deposited = async (): Promise<bigint> => {
      const found = await network.contract.getFunction("getAccountInfoIfSettled")(network.contracts.usdfc, payer.address);
      return found[2] as bigint;
    };
    await (
      await (network.contract.connect(payer.signer) as Contract).getFunction("approve")(network.contracts.filecoinPay, 10n ** 20n)
    ).wait();
    await callChain(network.rpc, "evm_setAutomine", false);
    const stop = new AbortController();
    try {
      const renewal = assert.rejects(store.renew!(stop.signal, { days: 30 }), /given up/);
      const waiting = (): Promise<string> => callChain(network.rpc, "eth_getTransactionCount", payer.address, "pending");
      const before = await waiting();
      await until(waiting, (count) => count !== before, 60_000);
      stop.abort(new Error("given up"));
      await renewal;
      const failure = await fails(store.renew!(never, { days: 30 }), "StoreUnreachable");
      assert.match(failure.message, /a transaction of the wallet 0x\w+ is not in a block yet/);
    } finally {
      await callChain(network.rpc, "evm_setAutomine", true);
      await network.mine(1);
    }
    const once = await deposited();
    assert.ok(once > 10n ** 17n);
    assert.deepEqual(await store.renew!(never, { days: 30 }), []);
    assert.equal(await deposited(), once);
  });

  test("a deposit that is used up", async () => {
    const { payer, store } = await opened("1");
    await store.put("packs/p", randomBytes(200), never);
    await (await network.contract.getFunction("spend")(payer.address)).wait();
    await network.mine(2);
    assert.ok(problems(await store.renewals!(never)).some((problem) => problem.includes("the deposit is used up")));
    assert.match((await fails(store.put("packs/q", randomBytes(200), never), "StoreFull")).message, /is used up/);
    await fails(store.probe(never), "StoreFull");
  });

  test("a wallet that never approved the service: a renewal does that", async () => {
    const { key } = await network.account();
    const store = openWith(key);
    assert.match((await fails(store.probe(never), "StoreFull")).message, /has not let the storage service take its payments/);
    await fails(store.renew!(never, { days: 30 }), "StoreFull");
    assert.ok(problems(await store.renewals!(never)).every((problem) => !problem.includes("has not let")));
  });

  test("a terminated data set: it still serves, counts as no copy, lets nothing go, and the next put goes elsewhere", async () => {
    const { store, dataSets } = await opened();
    const bytes = randomBytes(3_000);
    await store.put("packs/p", bytes, never);
    const [, two] = await dataSets();
    await second.terminate(two!);
    assert.equal(await store.stat("packs/p", never), undefined);
    same(await store.get("packs/p", never), bytes);
    const ended = (await store.renewals!(never)).find(({ what }) => what.startsWith(`data set ${two}`));
    assert.equal(ended?.renewable, false);
    assert.ok(Math.abs(Date.parse(ended!.until!) - Date.now() - 30 * 86_400_000) < 3_600_000);
    assert.match(ended!.problem!, /stored anew/);
    await store.put("packs/p", bytes, never);
    assert.equal((await store.stat("packs/p", never))?.bytes, 3_000);
    assert.equal((await dataSets()).length, 3);
    assert.ok([...third.pieces.values()].some((piece) => piece.equals(bytes)));
    const failure = await fails(store.delete("packs/p", never), "StoreRetained");
    assert.ok(Date.parse(failure.details.until!) > Date.now());
  });

  test("two repositories of one wallet, and recovery by the wallet's address alone", async () => {
    const { payer, store } = await opened();
    const other = openFilecoinStore({ ...config(), wallet: payer.key, dataSet: "other" });
    await store.put("packs/p", Buffer.from("sealed"), never);
    await other.put("packs/q", Buffer.from("other"), never);
    const reader = openFilecoinStore({ ...config(), owner: payer.address });
    assert.deepEqual(await keysOf(reader, ""), ["packs/p"]);
    assert.equal(Buffer.from(await reader.get("packs/p", never)).toString(), "sealed");
    await reader.probe(never);
    await fails(reader.put("packs/n", randomBytes(1), never), "StoreRejected");
  });

  test("a key that is no key, a devnet without addresses, and missing packages are said", async () => {
    await fails((async () => openWith("0x1234"))(), "ConfigurationInvalid", ["0x1234"]);
    const { contracts: _, ...bare } = config();
    await fails(openFilecoinStore({ ...bare, wallet: secret }).probe(never), "ConfigurationInvalid");
    const failure = await fails(
      loadFilecoinSdk("store", () => import("@filoz/not-installed" as string)),
      "ConfigurationInvalid",
    );
    assert.match(failure.message, /npm install --no-save @filoz\/synapse-sdk@/);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as Piece from "@filoz/synapse-core/piece";
import fc from "fast-check";
import { isFailure } from "../../core/domain/failure.ts";
import { parseFilecoinAddress } from "../../core/stores/filecoin-address.ts";
import { metadataOf, recordOf } from "../../core/stores/filecoin-record.ts";
import { addressOf, openStoreByUrl } from "../../core/stores/store-address.ts";
import { pieceTree, rootOf } from "../filecoin-simulator/commitment.ts";

describe("what a Filecoin piece says of itself", () => {
  const keys = fc.string({ minLength: 1, maxLength: 150, unit: "grapheme" }).filter((key) => Buffer.byteLength(key) <= 580);

  it("fits the contract's limits and is read back", () => {
    fc.assert(
      fc.property(keys, fc.nat(), fc.nat(), fc.nat(), (key, bytes, version, epoch) => {
        const record = { key, bytes, version, epoch };
        const metadata = metadataOf(record);
        assert.ok(Object.keys(metadata).length <= 5);
        for (const value of Object.values(metadata)) assert.ok(Buffer.byteLength(value) <= 128);
        const shuffled = Object.entries(metadata).reverse();
        const read = recordOf(
          shuffled.map(([name]) => name),
          shuffled.map(([, value]) => value),
        );
        assert.deepEqual(read, record);
      }),
    );
  });

  it("is refused when it is too long, and nothing of others is taken for it", () => {
    assert.throws(
      () => metadataOf({ key: "🗄".repeat(160), bytes: 1, version: 1, epoch: 1 }),
      (error) => isFailure(error, "StoreRejected"),
    );
    assert.equal(recordOf(["name", "type"], ["a.txt", "text/plain"]), undefined);
    assert.equal(recordOf(["dbgov0"], ["2 1 1 1 packs/p"]), undefined);
    assert.equal(recordOf([], []), undefined);
  });
});

describe("piece commitments", () => {
  it("of the SDK are those of the specification, written a second time", () => {
    const sizes = [127, 128, 254, 255, 1_016, 65_024, 65_025];
    for (const size of sizes) {
      const bytes = Buffer.alloc(size, "a line of text that repeats ");
      assert.equal(
        rootOf(pieceTree(bytes)).slice(2),
        Buffer.from(Piece.calculate(bytes).bytes.slice(-32)).toString("hex"),
        `${size} bytes`,
      );
    }
  });
});

describe("the address of a Filecoin store", () => {
  it("is that of a network, a wallet and a data set; another is refused", () => {
    const owner = `0x${"ab".repeat(20)}`;
    assert.equal(openStoreByUrl(`filecoin://mainnet/${owner}/acme`, {}).kind, "filecoin");
    assert.equal(openStoreByUrl(`filecoin://calibration/${owner}/acme?rpc=http://127.0.0.1:1`, {}).kind, "filecoin");
    const given = `filecoin://devnet/${owner}/acme`;
    for (const address of [
      given,
      `${given}?rpc=http://127.0.0.1:1&pdp=${owner}`,
      "filecoin://mainnet/0x12/acme",
      `filecoin://mainnet/${owner}`,
      "filecoin:",
    ]) {
      assert.throws(
        () => openStoreByUrl(address, {}),
        (error) => isFailure(error, "UsageInvalid"),
      );
    }
  });

  it("of a devnet of one's own says where its node and its contracts are, and nothing of the key", () => {
    const wallet = `0x${"5e".repeat(32)}`;
    const names = ["multicall3", "usdfc", "filecoinPay", "fwss", "fwssView", "serviceProviderRegistry", "sessionKeyRegistry", "pdp"];
    const contracts = Object.fromEntries([...names, "endorsements"].map((name, at) => [name, `0x${String(at).repeat(40)}`]));
    const address = addressOf({
      ...{ kind: "filecoin", name: "cold", domain: "cold", network: "devnet", rpc: "http://127.0.0.1:1", dataSet: "acme", copies: 2 },
      ...{ contracts: contracts as never, wallet, maxDeposit: "1" },
    });
    assert.ok(!address.includes("5e5e"));
    const { owner, ...place } = parseFilecoinAddress(address)!;
    assert.match(owner, /^0x[0-9a-fA-F]{40}$/);
    assert.deepEqual(place, { network: "devnet", dataSet: "acme", rpc: "http://127.0.0.1:1", contracts });
    assert.equal(openStoreByUrl(address, {}).kind, "filecoin");
  });
});

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isFailure } from "../../core/domain/failure.ts";
import { canSignItems, encodeBundle, readBundle, signItem } from "../../core/stores/arweave-bundle.ts";
import { parseWallet } from "../../core/stores/arweave-wallet.ts";

/** What another library (`madeBy`) has made. */
const vector = JSON.parse(readFileSync(new URL("arweave-bundle-vector.json", import.meta.url), "utf8")) as {
  bundle: string;
  items: { id: string; tags: [string, string][]; data: string }[];
};

const walletOf = (modulusLength: number) =>
  parseWallet("test", JSON.stringify(generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ format: "jwk" })));

describe("ANS-104 bundles", () => {
  it("of another library are read, to the bit", () => {
    const bytes = Buffer.from(vector.bundle, "base64");
    const items = readBundle(bytes);
    assert.deepEqual(
      items.map(({ id, tags, data }) => ({ id, tags, data: Buffer.from(data).toString() })),
      vector.items,
    );
    for (const at of [...Array.from({ length: 40 }, (_, index) => Math.floor((index * bytes.length) / 40)), bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      const count = ((): number => {
        try {
          return readBundle(damaged).length;
        } catch (error) {
          assert.ok(isFailure(error, "ObjectCorrupt"), `byte ${at}`);
          return 0;
        }
      })();
      assert.ok(count < items.length, `byte ${at}`);
    }
    for (const cut of [0, 31, 32, 100, bytes.length - 1]) {
      assert.throws(
        () => readBundle(bytes.subarray(0, cut)),
        (error) => isFailure(error, "ObjectCorrupt"),
      );
    }
  });

  it("that are written are read back; a wallet of another size signs none", async () => {
    const wallet = walletOf(4096);
    const contents = ["", "a", "b".repeat(70_000)].map((data, index) => ({
      data,
      tags: index === 0 ? [] : [["Key", `k/${data.slice(0, 3)}ü`] as const],
    }));
    const items = await Promise.all(contents.map(({ tags, data }) => signItem(wallet, tags, Buffer.from(data))));
    const read = readBundle(encodeBundle(items));
    assert.deepEqual(
      read.map(({ id, tags, data }) => ({ id, tags, data: Buffer.from(data).toString() })),
      contents.map(({ data, tags }, index) => ({ id: items[index]!.id, tags, data })),
    );
    assert.ok(canSignItems(wallet));
    assert.ok(!canSignItems(walletOf(2048)));
  });
});

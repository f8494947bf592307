import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddress, withDatabase } from "../../core/databases/mongodb/address.ts";
import { isFailure } from "../../core/domain/failure.ts";

test("the path names the database, and the label shows neither user nor password", () => {
  const address = parseAddress("mongodb://joe:pa%40ss@db1.example:27017,[::1]:27018/shop%2Dx?replicaSet=rs0");
  assert.equal(address.databaseName, "shop-x");
  assert.equal(address.label, "db1.example:27017,[::1]:27018/shop-x");
  assert.equal(address.scrub("joe failed with pa@ss and pa%40ss"), "*** failed with *** and ***");
  assert.equal(parseAddress("mongodb+srv://cluster0.ab1.mongodb.net/shop").label, "cluster0.ab1.mongodb.net/shop");
});

for (const [url, why] of [
  ["mongodb://joe:hunter2@host:27017", /names no database/],
  ["mongodb://joe:hunter2@host:27017/?tls=true", /names no database/],
  ["postgres://joe:hunter2@host/shop", /must look like/],
  ["mongodb://joe:hunter2/3@host/shop", /percent-encoded/],
  ["mongodb://joe:12/hunter2@host/shop", /percent-encoded/],
  ["mongodb://joe:hunter2@@host/shop", /must look like/],
  ["mongodb://joe:hunter2@host/a%20b", /does not allow/],
  ["mongodb://joe:hunter2@host/%ZZ", /percent-encoding/],
] as const)
  test(`${url.replace(/hunter2/, "…")} is refused`, () => {
    assert.throws(
      () => parseAddress(url),
      (error) => {
        assert.ok(isFailure(error, "ConfigurationInvalid"));
        assert.match(error.message, why);
        assert.doesNotMatch(error.message, /hunter2|joe/);
        return true;
      },
    );
  });

test("no password, however written, is ever in a label or an error", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9:/?#@%]{0,12}SECRET[A-Za-z0-9:/?#@%]{0,12}$/), (password) => {
      try {
        assert.doesNotMatch(parseAddress(`mongodb://joe:${password}@host:1/shop`).label, /SECRET/);
      } catch (error) {
        assert.ok(isFailure(error, "ConfigurationInvalid"), String(error));
        assert.doesNotMatch(error.message, /SECRET/);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("another database keeps the source that the user authenticates against", () => {
  assert.equal(withDatabase("mongodb://u:p@h/shop", "scratch", "shop"), "mongodb://u:p@h/scratch?authSource=shop");
  assert.equal(withDatabase("mongodb://u:p@h/shop?tls=true", "scratch", "shop"), "mongodb://u:p@h/scratch?tls=true&authSource=shop");
  assert.equal(withDatabase("mongodb://u:p@h/shop?authSource=admin", "scratch", "admin"), "mongodb://u:p@h/scratch?authSource=admin");
  assert.equal(withDatabase("mongodb://h:1,h:2/shop?replicaSet=r", "scratch", undefined), "mongodb://h:1,h:2/scratch?replicaSet=r");
});

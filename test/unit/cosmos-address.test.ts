import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOfUrl } from "../../client/cli/target-url.ts";
import { redact, registerSecret } from "../../core/config/redact.ts";
import { parseAddress, withDatabase } from "../../core/databases/cosmos/address.ts";
import { authorization } from "../../core/databases/cosmos/signature.ts";
import { isFailure } from "../../core/domain/failure.ts";

// Of the example in Microsoft's "Access control in the Azure Cosmos DB SQL API".
const key = "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==";

test("the signature is that of Microsoft's example", () => {
  const signed = authorization({
    method: "GET",
    resourceType: "dbs",
    resourceLink: "dbs/ToDoList",
    date: "Thu, 27 Apr 2017 00:51:12 GMT",
    key,
  });
  assert.equal(
    signed,
    "type%3dmaster%26ver%3d1.0%26sig%3dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d".replaceAll(/%[0-9a-f]{2}/g, (hex) =>
      hex.toUpperCase(),
    ),
  );
});

test("a connection string and a URL say the same, and how large a share may be used", () => {
  const string = `AccountEndpoint=https://acme.documents.azure.com:443/;AccountKey=${key};Database=shop`;
  const url = `https://:${encodeURIComponent(key)}@acme.documents.azure.com:443/shop`;
  for (const text of [string, `${string};`, url]) {
    const { origin, databaseName, label, share } = parseAddress(text);
    assert.deepEqual(
      [origin, databaseName, label, share],
      ["https://acme.documents.azure.com", "shop", "acme.documents.azure.com/shop", 0.5],
    );
    assert.equal(parseAddress(text).key, key);
    assert.equal(engineOfUrl(text), "cosmos");
    assert.ok(
      !parseAddress(text)
        .scrub(`so ${key} and ${encodeURIComponent(key)}`)
        .includes(key.slice(0, 20)),
    );
    registerSecret(text);
  }
  assert.equal(redact(`x ${key} y ${encodeURIComponent(key)}`), "x [redacted] y [redacted]");
  assert.equal(parseAddress(`${string};RequestUnitShare=0.25`).share, 0.25);
  assert.equal(parseAddress(`${url}?requestUnitShare=1`).share, 1);
  const scratch = parseAddress(withDatabase(`${url}?requestUnitShare=0.1`, "dbgov_drill_1"));
  assert.deepEqual([scratch.key, scratch.databaseName, scratch.share], [key, "dbgov_drill_1", 0.1]);
  assert.equal(parseAddress(`AccountEndpoint=http://localhost:8081/;AccountKey=${key};Database=a b`).databaseName, "a b");
});

test("what is wrong with a connection is said without the key", () => {
  const good = `AccountEndpoint=https://a.documents.azure.com/;AccountKey=${key};Database=shop`;
  const wrong: readonly (readonly [string, RegExp])[] = [
    [good.replace("AccountKey=", "Key="), /a field other than/],
    [good.replace(`${key}`, "!"), /key is missing or is not base64/],
    [good.replace(";Database=shop", ""), /names no database/],
    [good.replace("shop", "a/b"), /a character that Cosmos DB does not allow/],
    [good.replace("https://a.documents", "http://a.documents"), /must be https/],
    [good.replace("azure.com/", "azure.com/x/y"), /no https address of an account/],
    [`${good};RequestUnitShare=50`, /RequestUnitShare must be a number above 0 and at most 1/],
    [`${good};RequestUnitShar=0.5`, /a field other than/],
    [`https://:${encodeURIComponent(key)}@a.documents.azure.com/shop?share=1`, /only option/],
    [`https://:${key}@a.documents.azure.com/shop`, /not usable/],
    ["https://a.documents.azure.com/shop", /key is missing/],
  ];
  for (const [text, words] of wrong)
    assert.throws(
      () => parseAddress(text),
      (error: unknown) => {
        assert.ok(isFailure(error, "ConfigurationInvalid"), `${text}: ${error}`);
        assert.match(error.message, words);
        assert.ok(!error.message.includes(key.slice(0, 12)), error.message);
        return true;
      },
    );
});

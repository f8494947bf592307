import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { namesOf, partitionKeyOf, rowOf } from "../../core/databases/cosmos/documents.ts";
import { compact, elementsOf, memberOf, membersOf, objectOf } from "../../core/databases/cosmos/json-text.ts";

const text = (json: string): Buffer => Buffer.from(json);

test("any JSON is taken apart into the texts that it is made of", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const written of [JSON.stringify(value), JSON.stringify(value, null, 3)]) {
        const whole = compact(text(written));
        assert.equal(whole.toString(), JSON.stringify(value));
        if (Array.isArray(value))
          assert.deepEqual(
            elementsOf(whole).map(String),
            value.map((each) => JSON.stringify(each)),
          );
        else if (typeof value === "object" && value !== null) {
          const members = membersOf(whole);
          assert.deepEqual(
            members.map(({ name }) => name),
            Object.keys(value),
          );
          assert.deepEqual(
            members.map((member) => member.value.toString()),
            Object.values(value).map((each) => JSON.stringify(each)),
          );
          assert.equal(objectOf(members).toString(), whole.toString());
        }
      }
    }),
  );
});

test("what is cut off or no JSON is refused", () => {
  for (const broken of ['{"a":1', '{"a":}', '{"a"', '{"a" 1}', "{,}", '{"a":1,}', "{a:1}", "[1", '["]', "nothing", ""])
    assert.throws(() => membersOf(compact(text(broken))), SyntaxError, broken);
  for (const broken of ["[1", "[,]", "[1,]", '["', "{}"]) assert.throws(() => elementsOf(compact(text(broken))), SyntaxError, broken);
});

test("a row is the document without the server's members, and the time of its last write", () => {
  const document =
    '{"id":"a","_rid":"r","n":1.0,"_own":2,"_self":"s","_etag":"\\"e\\"","_attachments":"attachments/","_ts":1763977275,"last":{"_ts":1}}';
  assert.equal(rowOf(text(document)).toString(), '{"id":"a","n":1.0,"_own":2,"last":{"_ts":1}}\t1763977275\n');
  assert.equal(rowOf(text('{"id":"a"}')).toString(), '{"id":"a"}\t\n');
});

test("a partition key is taken from the document, to the digit and in ASCII", () => {
  const document = text('{"id":"a","n":1.0,"deep":{"er":"ö\\"🙂"},"with space":null,"object":{},"list":[1],"t":true}');
  const keyOf = (...paths: string[]) => partitionKeyOf(document, { paths });
  assert.equal(keyOf("/n"), "[1.0]");
  assert.equal(keyOf("/deep/er"), '["\\u00f6\\"\\ud83d\\ude42"]');
  assert.equal(keyOf('/"with space"'), "[null]");
  assert.equal(keyOf("/none", "/object", "/list", "/n/er"), "[{},{},{},{}]");
  assert.equal(keyOf("/id", "/t"), '["a",true]');
  assert.equal(partitionKeyOf(document, { paths: ["/_partitionKey"], systemKey: true }), "[]");
  assert.deepEqual(namesOf('/a/"b/c \\"d\\""/e'), ["a", 'b/c "d"', "e"]);
  assert.equal(memberOf(document, "none"), undefined);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { tablespacesOf } from "../../client/cli/tablespace-option.ts";

const read = (tablespace: string) => tablespacesOf({ options: { tablespace } }, "postgres");

test("--tablespace reads pairs of names, also quoted ones", () => {
  assert.deepEqual(tablespacesOf({ options: {} }, "mongodb"), []);
  assert.deepEqual(read("old=new, o2 = n 2"), [
    { from: "old", to: "new" },
    { from: "o2", to: "n 2" },
  ]);
  assert.deepEqual(read('"a,""b"=" =c"'), [{ from: 'a,"b', to: " =c" }]);
});

test("--tablespace refuses what is no pair, a name twice, and other engines", () => {
  for (const bad of ["", "old", "=new", "old=", "a=b=c", 'a="b', "a=b,c"]) assert.throws(() => read(bad), { type: "UsageInvalid" }, bad);
  assert.throws(() => read("a=b,a=c"), { type: "UsageInvalid", message: /names a twice/ });
  assert.throws(() => tablespacesOf({ options: { tablespace: "a=b" } }, "redis"), { type: "UsageInvalid", message: /speaks redis/ });
});

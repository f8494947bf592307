import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { columnOf, type Outcome, pagePath, staleIn, withMatrix } from "../integration/store-matrix.ts";

const outcomes: Outcome[] = [
  { kind: "directory", test: "puts | gets", result: "yes" },
  { kind: "arweave", test: "puts | gets", result: "yes" },
  { kind: "arweave", test: "deletes", result: "out: refused" },
];
const empty = "# Stores\n<!-- contract: written by npm run stores:matrix -->\n<!-- end of contract -->\nafter";
const page = withMatrix(empty, outcomes);

describe("the matrix of the contract suite", () => {
  test("is written as it is read, and stays so when it is written again", () => {
    assert.deepEqual(
      [...columnOf(page, "arweave")!],
      [
        ["puts | gets", "yes"],
        ["deletes", "out: refused"],
      ],
    );
    assert.deepEqual([...columnOf(page, "directory")!], [["puts | gets", "yes"]]);
    assert.equal(columnOf(page, "ipfs"), undefined);
    assert.deepEqual(staleIn(page, outcomes, true), []);
    assert.equal(withMatrix(page, outcomes), page);
    assert.ok(page.endsWith("\nafter"));
    assert.throws(() => withMatrix("# Stores", outcomes));
  });

  test("a page that says something else, misses a test or a kind, or has one too many, is stale", () => {
    const now = (result: string): Outcome[] => [{ kind: "directory", test: "puts | gets", result }];
    assert.match(staleIn(page, now("out: not here"), true).join(), /says "yes" of directory/);
    assert.match(staleIn(page, [{ kind: "directory", test: "deletes", result: "yes" }], false).join(), /says "nothing" of directory/);
    assert.match(staleIn(page, [{ kind: "arweave", test: "deletes", result: "out: refused" }], true).join(), /"puts \| gets" for arweave/);
    assert.deepEqual(
      staleIn(page, [{ kind: "arweave", test: "deletes", result: "out: refused" }], false),
      [],
      "some tests alone may be run",
    );
    assert.deepEqual(staleIn(page, [{ kind: "ipfs", test: "deletes", result: "yes" }], true), ["docs/stores.md has no column for ipfs"]);
  });

  test("docs/stores.md has one, with a column of the directory", () => {
    const column = columnOf(readFileSync(pagePath, "utf8"), "directory");
    assert.equal(column?.get("the probe passes, and leaves nothing behind"), "yes");
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { isFailure } from "../../core/domain/failure.ts";
import { readOptions } from "../disaster/options.ts";
import { disasterPage, disasterTable } from "../disaster/report.ts";

const disk = { store: "disk", stand: "a folder", simulated: false, startSeconds: 2 };
const look = { store: "arweave", stand: "arlocal", told: 4, databases: 4, refused: true, message: "" };
const shop = { database: "shop", identical: true, seconds: 12, bytes: 100_000_000 };

test("what one hour restores grows with the rate, not with what the command takes to start", () => {
  const said = stripVTControlCharacters(disasterTable([{ ...disk, databases: [shop] }]));
  assert.match(said, /disk +shop +identical +100 MB +12\.0 s +36 GB/);
});

test("a database that did not come back is said to, and promised nothing", () => {
  const results = [{ ...disk, databases: [{ ...shop, identical: false }] }];
  assert.match(stripVTControlCharacters(disasterTable(results)), /shop +NO +100 MB +12\.0 s *$/m);
  assert.match(disasterPage(results, look, "one machine", "2026-11-24"), /\| disk \| shop \| \*\*no\*\* \| 100 MB \| 12\.0 s \| {2}\|/);
});

test("a simulator is called one, and what an archive is good for is said", () => {
  const results = [{ ...disk, store: "sia", stand: "a simulator of it", simulated: true, databases: [shop] }];
  const page = disasterPage(results, look, "one machine", "2026-11-24");
  assert.match(page, /\| sia \| \*\*simulated\*\* \| a simulator of it \|/);
  assert.match(page, /4 of 4 databases.*\n.*restoring was refused/);
  assert.match(disasterTable(results, { ...look, refused: false }), /WAS NOT REFUSED/);
});

test("a store that there is none of, and a page about some of them, are refused", () => {
  for (const [args, said] of [
    [["--stores", "disk,tape"], /there is no store "tape"/],
    [["--stores", "disk", "--write"], /--write needs all stores/],
    [["--scale", "0"], /--scale must be/],
    [["--faster"], /faster/],
  ] as const) {
    assert.throws(
      () => readOptions(args),
      (error) => isFailure(error, "UsageInvalid") && said.test(error.message),
    );
  }
  assert.deepEqual(readOptions(["--stores", "storj, disk"]).stores, ["disk", "storj"]);
  assert.equal(readOptions(["--write"]).stores.length, 8);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { disasterPage, disasterTable } from "../disaster/report.ts";

const shop = { database: "shop", identical: true, seconds: 12, bytes: 100_000_000 };

test("what one hour restores grows with the rate, not with what the command takes to start", () => {
  const said = stripVTControlCharacters(disasterTable([{ store: "disk", startSeconds: 2, databases: [shop] }]));
  assert.match(said, /disk +shop +identical +100 MB +12\.0 s +36 GB/);
});

test("a database that did not come back is said to, and promised nothing", () => {
  const results = [{ store: "disk", startSeconds: 2, databases: [{ ...shop, identical: false }] }];
  assert.match(stripVTControlCharacters(disasterTable(results)), /shop +NO +100 MB +12\.0 s *$/m);
  assert.match(disasterPage(results, "one machine", "2026-11-24"), /\| disk \| shop \| \*\*no\*\* \| 100 MB \| 12\.0 s \| {2}\|/);
});

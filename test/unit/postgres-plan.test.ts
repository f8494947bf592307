import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { otherComplaints } from "../../core/databases/postgres/archive.ts";
import { dependenciesFirst } from "../../core/databases/postgres/materialized-views.ts";
import { splitTable } from "../../core/databases/postgres/plan.ts";
import { quoteIdentifier, quoteLiteral, readableName } from "../../core/databases/postgres/quoting.ts";
import { saysUnreachable } from "../../core/databases/postgres/run-tool.ts";
import type { Table } from "../../core/databases/postgres/tables.ts";
import type { BlocksSelector, WholeSelector } from "../../core/databases/postgres/targets.ts";

const table = (changes: Partial<Table>): Table => ({
  name: "public.t",
  quoted: '"public"."t"',
  columns: ['"a"'],
  filter: undefined,
  root: undefined,
  heap: true,
  blocks: 0,
  blockBytes: 8192,
  bytes: 0,
  ...changes,
});

describe("splitting a table into parts", () => {
  it("covers every block exactly once, the last part being open", () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(1_000_000_000), fc.integer({ min: 1, max: 100_000_000 }), (blocks, toast, partBytes) => {
        const parts = splitTable(table({ blocks, bytes: blocks * 8192 + toast }), 180_000, partBytes);
        const selectors = parts.map((part) => part.selector as WholeSelector | BlocksSelector);
        if (selectors.length === 1 && "whole" in selectors[0]!) return;
        let next = 0;
        selectors.forEach((selector, index) => {
          assert.ok("from" in selector);
          assert.equal(selector.from, next);
          assert.equal(selector.to === undefined, index === selectors.length - 1);
          if (selector.to !== undefined) assert.ok(selector.to > selector.from);
          next = selector.to ?? next;
        });
        assert.ok(next < Math.max(blocks, 1));
      }),
    );
  });

  it("keeps in one part what cannot be told apart by blocks", () => {
    const big = { blocks: 100_000, bytes: 819_200_000 };
    const count = (changes: Partial<Table>, version = 180_000) => splitTable(table({ ...big, ...changes }), version, 8_192_000).length;
    assert.equal(count({}), 196, "ranges of 512 blocks: a power of two");
    assert.equal(count({ heap: false }), 1);
    assert.equal(count({ filter: "WHERE true" }), 1);
    assert.equal(count({}, 130_010), 1);
    assert.equal(count({ blocks: 0, bytes: 0 }), 1);
  });
});

describe("names", () => {
  it("are quoted so that nothing in them ends the quotes", () => {
    assert.equal(quoteIdentifier('a"b'), '"a""b"');
    assert.equal(quoteLiteral("it's"), "'it''s'");
    assert.equal(quoteLiteral("a\\'b"), " E'a\\\\''b'");
    assert.equal(readableName("public", "Orders"), 'public."Orders"');
    assert.equal(readableName("a.b", "c"), '"a.b".c');
  });

  it("never collide when readable", () => {
    const name = fc.string({ minLength: 1, maxLength: 5, unit: fc.constantFrom("a", ".", '"', "A", " ", "$") });
    fc.assert(
      fc.property(name, name, name, name, (a, b, c, d) => {
        assert.equal(readableName(a, b) === readableName(c, d), a === c && b === d);
      }),
    );
  });
});

describe("what the restore relies on", () => {
  it("refreshes views after those they read", () => {
    const edges = [
      { from: "1", to: "3" },
      { from: "3", to: "2" },
    ];
    assert.deepEqual(dependenciesFirst(["1", "2", "3"], edges), ["2", "3", "1"]);
    assert.deepEqual(dependenciesFirst(["1", "2"], [...edges, { from: "2", to: "1" }]), ["2", "3", "1"]); // a cycle ends
  });

  it("forgives an older server only the one parameter that it cannot know", () => {
    const harmless =
      'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"\nCommand was: SET transaction_timeout = 0;\n';
    const real = "pg_restore: error: could not execute query: ERROR:  type does not exist\nCommand was: CREATE TABLE t (a b);\n";
    assert.equal(otherComplaints(`${harmless}${harmless}pg_restore: warning: errors ignored on restore: 2\n`), "");
    const mixed = `pg_restore:pg_restore:  error: error: ${harmless.slice("pg_restore: error: ".length).repeat(2)}`;
    assert.equal(otherComplaints(mixed), "");
    assert.match(otherComplaints(harmless + real), /ERROR/);
    assert.match(otherComplaints(mixed + real), /ERROR/);
  });
});

it("a client program that lost its server is told from one that was refused", () => {
  const lost = [
    "pg_restore: error: could not execute query: server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
    'pg_restore: error: connection to server at "127.0.0.1", port 5 failed: Connection refused\n\tIs the server running on that host?',
    'pg_restore: error: connection to server at "127.0.0.1", port 5 failed: FATAL:  the database system is starting up',
    "pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command",
  ];
  for (const said of lost) assert.ok(saysUnreachable(said), said);
  const refused = [
    'pg_restore: error: connection to server at "127.0.0.1", port 5 failed: FATAL:  password authentication failed for user "a"',
    'pg_restore: error: could not execute query: ERROR:  type "citext" does not exist',
  ];
  for (const said of refused) assert.ok(!saysUnreachable(said), said);
});

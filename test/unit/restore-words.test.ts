import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceOf } from "../../client/cli/choice-option.ts";
import { describeTransfer } from "../../client/cli/transfer-progress.ts";
import type { Engine } from "../../core/databases/engine.ts";
import { primaryKeyColumns } from "../../core/databases/postgres/comparison.ts";
import { readToc } from "../../core/databases/postgres/toc.ts";
import type { Manifest } from "../../core/repository/manifest.ts";
import { choosePart } from "../../core/snapshot/choose-part.ts";
import { asyncBlocks, collect } from "./repository-fixture.ts";

test("patterns are parted by commas, but not within quotes", () => {
  const only = (text: string) => choiceOf({ options: { only: text } }).only;
  assert.deepEqual(only("public.orders, sales.*"), ["public.orders", "sales.*"]);
  assert.deepEqual(only('public."a,b",x'), ['public."a,b"', "x"]);
  assert.deepEqual(only('"a ""quoted"", one".t'), ['"a ""quoted"", one".t']);
  assert.deepEqual(choiceOf({ options: {} }), { only: [], except: [] });
  for (const bad of ["", ",", 'a,"b']) assert.throws(() => only(bad), { type: "UsageInvalid" }, bad);
});

test("progress says how much of how much, how fast, and how long it takes from here", () => {
  assert.equal(describeTransfer({ bytes: 120e6, total: 480e6 }, 40e6), "120 MB of 480 MB (25 %) at 40 MB/s, 9.0 s left");
  assert.equal(describeTransfer({ bytes: 0, total: 480e6 }, 0), "0 B of 480 MB (0 %)");
  assert.equal(describeTransfer({ bytes: 480e6, total: 480e6 }, 1e6), "480 MB of 480 MB (100 %) at 1.0 MB/s");
  assert.equal(describeTransfer({ bytes: 5 }, 0), "5 B");
});

test("the columns of a primary key are read out of its definition, however they are called", () => {
  assert.deepEqual(primaryKeyColumns("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);"), ['"id"']);
  assert.deepEqual(primaryKeyColumns('… PRIMARY KEY ("a,)", b, "c ""d""") INCLUDE (e);'), ['"a,)"', '"b"', '"c ""d"""']);
  assert.deepEqual(primaryKeyColumns("… PRIMARY KEY (id, valid WITHOUT OVERLAPS);"), ['"id"', '"valid"']);
  assert.equal(primaryKeyColumns("… UNIQUE (id);"), undefined);
});

test("an archive that is none, cut off, or of a version that is not known is refused", () => {
  const head = (...bytes: number[]) => Buffer.concat([Buffer.from("PGDMP"), Buffer.from(bytes), Buffer.alloc(4)]);
  for (const bytes of [Buffer.from("nothing"), head(1, 17, 0, 4, 8, 1), head(1, 16, 0, 4, 8, 3), head(1, 16, 0, 4, 8, 1)])
    assert.throws(() => readToc(bytes), { type: "RestoreFailed" });
});

test("where records are chosen, streams are filtered, and a choice of names that leaves nothing is refused", async () => {
  const stream = { name: "keys", kind: "rows", framing: "lines", target: {}, rows: 4, bytes: 0, sum: "", ranges: [] };
  const manifest = { snapshot: "s", streams: [stream] } as unknown as Manifest;
  const selection = { by: "record", what: "key", nameOf: (_: unknown, record: Uint8Array) => Buffer.from(record).toString().trim() };
  const chosen = choosePart({ selection } as unknown as Engine, manifest, [], { only: ["user:*", "a.b"], except: ["user:2*"] });
  assert.deepEqual(chosen.part, { by: "record", only: ["user:*", "a.b"], except: ["user:2*"] });
  const content = asyncBlocks([Buffer.from("user:1\nuser:2"), Buffer.from("1\naxb\na.b\n")]);
  assert.equal((await collect(chosen.filter!(stream as never, content))).toString(), "user:1\na.b\n");
  const named = { selection: { by: "name", names: () => [{ name: "t", streams: ["keys"] }] } } as unknown as Engine;
  assert.throws(() => choosePart(named, manifest, [], { only: ["t"], except: ["t"] }), { type: "UsageInvalid" });
  assert.throws(() => choosePart(named, manifest, [], { only: [], except: ["nope"] }), { type: "NameUnknown" });
});

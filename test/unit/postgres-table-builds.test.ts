import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RestoreStep, RowsStream } from "../../core/databases/engine.ts";
import { planTableBuilds } from "../../core/databases/postgres/table-builds.ts";
import type { TocEntry } from "../../core/databases/postgres/toc.ts";

const entry = (id: number, kind: string, tag: string, needs: number[], definition = `CREATE ${kind} ${tag};\n`): TocEntry => ({
  ...{ id, kind, tag, needs, definition, hasData: false, tableOid: "0", oid: "0", section: 4, drop: "", copy: undefined },
  ...{ schema: "public", tablespace: "", accessMethod: "", relationKind: 0, owner: "", file: undefined },
});

const archive = [
  entry(1, "ENCODING", "ENCODING", [], "SET client_encoding = 'UTF8';\n"),
  entry(10, "TABLE", "a", []),
  entry(11, "TABLE", "b", []),
  entry(12, "TABLE", "fleeting", [], "CREATE UNLOGGED TABLE fleeting ();\n"),
  entry(13, "FUNCTION", "f(integer)", []),
  entry(20, "INDEX", "a_one", [10, 10]),
  entry(21, "INDEX", "a_two", [10]),
  entry(22, "INDEX", "a_f", [10, 13]),
  entry(23, "CONSTRAINT", "a_pkey", [10], "ALTER TABLE a ADD PRIMARY KEY (x);\n"),
  entry(24, "CONSTRAINT", "b_pkey", [11], "ALTER TABLE b ADD PRIMARY KEY (x);\n"),
  entry(25, "INDEX", "fleeting_one", [12]),
  entry(30, "FK CONSTRAINT", "a_to_b", [10, 11, 24]),
  entry(31, "FK CONSTRAINT", "b_to_a", [11, 10, 23]),
  entry(32, "FK CONSTRAINT", "to_fleeting", [10, 12, 25]),
  entry(33, "FK CONSTRAINT", "to_late_index", [11, 10, 22]),
];

const plan = (entries: readonly TocEntry[], built: readonly number[] = []) => {
  const said: string[] = [];
  const builds = planTableBuilds(
    { version: 16, created: new Uint8Array(), entries },
    {
      ...{ entries: undefined, built },
      build: async ({ tag }) => void said.push(tag),
      analyze: async (table) => void said.push(`analyze ${table}`),
    },
  );
  const completed = (name: string) =>
    builds.completed({ name, kind: "rows", framing: "lines", target: { table: `"public"."${name}"`, columns: [] } } as RowsStream, 1);
  return { builds, said, completed };
};

const runAll = async (steps: readonly RestoreStep[]): Promise<void> => {
  for (const step of steps) await runAll(await step.run());
};

describe("what is built of tables before all are filled", () => {
  it("is what needs nothing but the table; foreign keys once both tables have theirs; statistics when nothing else is to come", async () => {
    const { builds, said, completed } = plan(archive);
    await runAll(completed("a"));
    assert.deepEqual(said, ["a_pkey", "a_one", "a_two"]);
    await runAll(completed("b"));
    assert.deepEqual(said.slice(3), ["b_pkey", "a_to_b", "b_to_a", 'analyze "public"."b"']);
    assert.deepEqual(completed("fleeting"), []);
    assert.deepEqual(completed("unknown"), []);
    assert.deepEqual([...builds.built].sort(), [20, 21, 23, 24, 30, 31]);
    assert.deepEqual([...builds.analyzed], ['"public"."b"']);
  });

  it("has a table to itself, but for indexes beside each other", async () => {
    const { completed } = plan(archive);
    const first = completed("a");
    assert.equal(first.length, 1, "a key must not wait for the lock of an index");
    const indexes = await first[0]!.run();
    assert.equal(indexes.length, 2);
    await runAll(completed("b"));
    assert.deepEqual(await indexes[0]!.run(), []);
    const keys = await indexes[1]!.run();
    assert.equal(keys.length, 1, "two foreign keys of one table wait for each other");
    assert.equal((await keys[0]!.run()).length, 1);
  });

  it("is not built again, and what its owner has chosen not to restore is not built", async () => {
    const { said, completed } = plan(archive, [20, 21, 23]);
    await runAll(completed("a"));
    assert.deepEqual(said, []);
    const chosen = plan(archive.filter(({ id }) => id !== 23));
    await runAll(chosen.completed("a"));
    await runAll(chosen.completed("b"));
    assert.ok(!chosen.said.includes("b_to_a"), "its key is not there");
  });

  it("does not say in UTF-8 what is in another encoding", async () => {
    const foreign = entry(21, "INDEX", "a_two", [10], "CREATE INDEX \xe4;\n");
    const { said, completed } = plan([
      entry(1, "ENCODING", "", [], "SET client_encoding = 'LATIN1';\n"),
      archive[1]!,
      archive[5]!,
      foreign,
    ]);
    await runAll(completed("a"));
    assert.deepEqual(said, ["a_one"]);
  });

  it("leaves statistics to the end where statistics objects or tables that inherit are to come", async () => {
    const waiting = [archive[1]!, archive[2]!, entry(40, "STATISTICS", "s", [10]), entry(14, "TABLE", "child", [11]), archive[0]!];
    const { said, completed } = plan(waiting);
    for (const name of ["a", "b", "child"]) await runAll(completed(name));
    assert.deepEqual(said, []);
  });
});

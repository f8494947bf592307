import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { planRestore } from "../../core/snapshot/plan-restore.ts";
import { type RestoreJob, restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { type Server, useServer } from "./postgres-support.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

const sourceSql = `
  CREATE SCHEMA sales; CREATE TYPE sales.mood AS ENUM ('good', 'bad'); CREATE DOMAIN amount AS numeric CHECK (VALUE >= 0);
  CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION double(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
  CREATE TABLE sales.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customers, mood sales.mood, total amount DEFAULT double(2));
  CREATE TABLE sales.lines (id bigserial PRIMARY KEY, "order" int NOT NULL REFERENCES sales.orders, note text);
  CREATE INDEX lines_note ON sales.lines (note); COMMENT ON COLUMN sales.lines.note IS 'what they said';
  CREATE TRIGGER stamped BEFORE UPDATE ON sales.lines FOR EACH ROW EXECUTE FUNCTION stamp();
  CREATE STATISTICS sales.lines_stat ON id, note FROM sales.lines;
  CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM sales.orders GROUP BY customer;
  CREATE MATERIALIZED VIEW happy AS SELECT * FROM totals; CREATE INDEX ON happy (customer);
  CREATE TABLE events (at date NOT NULL, id int, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
  CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE INDEX ON events (id);
  CREATE TABLE base (a int); CREATE TABLE derived (b int) INHERITS (base);
  CREATE TABLE "Odd, Name" (x int);
  INSERT INTO customers (name) SELECT 'c' || i FROM generate_series(1, 50) i;
  INSERT INTO sales.orders (customer, mood) SELECT 1 + i % 50, 'good' FROM generate_series(1, 200) i;
  INSERT INTO sales.lines ("order", note) SELECT 1 + i % 200, 'n' || i FROM generate_series(1, 1000) i;
  INSERT INTO events SELECT date '2025-06-01' + i, i FROM generate_series(1, 400) i;
  INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2, 3); INSERT INTO "Odd, Name" VALUES (1);
  SELECT setval('customers_id_seq', 777); SELECT lo_from_bytea(0, 'hello'); REFRESH MATERIALIZED VIEW happy`;

describe("a chosen part of a PostgreSQL snapshot", () => {
  let server: Server;
  let source: string;
  let snapshot: SnapshotSource;
  let repository: Awaited<ReturnType<typeof openRepository>>;

  before(async () => {
    server = await useServer();
    repository = await openRepository();
    source = await server.database("part_source");
    await server.sql(source, sourceSql);
    snapshot = await repository.capture("postgres", source);
  });
  after(async () => {
    await server?.cleanUp();
    await repository?.remove();
  });

  const job = (url: string, only: string[], except: string[] = [], more: Partial<RestoreJob> = {}): RestoreJob => ({
    ...snapshot,
    ...{ engine: "postgres", url, replace: false, parallelism: 2, choice: { only, except }, progress: { resume: false } },
    ...more,
  });
  const restore = (...args: Parameters<typeof job>) => restoreSnapshot(job(...args), jobContext());
  /** What pg_dump says of some tables, in source and copy. */
  const dump = async (url: string, ...args: string[]): Promise<string> =>
    (await server.run("pg_dump", url, ...args)).toString().replaceAll(/^\\(un)?restrict .*$/gm, "");
  const tables = async (url: string): Promise<string[]> =>
    (
      await server.sql<{ name: string }>(
        url,
        `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace) ORDER BY 1`,
      )
    ).map(({ name }) => name);

  it("brings one table with what it needs, and leaves out the foreign key to what was not chosen", async () => {
    const url = await server.database("part_one");
    const result = await restore(url, ["sales.lines"]);
    assert.deepEqual([result.identical, result.rows, result.differences], [true, 1000, []]);
    assert.deepEqual(await tables(url), ["sales.lines"]);
    assert.deepEqual(result.notes, ["Foreign key sales.lines lines_order_fkey is left out: the table at its other end was not chosen."]);
    const expected = (await dump(source, "--table=sales.lines")).replace(/--\n-- Name: lines lines_order_fkey[\s\S]*?;\n\n\n/, "");
    assert.equal(await dump(url, "--table=sales.lines"), expected);
  });

  it("keeps foreign keys within what was chosen, and states of sequences", async () => {
    const url = await server.database("part_some");
    const result = await restore(url, ["sales.*", "public.customers"]);
    assert.deepEqual([result.identical, result.rows, result.notes], [true, 1250, []]);
    for (const table of ["--table=sales.orders", "--table=sales.lines", "--table=public.customers", "--table=public.customers_id_seq"])
      assert.equal(await dump(url, table), await dump(source, table));
  });

  it("goes beside what is there, refuses a table that is there, and replaces just that", async () => {
    const url = await server.database("part_beside");
    await server.sql(
      url,
      "CREATE SCHEMA sales; CREATE TYPE sales.mood AS ENUM ('good', 'bad'); CREATE TABLE mine (x int); INSERT INTO mine VALUES (7)",
    );
    const first = await restore(url, ["sales.orders"]);
    assert.deepEqual([first.identical, first.rows], [true, 200]);
    await assert.rejects(restore(url, ["sales.orders", "sales.lines"]), (error: { type: string; message: string }) => {
      assert.equal(error.type, "TargetNotEmpty");
      assert.match(error.message, /"sales"\."orders"$/);
      return true;
    });
    assert.deepEqual(await tables(url), ["mine", "sales.orders"], "refused before anything was done");
    await server.sql(url, "DELETE FROM sales.orders WHERE id > 3");
    const again = await restore(url, ["sales.orders", "sales.lines"], [], { replace: true });
    assert.deepEqual([again.identical, again.rows], [true, 1200]);
    assert.deepEqual(await server.sql(url, "SELECT * FROM mine"), [{ x: 7 }]);
    await server.sql(url, "CREATE VIEW watching AS SELECT id FROM sales.lines");
    await assert.rejects(restore(url, ["sales.lines"], [], { replace: true }), /not chosen depend on them/);
  });

  it("takes a partitioned table with its partitions, a partition alone, and a child of inheritance", async () => {
    const url = await server.database("part_partitions");
    const whole = await restore(url, ["public.events"]);
    assert.deepEqual([whole.identical, whole.rows], [true, 400]);
    const args = ["--table=public.events*"];
    assert.equal(await dump(url, ...args), await dump(source, ...args));
    const other = await server.database("part_partition");
    const one = await restore(other, ["public.events"], ["public.events_2026"]);
    assert.equal(one.identical, true);
    assert.deepEqual(await tables(other), ["events", "events_2025"]);
    const beside = await restore(other, ["public.events_2026"]);
    assert.deepEqual([beside.identical, await tables(other)], [true, ["events", "events_2025", "events_2026"]]);
    assert.ok(
      beside.notes.some((note) => note.includes("not attached as a partition")),
      beside.notes.join("\n"),
    );
    const child = await restore(other, ["public.derived"]);
    assert.deepEqual([child.identical, child.rows], [true, 1]);
    assert.match(child.notes.join(), /public\.base was not chosen, but is needed: it comes without rows/);
  });

  it("leaves out what is excepted, and what depends on it", async () => {
    const url = await server.database("part_except");
    const result = await restore(url, [], ["sales.orders", 'public."Odd*', "large objects"]);
    assert.equal(result.identical, true);
    assert.deepEqual(await tables(url), ["base", "customers", "derived", "events", "events_2025", "events_2026", "sales.lines"]);
    assert.deepEqual(result.notes.filter((note) => note.includes("totals") || note.includes("happy")).length, 2);
    assert.deepEqual(await server.sql(url, "SELECT count(*)::int AS n FROM pg_largeobject_metadata"), [{ n: 0 }]);
    await assert.rejects(restore(url, [], ["sales.orders"]), { type: "TargetNotEmpty" });
  });

  it("takes every table and view for *, and says what that does not bring", async () => {
    const all = await server.database("part_all");
    await server.sql(
      all,
      `${sourceSql}; CREATE TABLE planned (at date) PARTITION BY RANGE (at); CREATE VIEW constant AS SELECT 1 AS one;
       CREATE TABLE grouped (id int, n int); CREATE VIEW circle AS SELECT id, n FROM grouped GROUP BY id, n;
       ALTER TABLE grouped ADD PRIMARY KEY (id); CREATE OR REPLACE VIEW circle AS SELECT id, n FROM grouped GROUP BY id;
       CREATE FUNCTION unused() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE alone;
       CREATE PUBLICATION feed FOR TABLE customers; CREATE PUBLICATION everything FOR ALL TABLES`,
    );
    const other = await repository.capture("postgres", all);
    const url = await server.database("part_all_copy");
    const result = await restore(url, ["*"], [], other);
    assert.equal(result.identical, true);
    assert.deepEqual(await tables(url), await tables(all));
    assert.deepEqual(result.notes, [
      "Only tables and views are chosen, and what they need; of the rest, these are left out: function (1), sequence (1), publication (2).",
    ]);
    const without = ["--exclude-schema=none", "--table=public.*", "--table=sales.*", "--exclude-table=alone"];
    assert.equal(await dump(url, ...without), await dump(all, ...without));
    const [content] = await server.sql<{ n: number }>(url, "SELECT count(*)::int AS n FROM happy");
    assert.ok(content!.n > 0, "a materialized view with its content");
    await assert.rejects(restore(url, ["public.circle"], [], other), /has chosen tables and views already: "public"\."circle"$/);
    const again = await restore(url, ["public.circle", "public.happy", "public.totals", "public.customers", "sales.*"], [], {
      ...other,
      replace: true,
    });
    assert.equal(again.identical, true);
    assert.equal(await dump(url, ...without), await dump(all, ...without));
    const view = await restore(await server.database("part_view"), ["public.totals", "public.customers"], [], other);
    assert.deepEqual(view.notes, [
      "sales.orders was not chosen, but is needed: it comes without rows, unless it is there already.",
      "Publications are left out by this choice, which concerns: feed customers.",
    ]);
    const fewer = await server.database("part_fewer");
    const rest = await restore(fewer, [], ["public.totals", "public.circle"], other);
    assert.deepEqual(rest.notes, ["materialized view public.happy is left out, since it needs what was left out."]);
    assert.deepEqual(
      (await tables(all)).filter((name) => !["totals", "circle", "happy"].includes(name)),
      await tables(fewer),
    );
  });

  it("takes large objects alone", async () => {
    const url = await server.database("part_objects");
    await server.sql(url, "CREATE TABLE mine (x int)");
    const result = await restore(url, ["large objects"]);
    assert.deepEqual([result.identical, result.rows], [true, 1]);
    assert.equal((await server.sql<{ n: number }>(url, "SELECT count(*)::int AS n FROM pg_largeobject_metadata"))[0]?.n, 1);
  });

  it("refuses names that match nothing, with the nearest ones, before it looks at the target", async () => {
    const url = "postgres://nobody@127.0.0.1:1/nowhere";
    await assert.rejects(restore(url, ["public.custmers"]), (error: { type: string; message: string }) => {
      assert.equal(error.type, "NameUnknown");
      assert.match(error.message, /called public\.custmers; the nearest: public\.customers,/);
      return true;
    });
    await assert.rejects(restore(url, ["sales.lines"], ["sales.*"]), { type: "UsageInvalid" });
  });

  it("says beforehand what it would do, and does nothing", async () => {
    const url = await server.database("part_plan");
    const plan = (...args: Parameters<typeof job>) => planRestore(job(...args), jobContext());
    const some = await plan(url, ["sales.lines"]);
    assert.deepEqual(
      some.streams.map(({ name, rows }) => [name, rows]),
      [["sales.lines", 1000]],
    );
    assert.equal(some.problem, null);
    const counts = Object.fromEntries(some.creates.map(({ kind, count }) => [kind, count]));
    assert.deepEqual([counts.table, counts.sequence, counts.trigger, counts.index], [1, 1, 1, 1]);
    assert.deepEqual(await tables(url), []);
    await server.sql(url, "CREATE SCHEMA sales; CREATE TABLE sales.lines (x int); CREATE TABLE other (x int)");
    assert.equal((await plan(url, ["sales.lines"])).problem?.type, "TargetNotEmpty");
    assert.deepEqual((await plan(url, ["sales.lines"], [], { replace: true })).drops, ['"sales"."lines"']);
    assert.equal((await plan(url, [])).problem?.type, "TargetNotEmpty");
    const replaced = await plan(url, [], [], { replace: true });
    assert.deepEqual([replaced.problem, replaced.drops], [null, ["schema sales", "table public.other", "table sales.lines"]]);
    assert.deepEqual(await tables(url), ["other", "sales.lines"]);
  });
});

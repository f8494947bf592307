import assert from "node:assert/strict";
import { after as atEnd, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { EarlierContent } from "../../core/databases/engine.ts";
import type { TableMark } from "../../core/databases/postgres/marks.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { useStack } from "../stack/use-stack.ts";
import { createCluster } from "./postgres-cluster.ts";
import { cautious, changed, compare, look, same } from "./postgres-look.ts";

// A server of its own: on a shared one somebody else's long transaction makes what is written after it began look new, in all databases.
const cluster = await createCluster((await useStack("postgres")).postgres.bin);
await cluster.start();
const { url } = cluster;
const client = new pg.Client({ connectionString: url });
await client.connect();
atEnd(async () => {
  await client.end();
  await cluster.remove();
});

const signal = new AbortController().signal;

const run = async (...statements: string[]): Promise<void> => {
  for (const statement of statements) await client.query(statement);
};

let tables = 0;
const freshTable = async (columns: string, values: string): Promise<string> => {
  const name = `w${++tables}`;
  await run(`CREATE TABLE ${name} (${columns})`, `INSERT INTO ${name} ${values}`);
  return name;
};
const numbers = () => freshTable("id int PRIMARY KEY, v numeric, t text", "SELECT g, 1.0, 'Text' FROM generate_series(1, 500) g");

/** Whether the table's only part is told to be the same before and after these statements, and whether it really is. */
const after = (name: string, ...statements: string[]) => compare(url, `public.${name}`, () => run(...statements));

test("nothing done, a rollback, vacuum and freeze leave a table what it was", async () => {
  const name = await numbers();
  assert.deepEqual(await after(name), same);
  assert.deepEqual(await after(name, "BEGIN", `UPDATE ${name} SET v = 2`, "ROLLBACK"), same);
  assert.deepEqual(await after(name, `VACUUM ${name}`), same);
  assert.deepEqual(await after(name, `VACUUM (FREEZE) ${name}`), same);
  assert.deepEqual(await after(name, "BEGIN", `SELECT FROM ${name} FOR UPDATE`, "COMMIT"), same);
});

for (const [what, statement] of [
  ["a numeric's scale", "UPDATE %t SET v = 1.00 WHERE id = 7"],
  ["one row", "UPDATE %t SET t = 'text' WHERE id = 7"],
  ["a deleted row", "DELETE FROM %t WHERE id = 7"],
  ["an inserted row", "INSERT INTO %t VALUES (501, 1.0, 'Text')"],
  ["a deleted row and an inserted one", "WITH gone AS (DELETE FROM %t WHERE id = 7) INSERT INTO %t VALUES (501, 1.0, 'Text')"],
] as const) {
  test(`${what} is a change`, async () => {
    const name = await numbers();
    assert.deepEqual(await after(name, statement.replaceAll("%t", name)), changed);
  });
}

test("an equal value that is not identical is a change: -0 for 0, a citext's case", async () => {
  const floats = await freshTable("id int, v float8", "SELECT g, 0 FROM generate_series(1, 10) g");
  assert.deepEqual(await after(floats, `UPDATE ${floats} SET v = '-0' WHERE id = 3 AND v = 0`), changed);
  await run("CREATE EXTENSION citext");
  const words = await freshTable("id int, v citext", "SELECT g, 'Word' FROM generate_series(1, 10) g");
  assert.deepEqual(await after(words, `UPDATE ${words} SET v = 'wORD' WHERE id = 3 AND v = 'word'`), changed);
});

test("a row changed in a subtransaction is a change; one that was rolled back to its savepoint is not", async () => {
  const name = await numbers();
  const within = (end: string) => ["BEGIN", "SAVEPOINT s", `UPDATE ${name} SET v = v + 1 WHERE id = 9`, end, "COMMIT"];
  assert.deepEqual(await after(name, ...within("ROLLBACK TO s")), same);
  assert.deepEqual(await after(name, ...within("RELEASE s")), changed);
});

test("what runs while a snapshot is taken, and commits later, is a change: subtransactions, and a transaction that began long before", async () => {
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  try {
    for (const steps of [
      ["UPDATE %t SET v = 1.00 WHERE id = 3"],
      ["SAVEPOINT a", "SAVEPOINT b", "UPDATE %t SET v = 1.00 WHERE id = 3", "RELEASE b", "RELEASE a"],
      // Only the subtransaction has a number that is in the rows, and many others are given out before it ends.
      [
        "SELECT pg_current_xact_id()",
        ...Array.from({ length: 70 }, (_, n) => `SAVEPOINT s${n}; UPDATE %t SET v = 2.0 WHERE id = ${n + 1}`),
      ],
    ]) {
      const name = await numbers();
      await other.query("BEGIN");
      for (const step of steps) await other.query(step.replaceAll("%t", name));
      // Others come and go, so that the running one is not the newest.
      await run(`INSERT INTO ${name} VALUES (501, 1, 'quick')`);
      assert.deepEqual(
        await after(name, "SELECT 1"),
        cautious,
        "the quick one came after the oldest that runs, and might as well not have been seen",
      );
      const told = await compare(url, `public.${name}`, () => other.query("COMMIT"));
      assert.deepEqual(told, changed, steps.join("; "));
    }
  } finally {
    await other.end();
  }
});

test("a long transaction that writes elsewhere does not make old rows look new", async () => {
  const [name, elsewhere] = [await numbers(), await numbers()];
  const other = new pg.Client({ connectionString: url });
  await other.connect();
  try {
    await other.query(`BEGIN; DELETE FROM ${elsewhere}`);
    assert.deepEqual(await after(name, `INSERT INTO ${elsewhere} VALUES (777, 1, 'x')`), same);
  } finally {
    await other.end();
  }
});

test("a rewritten table is read again, though it prints the same", async () => {
  const name = await numbers();
  assert.deepEqual(await after(name, `VACUUM FULL ${name}`), cautious);
  assert.deepEqual(await after(name, `CLUSTER ${name} USING ${name}_pkey`), cautious);
  const reload = [`CREATE TABLE copy AS TABLE ${name}`, `TRUNCATE ${name}`, `INSERT INTO ${name} TABLE copy`, "DROP TABLE copy"];
  assert.deepEqual(await after(name, ...reload), cautious);
  assert.deepEqual(await after(name, `ALTER TABLE ${name} SET UNLOGGED`), cautious);
  assert.deepEqual(await after(name, `ALTER TABLE ${name} ALTER COLUMN v TYPE numeric(20, 3)`), changed);
});

test("rows that were loaded frozen are as new as any others", async () => {
  const name = await numbers();
  const frozen = (value: string) => [
    "BEGIN",
    `TRUNCATE ${name}`,
    `COPY ${name} FROM PROGRAM 'for n in 1 2 3; do echo "$n,1.0,${value}"; done' WITH (FORMAT csv, FREEZE)`,
    "COMMIT",
  ];
  await run(...frozen("old"));
  assert.deepEqual(await after(name), same);
  assert.deepEqual(await after(name, ...frozen("new")), changed);
});

test("a column that comes, with or without a default, and one that goes are changes", async () => {
  const name = await numbers();
  assert.deepEqual(await after(name, `ALTER TABLE ${name} ADD COLUMN extra int DEFAULT 7`), changed);
  assert.deepEqual(await after(name, `ALTER TABLE ${name} DROP COLUMN extra`), changed);
  assert.deepEqual(await after(name, `ALTER TABLE ${name} ADD COLUMN empty int`), changed);
});

test("a renamed label of an enum is a change, in arrays and domains too; renamed back it is read again", async () => {
  await run("CREATE TYPE mood AS ENUM ('calm', 'glad')", "CREATE DOMAIN moods AS mood[]");
  const name = await freshTable("id int, m moods", "SELECT g, ARRAY['calm']::mood[] FROM generate_series(1, 10) g");
  const unconcerned = await numbers();
  const rename = "ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'";
  assert.deepEqual(await after(name, rename), changed);
  assert.deepEqual(await after(name, "ALTER TYPE mood RENAME VALUE 'quiet' TO 'calm'", rename), cautious);
  assert.deepEqual(await after(unconcerned, "ALTER TYPE mood RENAME VALUE 'quiet' TO 'calm'"), same);
});

test("a table that took another's name is not that table", async () => {
  const [name, other] = [await numbers(), await numbers()];
  await run(`UPDATE ${other} SET v = 2`);
  assert.deepEqual(await after(name, `ALTER TABLE ${name} RENAME TO gone`, `ALTER TABLE ${other} RENAME TO ${name}`), changed);
});

test("of a table of several parts only the part that was written to is told to have changed", async () => {
  const name = await freshTable("id int PRIMARY KEY, t text", "SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 20000) g");
  const { parts: before } = await look(url, `public.${name}`);
  assert.ok(before.length > 3, `${before.length} parts`);
  await run(`UPDATE ${name} SET t = 'x' WHERE id = 1`);
  const { parts: now, told } = await look(url, `public.${name}`, before);
  assert.deepEqual(
    told,
    before.map(({ bytes }, index) => bytes === now[index]?.bytes),
  );
  const changes = told.filter((unchanged) => !unchanged).length;
  assert.ok(changes === 1 || changes === 2, "the part that lost the row, and the one that got its new version");
});

test("values stored beside the table are not fetched to tell", async () => {
  const name = await freshTable(
    "id int, t text",
    "SELECT g, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 300) n WHERE g > 0) FROM generate_series(1, 30) g",
  );
  await run(`ALTER TABLE ${name} ALTER COLUMN t SET STORAGE EXTERNAL`, `UPDATE ${name} SET t = t || ''`);
  const fetched = async (): Promise<number> => {
    // Statistics are complete once the sessions have gone.
    for (;;) {
      const { rows } = await client.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dbgov'");
      if (rows.length === 0) break;
      await delay(50);
    }
    const { rows } = await client.query<{ blocks: string }>(
      `SELECT toast_blks_read + toast_blks_hit AS blocks FROM pg_statio_user_tables WHERE relname = '${name}'`,
    );
    return Number(rows[0]?.blocks);
  };
  const { parts } = await look(url, `public.${name}`);
  const [seen] = parts;
  assert.ok(seen !== undefined && parts.length === 1);
  const read = await fetched();
  assert.ok(read > 0, "reading does fetch them");
  const hold = await postgres.hold(url, signal);
  hold.lost.catch(() => {});
  try {
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 20 }, signal);
    const stream = plan.streams.find((stream) => stream.name === `public.${name}`) ?? assert.fail("no stream");
    const earlier = [{ stream, part: seen.part, mark: seen.stream.mark, rows: seen.rows }];
    assert.deepEqual(await postgres.unchanged?.(url, hold.token, earlier, () => {}, signal), [true]);
  } finally {
    await hold.close();
  }
  assert.equal(await fetched(), read);
});

test("tables whose text depends on catalogs, and large objects, have no mark", async () => {
  await run("CREATE TYPE pair AS (a int, b regtype)", "CREATE DOMAIN klass AS regclass");
  await run("SELECT lo_from_bytea(0, 'large')");
  for (const [column, value] of [
    ["regclass", "'pg_class'"],
    ["klass[]", "ARRAY['pg_class'::regclass]"],
    ["pair", "ROW(1, 'int4')::pair"],
    ["aclitem", "'postgres=r/postgres'"],
    ["pg_class", "NULL"],
  ] as const) {
    const name = await freshTable(`id int, v ${column}`, `VALUES (1, ${value})`);
    assert.equal((await look(url, `public.${name}`)).parts[0]?.stream.mark, undefined, column);
  }
  assert.equal((await look(url, "large objects")).parts[0]?.stream.mark, undefined);
});

test("where a condition does not hold, or transactions are too far apart, the server is not even asked", async () => {
  const name = await numbers();
  const { parts } = await look(url, `public.${name}`);
  const { stream, part, rows } = parts[0] ?? assert.fail("no part");
  const nowhere = "postgres://nobody@127.0.0.1:1/nothing";
  const ask = (before: Partial<TableMark>, now: Partial<TableMark> = {}) => {
    const mark = stream.mark as TableMark;
    const earlier: EarlierContent = { stream: { ...stream, mark: { ...mark, ...now } }, part, mark: { ...mark, ...before }, rows };
    return postgres.unchanged?.(nowhere, "no token", [earlier], () => {}, signal);
  };
  await assert.rejects(async () => ask({}), "otherwise it is asked");
  assert.deepEqual(await ask({ server: "another" }), [false]);
  assert.deepEqual(await ask({ tables: {} }), [false]);
  assert.deepEqual(await ask({ tables: { [`"public"."${name}"`]: "another" } }), [false]);
  assert.deepEqual(await ask({ running: "1000" }, { unborn: String(1_000 + 2 ** 30) }), [false]);
  assert.deepEqual(await ask({ running: "1000" }, { unborn: "999" }), [false], "a server cannot go back");
  await assert.rejects(async () => ask({ running: "1000" }, { unborn: String(1_000 + 2 ** 30 - 1) }));
});

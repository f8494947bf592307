import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import type { EarlierContent, PartPlan, StreamPlan } from "../../core/databases/engine.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { useStack } from "../stack/use-stack.ts";

const { postgres: server } = await useStack("postgres");
const url = await createSampleDatabase(server.url, "unchanged");
const client = new pg.Client({ connectionString: url });
await client.connect();
after(() => client.end());

const signal = new AbortController().signal;

const run = async (...statements: string[]): Promise<void> => {
  for (const statement of statements) await client.query(statement);
};

interface Seen {
  readonly stream: StreamPlan;
  readonly part: PartPlan;
  readonly bytes: string;
  readonly rows: number;
}

/** One snapshot of a table: its parts with their bytes, and whether the server calls each what it was in `before`. */
const look = async (table: string, before: readonly Seen[] = []): Promise<{ parts: Seen[]; told: readonly boolean[] }> => {
  const hold = await postgres.hold(url, signal);
  hold.lost.catch(() => {});
  try {
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 20 }, signal);
    const stream = plan.streams.find(({ name }) => name === table) ?? assert.fail(`no stream ${table}`);
    const parts: Seen[] = [];
    for (const part of stream.parts) {
      const blocks: Uint8Array[] = [];
      for await (const block of postgres.read(url, hold.token, stream, part, signal)) blocks.push(Uint8Array.from(block));
      const bytes = Buffer.concat(blocks).toString("utf8");
      parts.push({ stream, part, bytes, rows: bytes.split("\n").length - 1 });
    }
    const earlier = before.map(({ stream: { mark }, part, rows }): EarlierContent => ({ stream, part, mark, rows }));
    return { parts, told: (await postgres.unchanged?.(url, hold.token, earlier, () => {}, signal)) ?? assert.fail("PostgreSQL can tell") };
  } finally {
    await hold.close();
  }
};

/** Whether the table's only part is told to be the same before and after, and whether it really is. */
const compare = async (table: string, change: () => Promise<void>): Promise<{ told: boolean; really: boolean }> => {
  const { parts: before } = await look(table);
  assert.ok(before.length === 1 && before[0]?.stream.mark !== undefined, "the server can tell");
  await change();
  const { parts: now, told } = await look(table, before);
  return { told: told[0] === true, really: before[0].bytes === now[0]?.bytes };
};

let tables = 0;
const freshTable = async (columns: string, values: string): Promise<string> => {
  const name = `w${++tables}`;
  await run(`CREATE TABLE ${name} (${columns})`, `INSERT INTO ${name} ${values}`);
  return name;
};
const numbers = () => freshTable("id int PRIMARY KEY, v numeric, t text", "SELECT g, 1.0, 'Text' FROM generate_series(1, 500) g");

const same = { told: true, really: true };
const changed = { told: false, really: false };
/** Read again without need: safe, and seldom. */
const cautious = { told: false, really: true };

test("nothing done, a rollback, vacuum and freeze leave a table what it was", async () => {
  const name = await numbers();
  const table = `public.${name}`;
  assert.deepEqual(await compare(table, () => run()), same);
  assert.deepEqual(await compare(table, () => run("BEGIN", `UPDATE ${name} SET v = 2`, "ROLLBACK")), same);
  assert.deepEqual(await compare(table, () => run(`VACUUM ${name}`)), same);
  assert.deepEqual(await compare(table, () => run(`VACUUM (FREEZE) ${name}`)), same);
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
    assert.deepEqual(await compare(`public.${name}`, () => run(statement.replaceAll("%t", name))), changed);
  });
}

test("-0 for 0 is a change, though the two are equal", async () => {
  const name = await freshTable("id int, v float8", "SELECT g, 0 FROM generate_series(1, 10) g");
  assert.deepEqual(await compare(`public.${name}`, () => run(`UPDATE ${name} SET v = '-0' WHERE id = 3`)), changed);
});

test("a row changed in a subtransaction is a change; one that was rolled back to its savepoint is not", async () => {
  const name = await numbers();
  const within = (end: string) => () => run("BEGIN", "SAVEPOINT s", `UPDATE ${name} SET v = v + 1 WHERE id = 9`, end, "COMMIT");
  assert.deepEqual(await compare(`public.${name}`, within("ROLLBACK TO s")), same);
  assert.deepEqual(await compare(`public.${name}`, within("RELEASE s")), changed);
});

test("a rewritten table is read again, though it prints the same", async () => {
  const name = await numbers();
  assert.deepEqual(await compare(`public.${name}`, () => run(`VACUUM FULL ${name}`)), cautious);
  assert.deepEqual(await compare(`public.${name}`, () => run(`CLUSTER ${name} USING ${name}_pkey`)), cautious);
  assert.deepEqual(
    await compare(`public.${name}`, () =>
      run(`CREATE TABLE copy AS TABLE ${name}`, `TRUNCATE ${name}`, `INSERT INTO ${name} TABLE copy`, "DROP TABLE copy"),
    ),
    cautious,
  );
});

test("a column that comes, with or without a default, and one that goes are changes", async () => {
  const name = await numbers();
  assert.deepEqual(await compare(`public.${name}`, () => run(`ALTER TABLE ${name} ADD COLUMN extra int DEFAULT 7`)), changed);
  assert.deepEqual(await compare(`public.${name}`, () => run(`ALTER TABLE ${name} DROP COLUMN extra`)), changed);
});

test("a renamed label of an enum is a change", async () => {
  await run("CREATE TYPE mood AS ENUM ('calm', 'glad')");
  const name = await freshTable("id int, m mood[]", "SELECT g, ARRAY['calm']::mood[] FROM generate_series(1, 10) g");
  assert.deepEqual(await compare(`public.${name}`, () => run("ALTER TYPE mood RENAME VALUE 'calm' TO 'quiet'")), changed);
});

test("of a table of several parts only the part that was written to is told to have changed", async () => {
  const name = await freshTable("id int PRIMARY KEY, t text", "SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 20000) g");
  const { parts: before } = await look(`public.${name}`);
  assert.ok(before.length > 3, `${before.length} parts`);
  await run(`UPDATE ${name} SET t = 'x' WHERE id = 1`);
  const { parts: now, told } = await look(`public.${name}`, before);
  assert.deepEqual(
    told,
    before.map(({ bytes }, index) => bytes === now[index]?.bytes),
  );
  const changes = told.filter((unchanged) => !unchanged).length;
  assert.ok(changes === 1 || changes === 2, "the part that lost the row, and the one that got its new version");
});

test("tables whose text depends on catalogs, and large objects, have no mark", async () => {
  const name = await freshTable("id int, r regclass", "VALUES (1, 'pg_class')");
  await run("CREATE TYPE pair AS (a int, b regtype)");
  const composite = await freshTable("p pair", "VALUES (ROW(1, 'int4')::pair)");
  await run("SELECT lo_from_bytea(0, 'large')");
  for (const table of [`public.${name}`, `public.${composite}`, "large objects"]) {
    assert.equal((await look(table)).parts[0]?.stream.mark, undefined, table);
  }
});

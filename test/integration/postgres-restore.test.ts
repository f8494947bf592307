import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Restoration, RowsStream } from "../../core/databases/engine.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { runSteps } from "../../core/snapshot/run-steps.ts";
import { asRole, type Captured, capture, collect, inBlocks, never, restore, type Server, useServer } from "./postgres-support.ts";

const definitionsOf = (captured: Captured) =>
  captured.plan.streams
    .filter(({ kind }) => kind === "definition")
    .map((stream) => ({ name: stream.name, target: stream.target, content: Buffer.concat(captured.parts.get(stream.name)!) }));

async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from("1\tone\n");
  throw error;
}

describe("restoring PostgreSQL", () => {
  let server: Server;
  let source: string;
  let captured: Captured;

  before(async () => {
    server = await useServer();
    source = await server.database("source");
    await server.sql(
      source,
      `CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT i, repeat('x', i % 50) FROM generate_series(1, 20000) i;
       CREATE TABLE u (id int REFERENCES t)`,
    );
    captured = await capture(source, 200_000);
  });
  after(() => server.cleanUp());

  const prepared = async (
    signal = never,
  ): Promise<{ url: string; restoration: Restoration; stream: Captured["plan"]["streams"][number] }> => {
    const url = await server.database("target");
    const restoration = await postgres.restore(url, { replace: false, definitions: definitionsOf(captured), parallelism: 2 }, signal);
    await restoration.prepare();
    return { url, restoration, stream: captured.plan.streams.find(({ name }) => name === "public.t")! };
  };
  const count = async (url: string): Promise<number> => Number((await server.sql<{ n: string }>(url, "SELECT count(*) AS n FROM t"))[0]!.n);

  it("writes parts of one table in parallel", async () => {
    const { url, restoration, stream } = await prepared();
    const contents = captured.parts.get(stream.name)!;
    assert.ok(contents.length > 3);
    await Promise.all(contents.map((content) => restoration.write(stream, inBlocks(content, 10_007))));
    await restoration.finish();
    const lines = (content: Buffer) => content.toString("latin1").split("\n").sort();
    assert.deepEqual(lines(await collect(restoration.readBack(stream))), lines(Buffer.concat(contents)));
    await restoration.close();
    assert.equal(await count(url), 20_000);
  });

  /** What is done with a stream of which all is written. */
  const complete = async (restoration: Restoration, stream: RowsStream): Promise<void> =>
    runSteps(restoration.completed!(stream, 1 << 20), 2);
  const all = (stream: RowsStream): AsyncIterable<Uint8Array> => inBlocks(Buffer.concat(captured.parts.get(stream.name)!), 70_001);
  const facts = async (url: string) =>
    (
      await server.sql<{ frozen: boolean; indexes: number; analyzed: boolean }>(
        url,
        `SELECT relallvisible > relpages / 2 AS frozen, (SELECT count(*)::int FROM pg_index WHERE indrelid = c.oid) AS indexes,
           EXISTS (SELECT FROM pg_stats WHERE tablename = 't') AS analyzed FROM pg_class c WHERE oid = 't'::regclass`,
      )
    )[0]!;

  it("writes a table whole, its rows frozen, or nothing of it, and makes its keys and statistics at once", async () => {
    const { url, restoration, stream } = await prepared();
    const broken = new Error("the store went away");
    await assert.rejects(restoration.whole!.write(stream, failing(broken), []), broken);
    assert.equal(await count(url), 0);
    await restoration.whole!.write(stream, all(stream), []);
    await complete(restoration, stream);
    assert.deepEqual(await facts(url), { frozen: true, indexes: 1, analyzed: true });
    await restoration.finish();
    await restoration.close();
    assert.equal(await count(url), 20_000);
  });

  it("writes a table whole without freezing where it may not be emptied", async () => {
    const url = await server.database("unemptied");
    const role = await server.role("filler");
    await server.sql(url, `GRANT ALL ON SCHEMA public TO ${role.name}`);
    const definitions = definitionsOf(captured);
    const restoration = await postgres.restore(asRole(url, role), { replace: false, definitions, parallelism: 1 }, never);
    const stream = captured.plan.streams.find(({ name }) => name === "public.t")!;
    await restoration.prepare();
    await server.sql(url, `REVOKE TRUNCATE ON t FROM ${role.name}`);
    await restoration.whole!.write(stream, all(stream), []);
    assert.equal(await count(url), 20_000);
    await server.sql(url, "ANALYZE t");
    assert.equal((await facts(url)).frozen, false);
    await restoration.close();
  });

  it("writes in parts what is small, what one connection would be too long for, and what is several tables", async () => {
    const { restoration, stream } = await prepared();
    const isBetter = (bytes: number, total: number, target: object = {}): boolean =>
      restoration.whole!.isBetter({ ...stream, target: { ...(stream.target as object), ...target } }, bytes, total);
    const mega = 1 << 20;
    assert.deepEqual([isBetter(mega, mega), isBetter(4096 * mega, 4096 * mega)], [true, true]);
    assert.deepEqual([isBetter(mega / 8, mega), isBetter(4097 * mega, 9000 * mega)], [false, false]);
    assert.deepEqual([isBetter(mega, mega, { partitioned: true }), isBetter(mega, mega, { filter: "true" })], [false, false]);
    await restoration.close();
    const wide = await postgres.restore(
      await server.database("wide"),
      { replace: false, definitions: definitionsOf(captured), parallelism: 8 },
      never,
    );
    assert.deepEqual(
      [3, 4].map((of8) => wide.whole!.isBetter(stream, of8 * mega, 8 * mega)),
      [true, false],
    );
    await wide.close();
  });

  it("keeps what was made of a table when it goes on after it was killed among the rows", async () => {
    const url = await server.database("kept");
    const open = (resume: boolean) =>
      postgres.restore(
        url,
        { replace: false, definitions: definitionsOf(captured), parallelism: 2, progress: { job: "0123456789abcdef", resume } },
        never,
      );
    const key = async () => (await server.sql<{ oid: number }>(url, "SELECT 't_pkey'::regclass::oid AS oid"))[0]!.oid;
    const stream = captured.plan.streams.find(({ name }) => name === "public.t")!;
    const killed = await open(false);
    await killed.prepare();
    await killed.whole!.write(stream, all(stream), ["one", "two"]);
    await complete(killed, stream);
    const made = await key();
    await killed.close();
    const half = await capture(url, 200_000);
    assert.ok(half.plan.notes.includes("A restore into this database is not finished: what it should hold may be missing."));
    const names = half.plan.streams.filter(({ kind }) => kind === "rows").map(({ name }) => name);
    assert.deepEqual(names, ["public.t", "public.u"]);
    const copy = await server.database("half");
    await restore(copy, half);
    assert.deepEqual(await server.sql(copy, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dbgov%'"), []);
    assert.equal(await count(copy), 20_000);
    const reader = await server.role("half_reader");
    await server.sql(url, `GRANT SELECT ON t, u TO ${reader.name}`);
    assert.deepEqual((await postgres.probe(asRole(url, reader), never)).problems, []);
    const resumed = await open(true);
    await resumed.prepare();
    assert.deepEqual([...resumed.written].sort(), ["one", "two"]);
    await complete(resumed, stream);
    await resumed.finish();
    await resumed.close();
    assert.equal(await key(), made);
    assert.deepEqual(await server.sql(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dbgov%'"), []);
    assert.equal((await server.sql(url, "SELECT FROM pg_constraint WHERE contype = 'f'")).length, 1);
  });

  it("writes all or nothing, and goes on after a part that failed", async () => {
    const { url, restoration, stream } = await prepared();
    const broken = new Error("the store went away");
    await assert.rejects(restoration.write(stream, failing(broken)), broken);
    const malformed = (async function* () {
      yield Buffer.from("1\tone\nnot a number\ttwo\n");
    })();
    await assert.rejects(restoration.write(stream, malformed), {
      type: "RestoreFailed",
      message: /writing public\.t: invalid input syntax/,
    });
    assert.equal(await count(url), 0);
    await restoration.write(stream, inBlocks(Buffer.from("1\tone\n"), 1));
    assert.equal(await count(url), 1);
    await restoration.close();
  });

  it("is refused early by the server without reading on", async () => {
    const { restoration, stream } = await prepared();
    let asked = 0;
    const endless = (async function* () {
      yield Buffer.from("bad\n");
      for (const row = Buffer.from("1\tx\n".repeat(50_000)); ; asked += 1) yield row;
    })();
    await assert.rejects(restoration.write(stream, endless), { type: "RestoreFailed" });
    assert.ok(asked < 1_000, String(asked));
    await restoration.close();
  });

  it("stops when the signal aborts, and leaves nothing running", async () => {
    const controller = new AbortController();
    const { url, restoration, stream } = await prepared(controller.signal);
    let id = 0;
    const endless = (async function* () {
      for (;;) {
        yield Buffer.from(`${id++}\tx\n`);
        if (id === 50_000) controller.abort(new Error("enough"));
      }
    })();
    await assert.rejects(restoration.write(stream, endless), /enough/);
    await assert.rejects(restoration.finish(), /enough/);
    await restoration.close();
    const name = new URL(url).pathname.slice(1);
    const until = Date.now() + 5_000;
    const left = () =>
      server.sql(server.url, `SELECT query FROM pg_stat_activity WHERE datname = '${name}' AND application_name = 'dbgov'`);
    while ((await left()).length > 0) assert.ok(Date.now() < until);
    assert.equal(await count(url), 0);
  });

  it("says what the server says when data breaks a constraint", async () => {
    const { restoration, stream } = await prepared();
    await restoration.write(stream, inBlocks(Buffer.from("1\ta\n1\tb\n"), 100));
    await assert.rejects(restoration.finish(), { type: "RestoreFailed", message: /pg_restore: .*could not create unique index "t_pkey"/ });
    await restoration.close();
  });

  it("refuses a server older than the source, a missing definition, and an archive that is not one", async () => {
    const url = await server.database("refused");
    const temporary = await mkdtemp(join(tmpdir(), "dbgov-test-"));
    const saved = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    const withSchema = (change: (schema: { name: string; target: unknown; content: Uint8Array }) => object) =>
      definitionsOf(captured).map((definition) => (definition.name === "schema" ? { ...definition, ...change(definition) } : definition));
    const prepare = async (definitions: ReturnType<typeof definitionsOf>): Promise<void> => {
      const restoration = await postgres.restore(url, { replace: false, definitions, parallelism: 1 }, never);
      await restoration.prepare().finally(() => restoration.close());
    };
    const newer = withSchema(({ target }) => ({ target: { ...(target as object), serverVersion: 990_000 } }));
    await assert.rejects(prepare(newer as never), {
      type: "EngineUnsupported",
      message: /is PostgreSQL 18, the snapshot is of PostgreSQL 99/,
    });
    await assert.rejects(prepare([]), { type: "RestoreFailed", message: /lacks its definition "schema"/ });
    const noArchive = withSchema(() => ({ content: Buffer.from("PGDMPnonsense") }));
    await assert.rejects(prepare(noArchive as never), { type: "RestoreFailed" });
    process.env.TMPDIR = saved ?? "/tmp";
    assert.deepEqual(await readdir(temporary), []);
    await rm(temporary, { recursive: true });
  });

  it("keeps text of other encodings as it is stored", async () => {
    const name = `test_latin1_${process.pid}`;
    await server.sql(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`);
    const latin = new URL(server.url);
    latin.pathname = `/${name}`;
    try {
      await server.sql(latin.href, `CREATE TABLE "naïve" ("é" text); INSERT INTO "naïve" VALUES ('café ÿ')`);
      const captured = await capture(latin.href, 1 << 30);
      assert.equal(Buffer.concat(captured.parts.get('public."naïve"')!).toString("latin1"), "café ÿ\n");
      const same = await postgres.createScratch(latin.href, `${name}_copy`, never);
      const [encoding] = await server.sql<{ server_encoding: string }>(same, "SHOW server_encoding");
      assert.equal(encoding?.server_encoding, "LATIN1");
      const unicode = await server.database("unicode");
      for (const target of [same, unicode]) {
        await restore(target, captured);
        assert.deepEqual(await server.sql(target, `SELECT "é" AS e FROM "naïve"`), [{ e: "café ÿ" }]);
      }
      await postgres.dropScratch(server.url, `${name}_copy`, never);
    } finally {
      await postgres.dropScratch(server.url, name, never);
    }
  });

  it("puts rows into other partitions where the hash of an enum says so", async () => {
    const hashed = await server.database("hashed");
    await server.sql(
      hashed,
      `CREATE TYPE mood AS ENUM (${Array.from({ length: 40 }, (_, index) => `'mood ${index}'`).join(", ")});
       CREATE TABLE felt (mood mood, n int) PARTITION BY HASH (mood);
       CREATE TABLE felt_0 PARTITION OF felt FOR VALUES WITH (MODULUS 2, REMAINDER 0);
       CREATE TABLE felt_1 PARTITION OF felt FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (n);
       CREATE TABLE felt_1_all PARTITION OF felt_1 DEFAULT;
       INSERT INTO felt SELECT m, i FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 200) i`,
    );
    const captured = await capture(hashed, 100_000);
    const stream = captured.plan.streams.find(({ name }) => name === "public.felt")!;
    assert.ok(stream.parts.length > 3);
    assert.equal(captured.plan.streams.filter(({ kind }) => kind === "rows").length, 1);
    const copy = await server.database("hashed_copy");
    await restore(copy, captured);
    const rows = "SELECT mood::text AS mood, n FROM felt ORDER BY mood, n";
    assert.deepEqual(await server.sql(copy, rows), await server.sql(hashed, rows));
    const restoration = await postgres.restore(copy, { replace: false, definitions: definitionsOf(captured), parallelism: 1 }, never);
    const back = await collect(restoration.readBack(stream));
    await restoration.close();
    const lines = (content: Buffer) => content.toString("utf8").split("\n").sort();
    assert.deepEqual(lines(back), lines(Buffer.concat(captured.parts.get(stream.name)!)));
  });

  it("captures security labels, and names provider and objects where the target's server lacks the provider", async () => {
    const labeled = await server.database("labeled");
    // No provider can be had as a package: what one would have left behind is written into the catalog, as its superuser could.
    await server.sql(
      labeled,
      `CREATE TABLE t (id int, secret text); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
       SET allow_system_table_mods = on;
       INSERT INTO pg_seclabel (objoid, classoid, objsubid, provider, label) VALUES
         ('t'::regclass, 'pg_class'::regclass, 0, 'masks', 'it''s; a label'), ('t'::regclass, 'pg_class'::regclass, 2, 'masks', 'hidden'),
         ('f'::regproc, 'pg_proc'::regclass, 0, 'odd provider', 'trusted')`,
    );
    const snapshot = await capture(labeled, 200_000);
    const schema = snapshot.parts.get("schema")![0]!.toString("latin1");
    for (const statement of [
      "SECURITY LABEL FOR masks ON TABLE public.t IS 'it''s; a label'",
      "SECURITY LABEL FOR masks ON COLUMN public.t.secret IS 'hidden'",
      `SECURITY LABEL FOR "odd provider" ON FUNCTION public.f() IS 'trusted'`,
    ])
      assert.ok(schema.includes(statement), statement);
    const copy = await server.database("unlabeled");
    assert.deepEqual(await restore(copy, snapshot), [
      "Security labels were not restored (FUNCTION public.f(), TABLE public.t, COLUMN public.t.secret), since the target's server has not loaded who gave them: masks, odd provider. To have them, load it there (shared_preload_libraries), and restore again.",
    ]);
    assert.deepEqual(await server.sql(copy, "SELECT FROM pg_seclabel"), []);
  });

  it("captures and restores an empty database", async () => {
    const nothing = await server.database("nothing");
    const captured = await capture(nothing, 1 << 20);
    assert.equal(captured.plan.streams.filter(({ kind }) => kind === "rows").length, 0);
    await restore(await server.database("nothing_copy"), captured);
  });
});

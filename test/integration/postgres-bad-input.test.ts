import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { hasPostgresVersions } from "../stack/setup/postgres-versions.ts";
import { capture, collect, never, restore, type Server, uniqueName, useServer } from "./postgres-support.ts";
import { startVersion } from "./postgres-version-server.ts";

const inSqlAscii = async (server: Server, work: (url: string) => Promise<void>): Promise<void> => {
  const name = uniqueName("ascii");
  await server.sql(server.url, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  try {
    await work(url.href);
  } finally {
    await postgres.dropScratch(server.url, name, never);
  }
};

describe("bad input from PostgreSQL", () => {
  let server: Server;
  before(async () => {
    server = await useServer();
  });
  after(() => server.cleanUp());

  it("bytes that are no UTF-8, in a SQL_ASCII database, come back as they are", async () => {
    await inSqlAscii(server, async (url) => {
      await server.run(
        "psql",
        url,
        "-qc",
        `SET client_encoding = 'SQL_ASCII'; CREATE TABLE t (a text DEFAULT E'def\\xff', b bytea);
         INSERT INTO t VALUES (E'caf\\xe9 \\xff\\xfe \\xc3(', '\\x00ff'), (E'\\x80\\\\.', NULL); COMMENT ON TABLE t IS E'comment \\xe9';
         CREATE TYPE mood AS ENUM (E'tr\\xe8s'); CREATE TABLE u (m mood); INSERT INTO u VALUES (E'tr\\xe8s')`,
      );
      const captured = await capture(url, 1 << 20);
      assert.equal(
        Buffer.concat(captured.parts.get("public.t")!).toString("latin1"),
        "caf\xe9 \xff\xfe \xc3(\t\\\\x00ff\n\x80\\\\.\t\\N\n",
      );
      const name = uniqueName("ascii_copy");
      const copy = await postgres.createScratch(url, name, never);
      try {
        await restore(copy, captured);
        for (const table of ["t", "u"]) {
          const content = (at: string) => server.run("psql", at, "-qc", `COPY ${table} TO STDOUT (ENCODING 'SQL_ASCII')`);
          assert.ok((await content(copy)).equals(await content(url)), table);
        }
      } finally {
        await postgres.dropScratch(server.url, name, never);
      }
      // A database in UTF8 cannot hold these bytes: the server's own words, and nothing half written.
      await assert.rejects(restore(await server.database("no_ascii"), captured), { type: "RestoreFailed" });
    });
  });

  it("a name that is no UTF-8 is refused, since it could only be guessed", async () => {
    await inSqlAscii(server, async (url) => {
      await server.run(
        "psql",
        url,
        "-qc",
        `SET client_encoding = 'SQL_ASCII'; DO $do$ BEGIN EXECUTE E'CREATE TABLE "na\\xefve" (a int)'; END $do$`,
      );
      await assert.rejects(capture(url, 1 << 20), { type: "EngineUnsupported", message: /names must be valid UTF-8/ });
    });
  });

  it("a row over 500 MB goes through in blocks, without being held in memory, there and back", async () => {
    const url = await server.database("large_row");
    await server.sql(url, "CREATE TABLE t (id int, content text)");
    await server.sql(url, "INSERT INTO t SELECT 1, repeat('0123456789abcdef\\', 31 << 20)");
    const hold = await postgres.hold(url, never);
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 30 }, never);
    const stream = plan.streams.find(({ name }) => name === "public.t")!;
    const copy = await server.database("large_row_copy");
    await server.sql(copy, "CREATE TABLE kept (a int)");
    const before = process.memoryUsage().rss;
    let most = 0;
    let bytes = 0;
    async function* watched() {
      for await (const block of postgres.read(url, hold.token, stream, stream.parts[0]!, never)) {
        bytes += block.length;
        most = Math.max(most, process.memoryUsage().rss);
        yield block;
      }
    }
    const captured = await capture(copy, 1 << 30);
    const target = await server.database("large_row_target");
    const definitions = captured.plan.streams
      .filter(({ kind }) => kind === "definition")
      .map((one) => ({ name: one.name, target: one.target, content: Buffer.concat(captured.parts.get(one.name)!) }));
    const restoration = await postgres.restore(target, { replace: false, definitions, parallelism: 1 }, never);
    await restoration.prepare();
    await server.sql(target, "CREATE TABLE t (id int, content text)");
    await restoration.write(stream, watched());
    await restoration.close();
    await hold.close();
    assert.ok(bytes > 550e6, String(bytes));
    assert.ok(most - before < 100e6, `${((most - before) / 1e6).toFixed()} MB`);
    const sums = "SELECT length(content) AS length, right(content, 40) AS last FROM t";
    assert.deepEqual(await server.sql(target, sums), await server.sql(url, sums));
  });

  it("a value that COPY cannot write out fails with the table's name and the reason", async () => {
    const url = await server.database("wide");
    await server.sql(url, "CREATE TABLE wide (id int, content bytea)");
    await server.sql(url, "INSERT INTO wide SELECT 1, convert_to(repeat('x', 540 << 20), 'UTF8')");
    const hold = await postgres.hold(url, never);
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 30 }, never);
    const stream = plan.streams.find(({ name }) => name === "public.wide")!;
    await assert.rejects(collect(postgres.read(url, hold.token, stream, stream.parts[0]!, never)), {
      type: "EngineUnsupported",
      message: /reading public\.wide: .*(54000|53200|XX000).*a row is larger than the server can send/,
    });
    await hold.close();
  });

  it("more tables than the server has locks for are refused, with the setting to raise", { skip: !hasPostgresVersions }, async () => {
    const small = await startVersion(18, server.bin, { max_locks_per_transaction: "10", max_connections: "10" });
    try {
      const url = await small.server.database("many");
      for (let round = 0; round < 30; round += 1)
        await small.server.sql(
          url,
          `DO $do$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE t_%s_%s (a int)', ${round}, i); END LOOP; END $do$`,
        );
      await assert.rejects(postgres.hold(url, never), { type: "EngineUnsupported", message: /raise max_locks_per_transaction/ });
    } finally {
      await small.stop();
    }
  });
});

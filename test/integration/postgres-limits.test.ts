import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { startPooler } from "./postgres-pooler.ts";
import { asRole, type Captured, capture, collect, inBlocks, never, restore, type Server, useServer } from "./postgres-support.ts";

/** All parts at once, as a worker with many slots would. */
const captureAtOnce = async (url: string, partBytes: number): Promise<Captured> => {
  const hold = await postgres.hold(url, never);
  try {
    const plan = await postgres.plan(url, hold.token, { partBytes }, never);
    const read = (stream: (typeof plan.streams)[number]) =>
      Promise.all(stream.parts.map((part) => collect(postgres.read(url, hold.token, stream, part, never))));
    const contents = await Promise.all(plan.streams.map(read));
    return { plan, parts: new Map(plan.streams.map((stream, index) => [stream.name, contents[index]!])) };
  } finally {
    await hold.close();
  }
};

const restoreAtOnce = async (url: string, captured: Captured, parallelism: number): Promise<void> => {
  const { streams } = captured.plan;
  const definitions = streams
    .filter(({ kind }) => kind === "definition")
    .map((stream) => ({ name: stream.name, target: stream.target, content: Buffer.concat(captured.parts.get(stream.name)!) }));
  const restoration = await postgres.restore(url, { replace: false, definitions, parallelism }, never);
  try {
    await restoration.prepare();
    const writes = streams
      .filter(({ kind }) => kind === "rows")
      .flatMap((stream) => captured.parts.get(stream.name)!.map((content) => restoration.write(stream, inBlocks(content, 70_001))));
    await Promise.all(writes);
    await restoration.finish();
  } finally {
    await restoration.close();
  }
};

const rowsSql =
  "SELECT 't' AS name, count(*)::int AS n, sum(id)::int AS sum FROM t UNION ALL SELECT 'u', count(*)::int, sum(id)::int FROM u ORDER BY 1";

describe("a source with low rights and limits", () => {
  let server: Server;
  let url: string;
  let owner: { name: string; password: string };

  before(async () => {
    server = await useServer();
    url = await server.database("limits");
    owner = await server.role("owner");
    const name = new URL(url).pathname.slice(1);
    await server.sql(
      url,
      `ALTER DATABASE ${name} OWNER TO ${owner.name}; ALTER SCHEMA public OWNER TO ${owner.name}; SET ROLE ${owner.name};
       CREATE TABLE t (id int PRIMARY KEY, pad text); INSERT INTO t SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 5000) i;
       CREATE TABLE u (id int PRIMARY KEY REFERENCES t); INSERT INTO u SELECT i FROM generate_series(1, 1000) i;
       CREATE INDEX ON t (pad); SELECT lo_from_bytea(0, 'large')`,
    );
  });
  after(() => server.cleanUp());

  const copyOf = async (): Promise<{ admin: string; asOwner: string }> => {
    const admin = await server.database("limits_copy");
    await server.sql(
      admin,
      `ALTER DATABASE ${new URL(admin).pathname.slice(1)} OWNER TO ${owner.name}; ALTER SCHEMA public OWNER TO ${owner.name}`,
    );
    return { admin, asOwner: asRole(admin, owner) };
  };

  it("two connections in all are enough for a capture and a restore with many parts at once", { timeout: 60_000 }, async () => {
    await server.sql(url, `ALTER ROLE ${owner.name} CONNECTION LIMIT 2`);
    try {
      const captured = await captureAtOnce(asRole(url, owner), 200_000);
      assert.ok(captured.plan.streams.find(({ name }) => name === "public.t")!.parts.length > 5);
      const { admin, asOwner } = await copyOf();
      await restoreAtOnce(asOwner, captured, 4);
      assert.deepEqual(await server.sql(admin, rowsSql), await server.sql(url, rowsSql));
    } finally {
      await server.sql(url, `ALTER ROLE ${owner.name} CONNECTION LIMIT -1`);
    }
  });

  it("time limits set on the role end neither the hold nor the reading of a part", async () => {
    const timeouts = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout"];
    for (const name of timeouts) await server.sql(url, `ALTER ROLE ${owner.name} SET ${name} = '60ms'`);
    try {
      const at = asRole(url, owner);
      const hold = await postgres.hold(at, never);
      const plan = await postgres.plan(at, hold.token, { partBytes: 1 << 30 }, never);
      const table = plan.streams.find(({ name }) => name === "public.t")!;
      let rows = 0;
      for await (const block of postgres.read(at, hold.token, table, table.parts[0]!, never)) {
        rows += Buffer.from(block).filter((byte) => byte === 10).length;
        await new Promise((resolve) => setTimeout(resolve, 90));
      }
      assert.equal(rows, 5_000);
      const schema = plan.streams.find(({ name }) => name === "schema")!;
      assert.ok((await collect(postgres.read(at, hold.token, schema, schema.parts[0]!, never))).length > 1_000);
      await hold.close();
      const { admin, asOwner } = await copyOf();
      await restoreAtOnce(asOwner, await captureAtOnce(at, 1 << 30), 2);
      assert.deepEqual(await server.sql(admin, rowsSql), await server.sql(url, rowsSql));
    } finally {
      for (const name of timeouts) await server.sql(url, `ALTER ROLE ${owner.name} RESET ${name}`);
    }
  });

  it("a role that may only read is enough", async () => {
    const reader = await server.role("plain");
    await server.sql(url, `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader.name}; GRANT USAGE ON SCHEMA public TO ${reader.name}`);
    const denied = await postgres.probe(asRole(url, reader), never);
    // The large object is the owner's.
    assert.deepEqual(
      denied.problems.map(({ type, message }) => [type, /large object/.test(message)]),
      [["PermissionMissing", true]],
    );
    await server.sql(url, `SELECT lo_unlink(oid) FROM pg_largeobject_metadata`);
    assert.deepEqual((await postgres.probe(asRole(url, reader), never)).problems, []);
    const captured = await capture(asRole(url, reader), 1 << 20);
    const { admin } = await copyOf();
    await restore(admin, captured);
    assert.deepEqual(await server.sql(admin, rowsSql), await server.sql(url, rowsSql));
  });

  it("PgBouncer in transaction mode is refused with the remedy", async () => {
    const pooler = await startPooler(url, "transaction", 3);
    try {
      const refused = {
        type: "EngineUnsupported",
        message: /pooler in transaction mode.*use the direct address of the server, or the pooler's session mode/,
      };
      await assert.rejects(postgres.hold(pooler.through(url), never), refused);
      const { problems } = await postgres.probe(pooler.through(url), never);
      assert.match(problems[0]?.message ?? "", refused.message);
    } finally {
      await pooler.stop();
    }
  });

  it("PgBouncer in session mode works, also with two connections in its pool", { timeout: 60_000 }, async () => {
    const pooler = await startPooler(url, "session", 2);
    try {
      const captured = await captureAtOnce(pooler.through(url), 200_000);
      const copy = await server.database("pooled_copy");
      await restoreAtOnce(pooler.through(copy), captured, 2);
      assert.deepEqual(await server.sql(copy, rowsSql), await server.sql(url, rowsSql));
    } finally {
      await pooler.stop();
    }
  });
});

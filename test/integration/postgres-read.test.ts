import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import type { StreamPlan } from "../../core/databases/engine.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { collect, never, type Server, useServer } from "./postgres-support.ts";

describe("reading PostgreSQL", () => {
  let server: Server;
  let url: string;

  const streamOf = async (token: string, name: string, partBytes: number): Promise<StreamPlan> => {
    const plan = await postgres.plan(url, token, { partBytes }, never);
    return plan.streams.find((stream) => stream.name === name)!;
  };
  /** What dbgov runs in the test's database at this moment. */
  const running = () =>
    server.sql<{ query: string; wait: string | null }>(
      server.url,
      `SELECT left(query, 60) AS query, wait_event AS wait FROM pg_stat_activity
       WHERE application_name = 'dbgov' AND datname = '${new URL(url).pathname.slice(1)}' AND state = 'active'`,
    );
  const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const until = Date.now() + 5_000;
    while (!(await holds())) assert.ok(Date.now() < until, `not within 5 s: ${what}`);
  };

  before(async () => {
    server = await useServer();
    url = await server.database("read");
    await server.sql(
      url,
      `CREATE TABLE busy (id int PRIMARY KEY, v int, pad text);
       INSERT INTO busy SELECT i, i, repeat(md5(i::text), 4) FROM generate_series(1, 40000) i;
       CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 100) AS pad FROM generate_series(1, 20000) i;`,
    );
  });
  after(() => server.cleanUp());

  it("gives parts that together are the whole, while rows are updated, moved, added and deleted", async () => {
    const hold = await postgres.hold(url, never);
    const whole = await streamOf(hold.token, "public.busy", 1 << 30);
    const split = await streamOf(hold.token, "public.busy", 500_000);
    assert.equal(whole.parts.length, 1);
    assert.ok(split.parts.length > 8, String(split.parts.length));
    const writer = new pg.Client({ connectionString: url });
    await writer.connect();
    let stop = false;
    const writing = (async () => {
      for (let round = 0; !stop; round += 1) {
        await writer.query(`UPDATE busy SET v = v + 1 WHERE id % 7 = ${round % 7}`);
        await writer.query(`DELETE FROM busy WHERE id % 1000 = ${round % 1000}`);
        await writer.query(`INSERT INTO busy SELECT ${1_000_000 + round * 100} + i, 0, 'new' FROM generate_series(1, 100) i`);
        await writer.query("VACUUM busy");
      }
    })();
    const parts: Buffer[] = [];
    for (const part of split.parts) parts.push(await collect(postgres.read(url, hold.token, split, part, never)));
    const expected = await collect(postgres.read(url, hold.token, whole, whole.parts[0]!, never));
    stop = true;
    await writing;
    await writer.end();
    await hold.close();
    const together = Buffer.concat(parts);
    assert.equal(together.toString("latin1").split("\n").length - 1, 40_000);
    assert.ok(together.equals(expected));
  });

  it("splits nothing but the table that is large enough, and estimates its size", async () => {
    const hold = await postgres.hold(url, never);
    const plan = await postgres.plan(url, hold.token, { partBytes: 1 << 30 }, never);
    await hold.close();
    assert.equal(plan.databaseName, new URL(url).pathname.slice(1));
    assert.match(plan.serverVersion, /^\d+\.\d+/);
    for (const stream of plan.streams) assert.equal(stream.parts.length, 1);
    const large = plan.streams.find(({ name }) => name === "public.large")!;
    assert.ok(large.parts[0]!.estimatedBytes > 1_000_000);
  });

  it("makes the server wait for a slow consumer, and can be stopped at any block", async () => {
    const hold = await postgres.hold(url, never);
    const stream = await streamOf(hold.token, "public.large", 1 << 30);
    const blocks = postgres.read(url, hold.token, stream, stream.parts[0]!, never)[Symbol.asyncIterator]();
    const first = await blocks.next();
    assert.ok(first.value!.length >= 256 << 10);
    await eventually("the server waits", async () => (await running()).some(({ wait }) => wait === "ClientWrite"));
    await blocks.return?.();
    await eventually("nothing runs", async () => (await running()).length === 0);
    await hold.close();
  });

  it("ends with the signal's reason, and leaves no query on the server", async () => {
    const hold = await postgres.hold(url, never);
    const stream = await streamOf(hold.token, "public.large", 1 << 30);
    const controller = new AbortController();
    const reason = new Error("cancelled by the test");
    await assert.rejects(async () => {
      for await (const _ of postgres.read(url, hold.token, stream, stream.parts[0]!, controller.signal)) controller.abort(reason);
    }, reason);
    await eventually("nothing runs", async () => (await running()).length === 0);
    await hold.close();
  });

  it("is DatabaseUnreachable when its backend is terminated in the middle of COPY", async () => {
    const hold = await postgres.hold(url, never);
    const stream = await streamOf(hold.token, "public.large", 1 << 30);
    const reading = async () => {
      let first = true;
      for await (const _ of postgres.read(url, hold.token, stream, stream.parts[0]!, never)) {
        if (first)
          await server.sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^COPY'",
          );
        first = false;
      }
    };
    await assert.rejects(reading(), { name: "Failure", type: "DatabaseUnreachable" });
    await hold.close();
  });

  it("is HoldLost for all once the hold's backend is gone", async () => {
    const hold = await postgres.hold(url, never);
    const stream = await streamOf(hold.token, "public.busy", 1 << 30);
    const schema = await streamOf(hold.token, "schema", 1 << 30);
    await server.sql(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dbgov'",
    );
    await assert.rejects(hold.lost, { type: "HoldLost" });
    await assert.rejects(collect(postgres.read(url, hold.token, stream, stream.parts[0]!, never)), { type: "HoldLost" });
    await assert.rejects(collect(postgres.read(url, hold.token, schema, schema.parts[0]!, never)), { type: "HoldLost" });
    await hold.close();
  });

  it("does not believe what a session read after the hold was lost: a table that was truncated then looks empty", async () => {
    await server.sql(url, "CREATE TABLE emptied AS SELECT i FROM generate_series(1, 1000) i");
    const hold = await postgres.hold(url, never);
    const busy = await streamOf(hold.token, "public.busy", 1 << 30);
    const emptied = await streamOf(hold.token, "public.emptied", 1 << 30);
    // The session that read this part sees the snapshot for as long as it lives, without the hold's locks.
    await collect(postgres.read(url, hold.token, busy, busy.parts[0]!, never));
    await hold.close();
    await server.sql(url, "TRUNCATE emptied");
    await assert.rejects(collect(postgres.read(url, hold.token, emptied, emptied.parts[0]!, never)), { type: "HoldLost" });
  });

  it("does not let a table be dropped while the hold stands", async () => {
    await server.sql(url, "CREATE TABLE wanted (a int)");
    const hold = await postgres.hold(url, never);
    await assert.rejects(server.sql(url, "SET lock_timeout = '100ms'; DROP TABLE wanted"), { code: "55P03" });
    await hold.close();
    await server.sql(url, "DROP TABLE wanted");
  });

  it("is SourceChanged when a table is dropped all the same, or loses a column", async () => {
    await server.sql(url, "CREATE TABLE leaving AS SELECT 1 AS a; CREATE TABLE changing AS SELECT 1 AS a, 2 AS b");
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const token = (await holder.query("SELECT pg_export_snapshot() AS token")).rows[0].token as string;
    const leaving = await streamOf(token, "public.leaving", 1 << 30);
    const changing = await streamOf(token, "public.changing", 1 << 30);
    await server.sql(url, "DROP TABLE leaving; ALTER TABLE changing DROP COLUMN b");
    await assert.rejects(collect(postgres.read(url, token, leaving, leaving.parts[0]!, never)), {
      type: "SourceChanged",
      message: /reading public\.leaving: .*does not exist/,
    });
    await assert.rejects(collect(postgres.read(url, token, changing, changing.parts[0]!, never)), { type: "SourceChanged" });
    await holder.end();
  });

  it("takes a new snapshot when a table was truncated between the snapshot and its lock: it would look empty to the old one", async () => {
    await server.sql(url, "CREATE TABLE a_from AS SELECT i FROM generate_series(1, 10) i; CREATE TABLE a_to (i int)");
    const mover = new pg.Client({ connectionString: url });
    await mover.connect();
    await mover.query("BEGIN; INSERT INTO a_to SELECT * FROM a_from; TRUNCATE a_from");
    const holding = postgres.hold(url, never);
    const waiting = () =>
      server.sql(
        server.url,
        `SELECT FROM pg_stat_activity WHERE application_name = 'dbgov' AND wait_event_type = 'Lock' AND datname = '${new URL(url).pathname.slice(1)}'`,
      );
    await eventually("the hold waits", async () => (await waiting()).length === 1);
    await mover.query("COMMIT");
    await mover.end();
    const hold = await holding;
    const contents = await Promise.all(
      ["public.a_from", "public.a_to"].map(async (name) => {
        const stream = await streamOf(hold.token, name, 1 << 30);
        return (await collect(postgres.read(url, hold.token, stream, stream.parts[0]!, never))).toString().split("\n").length - 1;
      }),
    );
    await hold.close();
    assert.deepEqual(contents, [0, 10]);
  });

  it("stops waiting for a lock when the signal aborts, and does not stay in the queue", async () => {
    await server.sql(url, "CREATE TABLE locked (a int)");
    const locker = new pg.Client({ connectionString: url });
    await locker.connect();
    await locker.query("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE");
    const controller = new AbortController();
    const holding = postgres.hold(url, controller.signal);
    holding.catch(() => undefined);
    const waiting = () =>
      server.sql(server.url, "SELECT FROM pg_stat_activity WHERE application_name = 'dbgov' AND wait_event_type = 'Lock'");
    await eventually("the hold waits", async () => (await waiting()).length === 1);
    controller.abort(new Error("stop waiting"));
    await assert.rejects(holding, /stop waiting/);
    await eventually("nobody waits", async () => (await waiting()).length === 0);
    await locker.end();
  });

  it("kills pg_dump when the signal aborts, and what it runs", async () => {
    await server.sql(url, "CREATE TABLE blocking (a int)");
    const [holder, locker] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })];
    await Promise.all([holder.connect(), locker.connect()]);
    await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const token = (await holder.query("SELECT pg_export_snapshot() AS token")).rows[0].token as string;
    const schema = await streamOf(token, "schema", 1 << 30);
    await locker.query("BEGIN; LOCK TABLE blocking IN ACCESS EXCLUSIVE MODE");
    const controller = new AbortController();
    const dumping = collect(postgres.read(url, token, schema, schema.parts[0]!, controller.signal));
    dumping.catch(() => undefined);
    await eventually("pg_dump waits for the lock", async () => (await running()).some(({ wait }) => wait === "relation"));
    controller.abort(new Error("stop dumping"));
    await assert.rejects(dumping, /stop dumping/);
    await eventually("nothing runs", async () => (await running()).length === 0);
    await Promise.all([holder.end(), locker.end()]);
  });
});

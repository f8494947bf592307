import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { planRestore } from "../../core/snapshot/plan-restore.ts";
import { type RestoreJob, restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { openThreadPool } from "../../core/snapshot/thread-pool.ts";
import { asRole, type Server, useServer } from "./postgres-support.ts";
import { startRestore } from "./restore-process.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

const sourceSql = `
  CREATE TYPE mood AS ENUM ('good'); CREATE FUNCTION slow(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
  CREATE TABLE large AS SELECT n AS id, repeat(md5(n::text), 8) AS text FROM generate_series(1, 30000) n; ALTER TABLE large ADD PRIMARY KEY (id);
  CREATE INDEX large_text ON large (text); CREATE INDEX large_slow ON large (slow(id));
  CREATE UNLOGGED TABLE fleeting AS SELECT n AS id FROM generate_series(1, 20000) n;
  CREATE TABLE small (id serial PRIMARY KEY, large int REFERENCES large, mood mood); INSERT INTO small (large) SELECT n FROM generate_series(1, 100) n;
  CREATE TABLE parts (id int, k int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (5000); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (5000) TO (10000);
  CREATE INDEX ON parts (k); INSERT INTO parts SELECT n, n FROM generate_series(0, 9999) n;
  CREATE VIEW grouped AS SELECT id, text FROM large GROUP BY id; CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM grouped;
  CREATE PUBLICATION told FOR TABLE small; CREATE STATISTICS stat ON id, text FROM large; CREATE RULE quiet AS ON DELETE TO small DO INSTEAD NOTHING;
  ALTER TABLE small ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of_them ON small USING (true);
  SELECT lo_from_bytea(0, 'one'), lo_from_bytea(0, 'two'); REFRESH MATERIALIZED VIEW counted`;

describe("a PostgreSQL restore that was killed", () => {
  let server: Server;
  let source: string;
  let snapshot: SnapshotSource;
  let repository: Awaited<ReturnType<typeof openRepository>>;
  let expected: string[];

  /** The schema as it is, and then every line in order: parts of a table are written side by side, so that its rows lie anyhow. */
  const dump = async (url: string): Promise<string[]> => {
    const text = async (...args: string[]) =>
      (await server.run("pg_dump", url, ...args)).toString().replaceAll(/^\\(un)?restrict .*$/gm, "");
    return [...(await text("--schema-only")).split("\n"), ...(await text("--data-only")).split("\n").sort()];
  };

  before(async () => {
    server = await useServer();
    repository = await openRepository();
    source = await server.database("resume_source");
    await server.sql(source, sourceSql);
    snapshot = await repository.capture("postgres", source, 1 << 20);
    expected = await dump(source);
  });
  after(async () => {
    await server?.cleanUp();
    await repository?.remove();
  });

  const job = (url: string, resume: boolean, more: Partial<RestoreJob> = {}): RestoreJob => ({
    ...snapshot,
    ...{ engine: "postgres", url, replace: false, parallelism: 2, progress: { resume } },
    ...more,
  });
  const goOn = (url: string, more: Partial<RestoreJob> = {}) => restoreSnapshot(job(url, true, more), jobContext());
  const isWhole = async (url: string): Promise<void> => {
    const lines = await dump(url);
    const at = expected.findIndex((line, index) => line !== lines[index]);
    if (at >= 0)
      assert.deepEqual(lines.slice(at - 1, at + 2), expected.slice(at - 1, at + 2), "pg_dump of the copy is not that of the source");
    assert.equal(lines.length, expected.length);
    const left = await server.sql(url, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dbgov%'");
    assert.deepEqual(left, []);
  };

  it("goes on with the parts that are missing, after SIGKILL among the rows", async () => {
    const url = await server.database("resume_rows");
    const killed = await startRestore(job(url, false), ({ rows }) => rows > 5_000);
    assert.equal(killed, "SIGKILL");
    await assert.rejects(restoreSnapshot(job(url, false), jobContext()), { type: "TargetNotEmpty", message: /go on with it by --resume/ });
    const plan = await planRestore(job(url, true), jobContext());
    assert.match(plan.notes.join(), /came to the phase "rows" and has written \d+ parts/);
    const result = await goOn(url);
    assert.ok(result.resumed.rows > 5_000 && result.resumed.rows < result.rows, JSON.stringify(result.resumed));
    assert.equal(result.identical, true);
    await isWhole(url);
    await assert.rejects(goOn(url), { type: "UsageInvalid", message: /nothing to resume/ });
  });

  it("builds indexes and constraints anew, after SIGKILL among them", async () => {
    const url = await server.database("resume_finish");
    // pg_restore lives on when the process that started it is killed: resuming has to end it first.
    const killed = await startRestore(
      job(url, false),
      ({ current }) => current === "indexes and constraints",
      async () => {
        for (;;) {
          const [found] = await server.sql<{ n: number }>(url, "SELECT count(*)::int AS n FROM pg_class WHERE relkind IN ('i', 'I')");
          if (found!.n >= 3) return;
        }
      },
    );
    assert.equal(killed, "SIGKILL");
    const result = await goOn(url);
    assert.deepEqual([result.identical, result.resumed.rows], [true, result.rows]);
    await isWhole(url);
  });

  it("begins again after SIGKILL before any row", async () => {
    const url = await server.database("resume_begin");
    assert.equal(await startRestore(job(url, false), ({ current }) => current === "creating tables"), "SIGKILL");
    const [begun] = await server.sql<{ n: number }>(url, "SELECT count(*)::int AS n FROM pg_namespace WHERE nspname LIKE 'dbgov%'");
    const result = begun!.n === 0 ? await restoreSnapshot(job(url, false), jobContext()) : await goOn(url);
    assert.equal(result.identical, true);
    await isWhole(url);
  });

  it("writes unlogged tables anew after a crash of the server, which has emptied them and the record of them", async () => {
    const url = await server.database("resume_unlogged");
    await startRestore(job(url, false, { parallelism: 1 }), ({ rows }) => rows > 45_000);
    const [{ schema } = { schema: "" }] = await server.sql<{ schema: string }>(
      url,
      "SELECT nspname AS schema FROM pg_namespace WHERE nspname LIKE 'dbgov%'",
    );
    // What a crash does, and a row that nobody recorded.
    await server.sql(url, `TRUNCATE fleeting, ${schema}.written_unlogged; INSERT INTO fleeting VALUES (-1)`);
    assert.equal((await goOn(url)).identical, true);
    await isWhole(url);
  });

  it("goes on with a chosen part, and is another restore than the whole", async () => {
    const url = await server.database("resume_part");
    await server.sql(url, "CREATE TABLE mine (x int)");
    const choice = { only: ["public.large", "public.parts"], except: [] };
    await startRestore(job(url, false, { choice }), ({ rows }) => rows > 5_000);
    await assert.rejects(goOn(url), { type: "UsageInvalid" });
    const result = await goOn(url, { choice });
    assert.deepEqual([result.identical, result.rows], [true, 40_000]);
    assert.deepEqual(await server.sql(url, "SELECT count(*)::int AS n FROM pg_index WHERE indrelid = 'large'::regclass"), [{ n: 3 }]);
  });

  it("restores for a role that may not create schemas, too, and says that it cannot be resumed", async () => {
    const url = await server.database("resume_role");
    const role = await server.role("restorer");
    await server.sql(url, `GRANT ALL ON SCHEMA public TO ${role.name}; GRANT ${role.name} TO CURRENT_USER`);
    const result = await restoreSnapshot(
      job(asRole(url, role), false, { choice: { only: ["public.fleeting"], except: [] } }),
      jobContext(),
    );
    assert.deepEqual([result.identical, result.rows], [true, 20_000]);
    assert.match(result.notes.join(), /may not create schemas/);
  });

  it("reports how much there is to do", async () => {
    const url = await server.database("resume_progress");
    const threads = openThreadPool(1);
    const seen: number[] = [];
    await threads.run("restore", job(url, false), {
      signal: new AbortController().signal,
      onProgress: ({ total }) => void seen.push(total ?? 0),
    });
    await threads.close();
    assert.ok(seen.length > 0 && seen.every((total) => total === seen[0]) && seen[0]! > 1_000_000, String(seen));
  });
});

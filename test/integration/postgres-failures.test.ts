import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { type Failure, isFailure } from "../../core/domain/failure.ts";
import { asRole, never, type Server, useServer } from "./postgres-support.ts";

const changed = (url: string, change: (url: URL) => void): string => {
  const copy = new URL(url);
  change(copy);
  return copy.href;
};

const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const error = await work.then(
    () => assert.fail("did not fail"),
    (reason: unknown) => reason,
  );
  assert.ok(isFailure(error), String(error));
  return error;
};

describe("what can be wrong with a PostgreSQL database", () => {
  let server: Server;
  let url: string;
  let reader: { name: string; password: string };

  before(async () => {
    server = await useServer();
    url = await server.database("wrong");
    reader = await server.role("reader");
    await server.sql(
      url,
      `CREATE TABLE open_one (a int); CREATE TABLE "closed one" (a int); CREATE TABLE hidden (a int); INSERT INTO hidden VALUES (1);
       ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; GRANT SELECT ON open_one, hidden TO ${reader.name}`,
    );
  });
  after(() => server.cleanUp());

  it("each way to be wrong has its own failure, which says where, never the password", async () => {
    const wrongPassword = changed(url, (it) => {
      it.password = "Wr0ng-Secret";
    });
    const cases = [
      ["AuthenticationRejected", wrongPassword, /password authentication failed/],
      ["AuthenticationRejected", changed(url, (it) => (it.username = "nobody_at_all")), /nobody_at_all/],
      ["DatabaseMissing", changed(url, (it) => (it.pathname = "/no_such_db")), /no_such_db/],
      ["DatabaseUnreachable", changed(url, (it) => (it.port = "1")), /127\.0\.0\.1:1 cannot be reached: ECONNREFUSED/],
      ["DatabaseUnreachable", changed(url, (it) => (it.hostname = "no-such-host.invalid")), /no-such-host\.invalid/],
      ["DatabaseUnreachable", `${url}?sslmode=require`, /TLS/],
    ] as const;
    for (const [type, at, text] of cases) {
      const secret = decodeURIComponent(new URL(at).password);
      const attempts = [
        () => postgres.probe(at, never),
        () => postgres.hold(at, never),
        () => postgres.plan(at, "00000001-1", { partBytes: 1 }, never),
      ];
      for (const attempt of attempts) {
        const failure = await failureOf(attempt());
        assert.equal(failure.type, type, failure.message);
        assert.match(failure.message, text);
        assert.ok(!`${failure.message} ${failure.stack} ${JSON.stringify(failure.cause)}`.includes(secret));
      }
    }
  });

  it("a server that accepts and then says nothing is given up when the signal aborts", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address() as { port: number };
    const signal = AbortSignal.timeout(200);
    await assert.rejects(
      postgres.probe(
        changed(url, (it) => (it.port = String(port))),
        signal,
      ),
      { name: "TimeoutError" },
    );
    silent.close();
  });

  it("probe finds missing permissions and rows that are hidden, and does not throw", async () => {
    const probe = await postgres.probe(asRole(url, reader), never);
    assert.deepEqual(
      probe.problems.map(({ type }) => type),
      ["PermissionMissing", "PermissionMissing"],
    );
    assert.match(probe.problems[0]!.message, /may not read public\."closed one": grant it pg_read_all_data/);
    assert.match(probe.problems[1]!.message, /row-level security hides rows of public\.hidden/);
    assert.ok(probe.estimatedBytes > 1_000_000);
    assert.deepEqual((await postgres.probe(url, never)).problems, []);
  });

  it("probe names the client tools that are missing", async () => {
    const saved = { bin: process.env.DBGOV_PG_BIN, path: process.env.PATH };
    process.env.DBGOV_PG_BIN = "/nowhere";
    process.env.PATH = "/nowhere";
    try {
      const { problems } = await postgres.probe(url, never);
      assert.deepEqual(
        problems.map(({ type }) => type),
        ["ClientToolMissing"],
      );
      assert.match(problems[0]!.message, /PostgreSQL 18 or newer are needed.*DBGOV_PG_BIN/);
    } finally {
      process.env.DBGOV_PG_BIN = saved.bin;
      process.env.PATH = saved.path;
    }
  });

  it("hold and plan refuse a role that may not read everything", async () => {
    const failure = await failureOf(postgres.hold(asRole(url, reader), never));
    assert.equal(failure.type, "PermissionMissing");
    assert.match(failure.message, /closed one/);
    const hold = await postgres.hold(url, never);
    const planned = await failureOf(postgres.plan(asRole(url, reader), hold.token, { partBytes: 1 << 20 }, never));
    assert.equal(planned.type, "PermissionMissing");
    await hold.close();
  });

  it("scratch databases of any name come and go, also twice, and never replace the database itself", async () => {
    const name = `test 'odd" é.$1 ${process.pid}`;
    const scratch = await postgres.createScratch(url, name, never);
    await server.sql(scratch, "CREATE TABLE t (a int)");
    const again = await postgres.createScratch(url, name, never);
    const [count] = await server.sql<{ n: string }>(again, "SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'");
    assert.equal(count?.n, "0");
    await postgres.dropScratch(url, name, never);
    await postgres.dropScratch(url, name, never);
    assert.equal((await failureOf(postgres.probe(scratch, never))).type, "DatabaseMissing");
    const itself = new URL(url).pathname.slice(1);
    assert.equal((await failureOf(postgres.createScratch(url, itself, never))).type, "UsageInvalid");
    assert.equal((await failureOf(postgres.dropScratch(url, itself, never))).type, "UsageInvalid");
  });
});

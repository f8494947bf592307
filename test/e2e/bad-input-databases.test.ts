import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { listSnapshots } from "../../core/catalog/read-snapshots.ts";
import type { FailureType } from "../../core/domain/failure.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { openTcpFront, type TcpFront } from "../sample/tcp-front.ts";
import { createSource, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

const reader = { name: "bad_input_reader", password: "reader-Passw0rd-1" };
const wrongPassword = "wrong-Passw0rd-2";

/** What is wrong with a database, and what a person is told. */
const cases: readonly { name: string; what: string; type: FailureType; message: RegExp; code?: number }[] = [
  {
    name: "scheme",
    what: "a URL of another kind of database",
    type: "ConfigurationInvalid",
    code: 2,
    message: /does not start with postgres:\/\//,
  },
  {
    name: "port",
    what: "a port where nothing listens",
    type: "DatabaseUnreachable",
    message: /127\.0\.0\.1:1 cannot be reached: ECONNREFUSED/,
  },
  { name: "host", what: "a host that does not exist", type: "DatabaseUnreachable", message: /nowhere\.invalid.* cannot be reached: E/ },
  {
    name: "web",
    what: "a port where another kind of server answers",
    type: "DatabaseUnreachable",
    message: /127\.0\.0\.1:\d+ closed the connection/,
  },
  { name: "silent", what: "a server that never answers", type: "DatabaseUnreachable", message: /did not answer in time/ },
  {
    name: "password",
    what: "a wrong password",
    type: "AuthenticationRejected",
    message: /password authentication failed for user "bad_input_reader"/,
  },
  {
    name: "lacking",
    what: "a table that the role may not read",
    type: "PermissionMissing",
    message: /may not read public\.secret_table: grant it pg_read_all_data/,
  },
  {
    name: "hidden",
    what: "rows that row-level security hides",
    type: "PermissionMissing",
    message: /row-level security hides rows of public\.t.*BYPASSRLS/,
  },
  { name: "absent", what: "a database that does not exist", type: "DatabaseMissing", message: /database "bad_input_none" does not exist/ },
  {
    name: "mongo-port",
    what: "MongoDB: a port where nothing listens",
    type: "DatabaseUnreachable",
    message: /MongoDB at 127\.0\.0\.1:1.*ECONNREFUSED/,
  },
  {
    name: "mongo-scheme",
    what: "MongoDB: a URL of another kind of database",
    type: "ConfigurationInvalid",
    code: 2,
    message: /mongodb:\/\//,
  },
  {
    name: "mongo-postgres",
    what: "MongoDB: a port where PostgreSQL answers",
    type: "DatabaseUnreachable",
    message: /MongoDB at 127\.0\.0\.1:\d+/,
  },
];

const silentCase = cases.find(({ name }) => name === "silent")!;
const quick = cases.filter((bad) => bad !== silentCase);

describe("bad input: databases", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let cli: WatchedCli;
  let front: TcpFront;
  let waits: TcpFront;
  let silent: Server;
  let source: string;
  const results = new Map<string, Promise<{ code: number; json: { error?: { type: string; message: string } } }>>();
  const admin = (sql: string) => runSql<{ n: number }>(stack.postgres.url, sql);

  /** A backup that stands still in the middle of `a_large`; resolves with its outcome once `meanwhile` is done and all flows again. */
  const whileCapturing = async (database: string, through: TcpFront, meanwhile: () => Promise<unknown>) => {
    const frozen = through.freezeAfter(4_000_000);
    const backup = cli.json("backup", database);
    await Promise.race([frozen, backup.then(({ json }) => assert.fail(`ended before it was stopped: ${JSON.stringify(json)}`))]);
    await meanwhile();
    through.thaw();
    return await backup;
  };
  let dropped: Promise<unknown> = Promise.resolve();
  /** Resolves once the drop of the small table waits for its lock. */
  const dropThatWaits = async (): Promise<void> => {
    const own = new URL(stack.postgres.url);
    own.pathname = "/bad_input_waits";
    dropped = runSql(own.href, "DROP TABLE z_small");
    const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'DROP TABLE z_small' AND wait_event_type = 'Lock'";
    while ((await admin(waiting))[0]?.n !== 1) await delay(50);
  };

  before(async () => {
    stack = await startStack();
    const server = new URL(stack.postgres.url);
    front = await openTcpFront({ host: server.hostname, port: Number(server.port) });
    waits = await openTcpFront({ host: server.hostname, port: Number(server.port) });
    silent = createServer(() => {}).listen(0, "127.0.0.1");
    source = await createSource(stack, "bad_input_large");
    const names = ["bad_input_lacking", "bad_input_hidden", "bad_input_waits"];
    const [lacking, hidden, waiting] = (await Promise.all(names.map((name) => createSource(stack, name)))) as [string, string, string];
    await admin(`DROP ROLE IF EXISTS ${reader.name}; CREATE ROLE ${reader.name} LOGIN PASSWORD '${reader.password}'`);
    await Promise.all([
      ...[source, waiting].map((url) =>
        // Read in the order of their names: the first is large enough to stop in the middle of it.
        runSql(
          url,
          `CREATE TABLE a_large AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 20000) n;
           CREATE TABLE z_small AS SELECT 1 AS n`,
        ),
      ),
      runSql(lacking, `CREATE TABLE t (n int); CREATE TABLE secret_table (n int); GRANT SELECT ON t TO ${reader.name}`),
      runSql(
        hidden,
        `CREATE TABLE t (n int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT SELECT ON t TO ${reader.name}`,
      ),
    ]);
    const as = (url: string, password: string) => Object.assign(new URL(url), { username: reader.name, password }).href;
    const at = (port: unknown, scheme = "postgres", host = "127.0.0.1") => `${scheme}://someone:some-Passw0rd-3@${host}:${port}/db`;
    const urls: Record<string, string> = {
      scheme: at(3306, "mysql"),
      port: at(1),
      host: at(5432, "postgres", "nowhere.invalid"),
      web: at(/BlobEndpoint=http:\/\/[^:]+:(\d+)/.exec(stack.azurite.connectionString)?.[1]),
      silent: at((silent.address() as { port: number }).port),
      password: as(lacking, wrongPassword),
      lacking: as(lacking, reader.password),
      hidden: as(hidden, reader.password),
      absent: Object.assign(new URL(stack.postgres.url), { pathname: "/bad_input_none" }).href,
      large: Object.assign(new URL(source), { port: String(front.port) }).href,
      waits: Object.assign(new URL(waiting), { port: String(waits.port) }).href,
      "mongo-port": "mongodb://someone:some-Passw0rd-3@127.0.0.1:1/db?serverSelectionTimeoutMS=2000",
      "mongo-scheme": at(3306, "mysql"),
      "mongo-postgres": `mongodb://someone:some-Passw0rd-3@127.0.0.1:${server.port}/db?serverSelectionTimeoutMS=2000`,
    };
    test = await createTestSite({
      name: "bad-input-databases",
      stack,
      databases: Object.entries(urls).map(([name, url]) => ({ name, engine: name.startsWith("mongo") ? "mongodb" : "postgres", url })),
      policy: { stores: [], copies: 1, domains: 1, archive: [], patience: "1s" },
      change: (config) => {
        config.anchors = [];
      },
    });
    cli = await openSiteCli(test);
    await test.worker();
    for (const { name } of cases) results.set(name, cli.json("backup", name));
    results.set("waits", whileCapturing("waits", waits, dropThatWaits));
  });
  after(async () => {
    await test?.close();
    await Promise.all([front?.close(), waits?.close()]);
    silent?.close();
    await Promise.all(
      ["bad_input_lacking", "bad_input_hidden", "bad_input_waits", "bad_input_large"].map((name) =>
        admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
      ),
    );
    await admin(`DROP ROLE IF EXISTS ${reader.name}`);
  });

  const assertCase = async ({ name, type, message, code = 1 }: (typeof cases)[number]): Promise<void> => {
    const result = await results.get(name)!;
    assert.deepEqual([result.json.error?.type, result.code], [type, code], JSON.stringify(result.json));
    assert.match(result.json.error!.message, message);
    assert.doesNotMatch(result.json.error!.message, /\n/, "one sentence");
  };
  for (const bad of quick) it(bad.what, () => assertCase(bad));

  it("check says the same of each, and goes on to the next", async () => {
    // In a file beside the worker's, which goes on with all of them.
    const checked = join(dirname(test.config), "checked.yaml");
    const checkOnly = async (names: readonly string[]): Promise<void> => {
      const config = parse(await readFile(test.config, "utf8")) as { databases: { name: string }[] };
      await writeFile(checked, stringify({ ...config, databases: config.databases.filter(({ name }) => names.includes(name)) }));
    };
    await checkOnly(["large", ...quick.map(({ name }) => name)]);
    const { code, json } = await cli.json("check", "--config", checked);
    assert.deepEqual([code, json.ok], [1, false]);
    const found = new Map(
      json.checks.map(({ name, ok, details }: { name: string; ok: boolean; details: string[] }) => [name, { ok, details }]),
    );
    for (const { name, message } of quick) {
      const { ok, details } = found.get(name) as { ok: boolean; details: string[] };
      assert.equal(ok, false, name);
      assert.match(details[0]!, message);
      assert.ok(details.length === 2, "what is wrong, and what to do");
    }
    assert.equal((found.get("large") as { ok: boolean }).ok, true);
    await checkOnly(["password", "large"]);
    const { stdout } = await cli.run("check", "--config", checked);
    assert.match(stdout, /✗ database {4}password .*password authentication failed[^\n]*\n {4}Correct the user or the password/);
  });

  const believed = async (database: string) => (await listSnapshots(await test.site.catalog(), { database })).length;

  it("a table cannot be dropped while it is captured", async () => {
    const { code, json } = await whileCapturing("large", front, async () => {
      await assert.rejects(runSql(source, "SET lock_timeout = '300ms'; DROP TABLE z_small"), /lock timeout/);
    });
    assert.deepEqual([code, json.rows], [0, 20_001], JSON.stringify(json));
  });

  it("the database is dropped while it is captured", async () => {
    // What has not changed since the last snapshot is not read again.
    await runSql(source, "UPDATE a_large SET n = n + 1");
    const { code, json } = await whileCapturing("large", front, () => admin("DROP DATABASE bad_input_large WITH (FORCE)"));
    assert.deepEqual([code, json.error?.type], [1, "DatabaseMissing"], JSON.stringify(json));
    assert.match(json.error.message, /database "bad_input_large" does not exist/);
    assert.equal(await believed("large"), 1, "the snapshot of before");
    const { json: status } = await cli.json("status");
    const large = status.databases.find(({ database }: { database: string }) => database === "large");
    assert.match(large.lastFailure, /^DatabaseMissing: /);
  });

  it("once the database is there again, the next backup is whole", async () => {
    await createSampleDatabase(stack.postgres.url, "bad_input_large");
    await runSql(source, "CREATE TABLE again AS SELECT n FROM generate_series(1, 7) n");
    const { code, json } = await cli.json("backup", "large");
    assert.deepEqual([code, json.rows], [0, 7]);
  });

  it("a drop of a table that waits for its lock makes the capture give way", async () => {
    const { code, json } = await results.get("waits")!;
    assert.deepEqual([code, json.error?.type], [1, "SourceChanged"], JSON.stringify(json));
    assert.match(json.error!.message, /z_small.*another session holds or waits for an exclusive lock on it/);
    assert.equal(await believed("waits"), 0);
    // The capture let go of its locks.
    await dropped;
  });

  // Half a minute: two tries of a quarter each.
  it(silentCase.what, () => assertCase(silentCase));
});

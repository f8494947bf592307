import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Client } from "pg";
import { renderHtml } from "../../core/compliance/render/html.ts";
import { renderText } from "../../core/compliance/render/text.ts";
import { runSweep } from "../../core/compliance/sweep.ts";
import { startTlsFront, type TlsFront } from "../sample/tls-front.ts";
import { useStack } from "../stack/use-stack.ts";
import { emptyRecord } from "../unit/compliance-records.ts";
import { every, findingOf, live, resultsOf, sweep } from "./compliance-postgres-sweep.ts";
import { type PrivatePostgres, startPrivatePostgres, superuserPassword } from "./compliance-private-postgres.ts";

describe("a sweep over a cluster that is set well", () => {
  let server: PrivatePostgres;
  let front: TlsFront;
  let asSuperuser: string;
  let asReader: string;
  let asPlain: string;

  before(async () => {
    const { postgres } = await useStack("postgres");
    server = await startPrivatePostgres(postgres.bin, {
      initdb: ["--data-checksums"],
      settings: { log_connections: "authentication,authorization", log_statement: "ddl", password_encryption: "scram-sha-256" },
      hostRules: ["local all all scram-sha-256", "host all all all scram-sha-256"],
    });
    front = await startTlsFront("postgres", new URL(server.url));
    await server.sql(`CREATE ROLE reader LOGIN PASSWORD '${superuserPassword}' IN ROLE pg_read_all_data;
      CREATE ROLE plain LOGIN PASSWORD '${superuserPassword}';
      CREATE ROLE anon; CREATE ROLE authenticated;
      CREATE TABLE customers (id int PRIMARY KEY, owner text);
      CREATE POLICY own ON customers USING (owner = current_user);
      ALTER TABLE customers ENABLE ROW LEVEL SECURITY; ALTER TABLE customers FORCE ROW LEVEL SECURITY`);
    const urlOf = (role: string) =>
      `postgres://${role}:${superuserPassword}@localhost:${front.port}/postgres?sslmode=verify-full&sslrootcert=${encodeURIComponent(front.authority)}`;
    asSuperuser = urlOf("postgres");
    asReader = urlOf("reader");
    asPlain = urlOf("plain");
  });
  after(async () => {
    await front?.close();
    await server?.stop();
  });

  // The wheel's build of PostgreSQL has no TLS of its own: its setting is judged below, on a build that has.
  const wellSet = { ...every("pass"), "postgres-tls-server": "fail" };

  it("passes every check but that of its own role, as superuser", async () => {
    assert.deepEqual(resultsOf(await sweep(asSuperuser)), { ...wellSet, "postgres-backup-role": "fail" });
  });

  it("passes as a reader too, and says what it may not see", async () => {
    const report = await sweep(asReader);
    assert.deepEqual(resultsOf(report), { ...wellSet, "postgres-host-rules": "inconclusive" });
    assert.deepEqual(findingOf(report, "postgres-host-rules").evidence, {
      error: "permission",
      code: "42501",
      takes: "EXECUTE on pg_hba_file_rules(), which superusers have",
    });
    assert.match(findingOf(report, "postgres-tls-connection").reason, /^The connection uses TLSv1\.3 with TLS_/);
  });

  it("is inconclusive, not passed, where a role without rights may not look", async () => {
    const report = await sweep(asPlain);
    assert.deepEqual(resultsOf(report), { ...wellSet, "postgres-password-hashes": "inconclusive", "postgres-host-rules": "inconclusive" });
    assert.match(findingOf(report, "postgres-password-hashes").reason, /may not read this; it takes SELECT on pg_authid/);
  });

  it("says over a Unix socket that nothing crosses a network", async () => {
    assert.equal(resultsOf(await sweep(server.socketUrl))["postgres-tls-connection"], "not-applicable");
  });

  it("does not take encryption without a verified certificate for a pass", async () => {
    const finding = findingOf(await sweep(asReader.replace(/sslmode=.*/, "sslmode=no-verify")), "postgres-tls-connection");
    assert.equal(finding.result, "fail");
    assert.match(finding.reason, /nobody checks whose certificate/);
  });

  it("finds an override that turns statement logging off for one role", async () => {
    await server.sql("CREATE ROLE quiet LOGIN; ALTER ROLE quiet SET log_statement = 'none'");
    try {
      const finding = findingOf(await sweep(asReader), "postgres-log-statements");
      assert.equal(finding.result, "fail");
      assert.match(finding.reason, /1 override turns that off/);
    } finally {
      await server.sql("DROP ROLE quiet");
    }
  });

  it("fails the version once its last day is over", async () => {
    const report = await sweep(asReader, { now: new Date("2030-11-15T00:00:00Z") });
    assert.equal(resultsOf(report)["postgres-version"], "fail");
  });

  it("gives up on a check that hangs, and goes on with the next over a new connection", async () => {
    const blocker = new Client({ connectionString: server.socketUrl });
    await blocker.connect();
    try {
      await blocker.query("BEGIN; LOCK TABLE pg_catalog.pg_db_role_setting IN ACCESS EXCLUSIVE MODE");
      // Logging in reads this table too, so that the next connection cannot come up either: both are time limits.
      const report = await sweep(asReader, { timeLimitMs: 700 });
      assert.ok(live(report).some(({ result, reason }) => result === "inconclusive" && /took longer than 0.7 s/.test(reason)));
    } finally {
      await blocker.query("ROLLBACK");
      await blocker.query("BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
    }
    try {
      const found = resultsOf(await sweep(asReader, { timeLimitMs: 700 }));
      assert.equal(found["postgres-row-policies-active"], "inconclusive");
      assert.equal(found["postgres-row-security-forced"], "pass");
      assert.equal(found["postgres-version"], "pass");
    } finally {
      await blocker.end();
    }
  });

  it("leaves nothing behind on the server, and never tells user, password, host or port", async () => {
    const report = await sweep(asReader);
    const told = [JSON.stringify(report), renderText(report, { color: false, width: 100 }), renderHtml(report)].join("\n");
    for (const secret of [superuserPassword, "postgres://", "localhost", new URL(asReader).port]) assert.ok(!told.includes(secret), secret);
    const client = new Client({ connectionString: server.socketUrl });
    await client.connect();
    try {
      const deadline = Date.now() + 5_000;
      const left = async () =>
        (await client.query("SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'dbgov sweep'")).rows[0].n;
      while ((await left()) > 0 && Date.now() < deadline);
      assert.equal(await left(), 0);
    } finally {
      await client.end();
    }
  });
});

describe("a sweep over a cluster that is set ill", () => {
  let server: PrivatePostgres;

  before(async () => {
    const { postgres } = await useStack("postgres");
    server = await startPrivatePostgres(postgres.bin, {
      initdb: ["--no-data-checksums"],
      settings: { log_connections: "off", log_statement: "none", password_encryption: "md5" },
      hostRules: ["local all all trust", "host all all all trust"],
    });
    await server.sql(`CREATE ROLE "second boss" SUPERUSER LOGIN PASSWORD 'old';
      GRANT CREATE ON SCHEMA public TO PUBLIC;
      CREATE ROLE anon; CREATE ROLE authenticated;
      CREATE TABLE "open <b>table</b>" (id int);
      CREATE TABLE believed (id int); CREATE POLICY nobody ON believed USING (false);
      CREATE TABLE unforced (id int); ALTER TABLE unforced ENABLE ROW LEVEL SECURITY`);
  });
  after(() => server?.stop());

  it("fails every check that a setting can make fail, and names what it found", async () => {
    const report = await sweep(server.url, { sizeLimitBytes: 1e6 });
    assert.deepEqual(resultsOf(report), { ...every("fail"), "postgres-version": "pass" });
    assert.match(
      findingOf(report, "postgres-exposed-tables").reason,
      /2 exposed tables have no row-level security: public\.believed, public\.open <b>table<\/b>/,
    );
    assert.match(findingOf(report, "postgres-row-policies-active").reason, /not in force on public\.believed\./);
    assert.match(findingOf(report, "postgres-row-security-forced").reason, /public\.unforced\./);
    // initdb set the first superuser's password before the setting was changed.
    assert.match(findingOf(report, "postgres-password-hashes").reason, /1 role has an MD5/);
    assert.match(findingOf(report, "postgres-superusers").reason, /1 more role is superuser/);
    assert.match(findingOf(report, "postgres-host-rules").reason, /lines 1 \(trust\), 2 \(trust\)/);
    assert.ok(!renderHtml(report).includes("<b>table</b>"), "names of tables are escaped in the page");
  });
});

const systemPostgres = globSync("/usr/lib/postgresql/*/bin").at(-1);

describe("a sweep over a server with TLS of its own", {
  skip: systemPostgres === undefined && "no PostgreSQL of the system's, and the wheel's has no TLS",
}, () => {
  it("passes both transport checks", async () => {
    await useStack("postgres");
    const server = await startPrivatePostgres(systemPostgres!, {
      initdb: ["--data-checksums"],
      tls: true,
      settings: {},
      hostRules: ["local all all trust", "hostssl all all all scram-sha-256"],
    });
    try {
      const found = resultsOf(await sweep(`${server.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(server.authority)}`));
      assert.equal(found["postgres-tls-connection"], "pass");
      assert.equal(found["postgres-tls-server"], "pass");
    } finally {
      await server.stop();
    }
  });
});

describe("a sweep over the shared server", () => {
  it("gives the same findings twice, and applies row security checks only where there is something to judge", async () => {
    const { postgres } = await useStack("postgres");
    const admin = new Client({ connectionString: postgres.url });
    await admin.connect();
    const name = `sweep_${process.pid}`;
    try {
      await admin.query(`CREATE DATABASE ${name}`);
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      const first = await sweep(url.href);
      const found = resultsOf(first);
      assert.equal(found["postgres-row-policies-active"], "not-applicable");
      assert.equal(found["postgres-row-security-forced"], "not-applicable");
      assert.equal(found["postgres-tls-connection"], "fail");
      assert.equal(found["postgres-data-checksums"], "pass");
      const withoutLimit = await runSweep({
        databases: [{ name: "shop", engine: "postgres", url: url.href }],
        record: emptyRecord,
        now: new Date(first.at),
        frameworks: [],
        signal: new AbortController().signal,
      });
      assert.equal(resultsOf(withoutLimit)["postgres-size"], "not-applicable");
      // Cluster-wide roles come and go with other tests; what belongs to this database does not.
      assert.deepEqual(
        live(await sweep(url.href)).map(({ id }) => id),
        live(first).map(({ id }) => id),
      );
    } finally {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.end();
    }
  });
});

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import type { RoleFacts } from "../../core/databases/postgres/role-facts.ts";
import { restoreSnapshot } from "../../core/snapshot/restore-snapshot.ts";
import { hasPostgresVersions } from "../stack/setup/postgres-versions.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import {
  admin,
  createContent,
  createPolicy,
  createRoles,
  dropRoles,
  group,
  login,
  nameOf,
  owner,
  prefix,
  readable,
} from "./postgres-named-roles.ts";
import { asRole, type Captured, capture, restore, type Server, useServer } from "./postgres-support.ts";
import { startVersion, type VersionServer } from "./postgres-version-server.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

describe("roles of a database", { skip: !hasPostgresVersions }, () => {
  let server: Server;
  let other: VersionServer;
  let source: string;
  let captured: Captured;
  /** Of a database without policies. */
  let plain: Captured;

  before(async () => {
    server = await useServer();
    // It logs all that it is told, so that what it must not be told can be looked for.
    other = await startVersion(18, server.bin, { logging_collector: "on", log_statement: "all", log_min_duration_statement: "0" });
    source = await server.database("roles");
    await server.sql(source, createRoles);
    await server.sql(source, createContent(nameOf(source)));
    plain = await capture(source, 1 << 30);
    await server.sql(source, createPolicy);
    captured = await capture(source, 1 << 30);
  });

  afterEach(async () => {
    await other.server.cleanUp();
    await dropRoles(other.server);
  });
  after(async () => {
    await server.cleanUp();
    await dropRoles(server);
    await other.stop();
  });

  const rolesText = async (at: Server): Promise<string[]> =>
    (await at.run("pg_dumpall", at.url, "--roles-only"))
      .toString("utf8")
      .split("\n")
      .filter((line) => line.includes(prefix));
  const createText = async (at: Server, url: string): Promise<string[]> =>
    (await dumpText(at, url, "--create")).map((line) =>
      line.replaceAll(nameOf(url), "DATABASE").replace(/(^-- Dumped from database version 18).*/, "$1"),
    );
  const namesAt = async (at: Server): Promise<string[]> =>
    (await at.sql<{ name: string }>(at.url, `SELECT rolname AS name FROM pg_roles WHERE rolname LIKE '${prefix} %' ORDER BY 1`)).map(
      ({ name }) => name,
    );
  const streamOf = ({ parts }: Captured): string => Buffer.concat(parts.get("roles")!).toString("utf8");
  let restorers = 0;
  /** A database of a role's own on the other server. */
  const targetOf = async (options: string): Promise<string> => {
    const restorer = { name: `${prefix}_restorer_${restorers++}`, password: "to restore" };
    await other.server.sql(other.server.url, `CREATE ROLE ${restorer.name} ${options} PASSWORD '${restorer.password}'`);
    const url = await other.server.database("target");
    await other.server.sql(url, `ALTER DATABASE ${nameOf(url)} OWNER TO ${restorer.name}`);
    return asRole(url, restorer);
  };

  it("come along to a server without them: pg_dumpall and pg_dump --create say the same there", async () => {
    const copy = await other.server.database("roles_copy");
    const notes = await restore(copy, captured);
    assert.deepEqual(await rolesText(other.server), await rolesText(server));
    assert.equal((await rolesText(server)).filter((line) => line.includes("SCRAM-SHA-256$")).length, 2);
    assertSameDump(await createText(other.server, copy), await createText(server, source));
    assert.equal(notes.length, 1);
    assert.match(notes[0]!, /^Roles that the target lacks are created: /);
    const [log] = await other.server.sql<{ text: string }>(other.server.url, "SELECT pg_read_file(pg_current_logfile()) AS text");
    assert.match(log!.text, /COPY "app"\."t"/);
    assert.doesNotMatch(log!.text, /SCRAM-SHA-256\$/);
    for (const name of ['own "er" é', "group, all", "admin", "log\\in", "guarded"]) assert.ok(notes[0]!.includes(readable(name)), name);
    assert.deepEqual(await restore(copy, captured, { replace: true }), []);
    assertSameDump(await createText(other.server, copy), await createText(server, source));
  });

  it("are not created where that is not wished", async () => {
    const copy = await other.server.database("no_roles");
    const notes = await restore(copy, plain, { withoutRoles: true });
    assert.deepEqual(await namesAt(other.server), []);
    assert.equal(notes[0], "Roles that the target lacks are not created, as --no-roles says.");
    assert.match(notes[1]!, /^Owners and grants were not restored, since these roles are missing on the target/);
    await assert.rejects(restore(await other.server.database("no_policies"), captured, { withoutRoles: true }), /and without --no-roles/);
    assert.deepEqual(await namesAt(other.server), []);
  });

  it("are granted without the grantor where that one may not grant", async () => {
    await other.server.sql(other.server.url, `CREATE ROLE ${admin} CREATEROLE REPLICATION BYPASSRLS LOGIN`);
    const notes = await restore(await other.server.database("grantor"), captured);
    assert.match(notes.join("\n"), /^Roles that the target has already .* admin \(no member of .*group, all\)\.$/m);
    assert.doesNotMatch(notes.join("\n"), /did not allow/);
    const granted = (await rolesText(other.server)).filter((line) => line.startsWith(`GRANT ${group} TO ${login} `));
    assert.deepEqual(granted, [`GRANT ${group} TO ${login} WITH INHERIT TRUE, SET FALSE GRANTED BY postgres;`]);
  });

  it("are in a stream of their own, and passwords nowhere else", async () => {
    assert.match(streamOf(captured), /SCRAM-SHA-256\$/);
    assert.doesNotMatch(JSON.stringify(captured.plan), /SCRAM-SHA-256/);
    assert.doesNotMatch((await restore(await other.server.database("words"), captured)).join(), /SCRAM-SHA-256/);
    const definitions = captured.plan.streams
      .filter(({ kind }) => kind === "definition")
      .map(({ name, target }) => ({ name, target, content: Buffer.concat(captured.parts.get(name)!) }));
    const compared = postgres.comparison.definitions(definitions);
    assert.match(compared.get(`role ${readable("log\\in")}`)!, /"member":.*log/);
    assert.doesNotMatch([...compared.values()].join(), /SCRAM-SHA-256/);
    assert.match(captured.plan.notes.join("\n"), /those are part of the snapshot that this database names/);
    assert.doesNotMatch(captured.plan.notes.join("\n"), /Passwords/);
  });

  it("stay as they are where the target has them, and what differs is named", async () => {
    await other.server.sql(
      other.server.url,
      `CREATE ROLE ${owner} CREATEDB NOINHERIT; CREATE ROLE ${login} LOGIN CONNECTION LIMIT 3 PASSWORD 'own' VALID UNTIL '2031-02-03 04:05:06+00'`,
    );
    const before = await rolesText(other.server);
    const notes = await restore(await other.server.database("there"), captured);
    const after = await rolesText(other.server);
    for (const line of before) assert.ok(after.includes(line), line);
    assert.ok(
      notes.some((note) =>
        note.endsWith(
          `: ${readable("log\\in")} (CONNECTION LIMIT 3, other settings, no member of pg_monitor, no member of ${readable("group, all")}).`,
        ),
      ),
      notes.join("\n"),
    );
    assert.equal(after.filter((line) => line.startsWith("GRANT") && line.includes(`TO ${login} `)).length, 0);
  });

  it("are left out by a plain restoring role, which says so in one note and does not fail", async () => {
    const url = await targetOf("LOGIN");
    const notes = await restore(url, plain);
    assert.deepEqual(await namesAt(other.server), []);
    assert.equal(notes.length, 4, notes.join("\n"));
    const [rest, owners, settings, rights] = notes as [string, string, string, string];
    assert.equal(
      rest,
      `Roles that the target lacks, and that the restoring role may not create, were left out: ${readable("admin")}, ${readable("log\\in")}.`,
    );
    assert.match(owners, /^Owners and grants were not restored, .*own "er" é.* To have them, restore as a superuser/);
    assert.match(settings, /^Not set on the database, .*work_mem of .*log\\in/);
    assert.match(rights, /^Of the database, the owner .*, its grants could not be restored/);
    assert.deepEqual(await other.server.sql(url, "SELECT * FROM app.t ORDER BY id"), [
      { id: 1, note: "one" },
      { id: 2, note: "two" },
    ]);
    const fresh = await targetOf("LOGIN");
    await assert.rejects(restore(fresh, captured), {
      type: "RestoreFailed",
      message: /cannot create them: create .*group, all first, or restore as a superuser/,
    });
    assert.deepEqual(await other.server.sql(fresh, "SELECT nspname FROM pg_namespace WHERE nspname = 'app'"), []);
  });

  it("are created by a role with CREATEROLE, but for what it may not give", async () => {
    const url = await targetOf("LOGIN CREATEROLE");
    const notes = (await restore(url, captured)).join("\n");
    assert.equal((await namesAt(other.server)).length, 5);
    assert.ok(
      notes.includes(
        `Created without what the restoring role may not give: ${readable("admin")} (REPLICATION, BYPASSRLS), ${readable("guarded")} (SUPERUSER), ${readable('own "er" é')} (CREATEDB).`,
      ),
      notes,
    );
    assert.match(notes, /^Owners and grants were not restored/m);
    const verifier = (
      await other.server.sql<{ v: string }>(
        other.server.url,
        `SELECT rolpassword AS v FROM pg_authid WHERE rolname = '${readable("log\\in")}'`,
      )
    )[0]!.v;
    assert.ok(streamOf(captured).includes(verifier));
  });

  it("come without passwords where the reading role may not see them, and say so", async () => {
    const reader = { name: `${prefix}_reader`, password: "to read" };
    await server.sql(source, `CREATE ROLE ${reader.name} LOGIN BYPASSRLS PASSWORD '${reader.password}'`);
    await server.sql(
      source,
      `GRANT CONNECT ON DATABASE ${nameOf(source)} TO ${reader.name}; GRANT USAGE ON SCHEMA app TO ${reader.name}; GRANT SELECT ON app.t TO ${reader.name}`,
    );
    const unseen = await capture(asRole(source, reader), 1 << 30);
    await server.sql(source, `DROP OWNED BY ${reader.name}`);
    const facts = JSON.parse(streamOf(unseen)) as RoleFacts;
    assert.equal(facts.verifiersKnown, false);
    assert.ok(facts.roles.every(({ verifier }) => verifier === null));
    assert.match(unseen.plan.notes.join("\n"), /Passwords of \d+ roles that may log in are not part of the snapshot/);
    const notes = (await restore(await other.server.database("unseen"), unseen)).join("\n");
    assert.match(notes, /does not hold the passwords of .*log\\in.*: they have none until you set one/);
    const withPassword = await other.server.sql(
      other.server.url,
      `SELECT FROM pg_authid WHERE rolname LIKE '${prefix}%' AND rolpassword IS NOT NULL`,
    );
    assert.equal(withPassword.length, 0);
  });

  it("keep a restore that needs them from being begun, which is not called incomplete then", async () => {
    const repository = await openRepository();
    try {
      const snapshot = await repository.capture("postgres", source);
      const job = { ...snapshot, engine: "postgres", url: await targetOf("LOGIN"), replace: false, parallelism: 1 } as const;
      const started = restoreSnapshot({ ...job, progress: { resume: false } }, jobContext());
      await assert.rejects(started, (error: Error) => /create .*group, all first/.test(error.message) && !/incomplete/.test(error.message));
      const drill = { ...job, url: await other.server.database("drill"), scratch: true } as const;
      assert.equal((await restoreSnapshot(drill, jobContext())).identical, true);
      assert.deepEqual(await namesAt(other.server), []);
    } finally {
      await repository.remove();
    }
  });

  it("are not made for a scratch database, whose policies are left out then", async () => {
    const scratch = await other.server.database("scratch");
    const before = await other.server.sql(other.server.url, "SELECT count(*) FROM pg_shdepend WHERE dbid = 0");
    const notes = (await restore(scratch, captured, { scratch: true })).join("\n");
    assert.match(notes, /^Policies were left out, .*group, all\.$/m);
    assert.deepEqual(await namesAt(other.server), []);
    assert.deepEqual(await other.server.sql(scratch, "SELECT polname FROM pg_policy"), []);
    assert.deepEqual(await other.server.sql(other.server.url, "SELECT count(*) FROM pg_shdepend WHERE dbid = 0"), before);
    // Where the roles are, scratch databases have policies, but not the owner, who could not be the one to drop them.
    const here = await server.database("scratch");
    await restore(here, captured, { scratch: true });
    assert.equal((await server.sql(here, "SELECT polname FROM pg_policy")).length, 1);
    const [owned] = await server.sql<{ owner: string }>(
      here,
      "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()",
    );
    assert.equal(owned?.owner, "postgres");
  });

  it("are not made for chosen tables, nor by a snapshot of an older release, which has none", async () => {
    const some = await other.server.database("some");
    await restore(some, plain, { part: { by: "name", only: ["app.t"] } });
    const older = { ...plain, plan: { ...plain.plan, streams: plain.plan.streams.filter(({ name }) => name !== "roles") } };
    const notes = await restore(await other.server.database("older"), older);
    assert.match(notes.join("\n"), /^Owners and grants were not restored/m);
    assert.deepEqual(await namesAt(other.server), []);
  });
});

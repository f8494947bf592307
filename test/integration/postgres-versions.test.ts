import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { hasPostgresVersions, postgresMajors } from "../stack/setup/postgres-versions.ts";
import { useStack } from "../stack/use-stack.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { capture, restore, type Server } from "./postgres-support.ts";
import { startVersion, type VersionServer } from "./postgres-version-server.ts";

const role = { a: '"Role ""A"""', b: "role_b" };

/** The statements of the torture database that this version knows, and, from 14 on, those of the ugly one. */
const statementsFor = async (major: number, tablespace: string): Promise<string> => {
  const read = (name: string) => readFile(join(import.meta.dirname, name), "utf8");
  const [first, ...sections] = (await read("postgres-torture.sql")).split(/^-- SINCE (?=\d+$)/m);
  const known = sections.filter((section) => Number.parseInt(section, 10) <= major).map((section) => section.replace(/^\d+/, ""));
  const ugly = major >= 14 ? await read("postgres-ugly.sql") : "";
  return [ugly, first, ...known]
    .join("\n")
    .replaceAll("ROLE_A", role.a)
    .replaceAll("ROLE_B", role.b)
    .replaceAll(" TABLESPACE TABLESPACE", ` TABLESPACE ${tablespace}`)
    .replaceAll("SUBSCRIPTION SUBSCRIPTION", "SUBSCRIPTION from_afar")
    .replaceAll("COMPRESSION_CLAUSE", major >= 14 ? "COMPRESSION pglz" : "");
};

describe("a snapshot of an older version", { skip: !hasPostgresVersions }, () => {
  it("of PostgreSQL 13 restores into 18 with the same rows", async () => {
    const { bin } = (await useStack("postgres")).postgres;
    const [old, recent] = await Promise.all([startVersion(13, bin), startVersion(18, bin)]);
    try {
      const captured = await capture(await createTorture(old, 13), 1 << 30);
      await recent.server.sql(recent.server.url, `CREATE ROLE ${role.a}; CREATE ROLE ${role.b}`);
      await recent.tablespace("elsewhere space");
      const copy = await recent.server.database("from_13");
      assert.deepEqual(await restore(copy, captured), []);
      const again = await capture(copy, 1 << 30);
      for (const { name, kind } of captured.plan.streams)
        if (kind === "rows" || name === "sequences" || name === "materialized views" || name === "large object definitions")
          assert.deepEqual(again.parts.get(name), captured.parts.get(name), name);
      const older = await old.server.database("from_18");
      await assert.rejects(restore(older, again), {
        type: "EngineUnsupported",
        message: /is PostgreSQL 13, the snapshot is of PostgreSQL 18/,
      });
    } finally {
      await Promise.all([old.stop(), recent.stop()]);
    }
  });
});

describe("a database with everything that pg_dump can carry", { skip: !hasPostgresVersions }, () => {
  let bin: string;
  before(async () => {
    bin = (await useStack("postgres")).postgres.bin;
  });

  for (const major of postgresMajors)
    it(`comes back as it was on PostgreSQL ${major}`, async () => {
      const version = await startVersion(major, bin);
      try {
        await roundTrip(version, major);
      } finally {
        await version.stop();
      }
    });
});

/** Creates it in a database of that server, and reads it as workers would. */
const createTorture = async ({ server, tablespace }: VersionServer, major: number): Promise<string> => {
  const source = await server.database("torture");
  await server.sql(server.url, `CREATE ROLE ${role.a}; CREATE ROLE ${role.b}`);
  await tablespace("elsewhere space");
  const folder = await mkdtemp(join(tmpdir(), "dbgov-torture-"));
  const script = join(folder, "torture.sql");
  await writeFile(script, await statementsFor(major, '"elsewhere space"'));
  const name = decodeURIComponent(new URL(source).pathname.slice(1));
  await server.sql(
    source,
    `COMMENT ON DATABASE ${name} IS 'it''s \\ torture'; ALTER DATABASE ${name} SET search_path = "A b", public, 'it''s'; ALTER DATABASE ${name} SET work_mem = '7MB';
     ALTER DATABASE ${name} SET "my.own" = 'x, "y"'; ALTER ROLE ${role.a} IN DATABASE ${name} SET search_path = ''; ALTER ROLE ${role.a} IN DATABASE ${name} SET DateStyle = 'SQL, DMY'`,
  );
  await server.run("psql", source, "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", script);
  await rm(folder, { recursive: true });
  return source;
};

const readFactsOf = async (server: Server, url: string) =>
  (
    await server.sql<{ comment: string; settings: string[] }>(
      url,
      `SELECT shobj_description(d.oid, 'pg_database') AS comment,
         ARRAY(SELECT s.setrole::regrole || ': ' || c FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = d.oid ORDER BY 1) AS settings
       FROM pg_database d WHERE datname = current_database()`,
    )
  )[0];

/** Restored into the same version, pg_dump must say the same of both, also when the copy is replaced by itself. */
const roundTrip = async (version: VersionServer, major: number): Promise<void> => {
  const { server } = version;
  const source = await createTorture(version, major);
  const captured = await capture(source, 1 << 30);
  const copy = await server.database("torture_copy");
  const notes = await restore(copy, captured);
  // The pg_dump at hand names options of subscriptions that older servers do not know.
  if (major >= 16) assert.deepEqual(notes, []);
  else assert.match(notes.join("\n"), /^Subscriptions were not restored \(from_afar\): pg_dump \d+ wrote them/);
  const options = major >= 16 ? [] : ["--no-subscriptions"];
  const expected = await dumpText(server, source, ...options);
  assertSameDump(await dumpText(server, copy, ...options), expected);
  const settings = async (url: string) => readFactsOf(server, url);
  assert.deepEqual(await settings(copy), await settings(source));
  assert.equal((await settings(copy))!.settings.length, 5);
  await restore(copy, captured, { replace: true });
  assertSameDump(await dumpText(server, copy, ...options), expected);
  await server.cleanUp();
};

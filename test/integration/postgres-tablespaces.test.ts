import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { hasPostgresVersions } from "../stack/setup/postgres-versions.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { asRole, type Captured, capture, restore, type Server, useServer } from "./postgres-support.ts";
import { startVersion, type VersionServer } from "./postgres-version-server.ts";

describe("tablespaces of a restored database", { skip: !hasPostgresVersions }, () => {
  let server: Server;
  let other: VersionServer;
  let source: string;
  let captured: Captured;

  before(async () => {
    server = await useServer();
    other = await startVersion(18, server.bin);
    for (const name of ["old é", "old two", "new one"]) await other.tablespace(name);
    source = await other.server.database("spaces");
    await other.server.sql(
      source,
      `CREATE TABLE a (id int PRIMARY KEY USING INDEX TABLESPACE "old two") TABLESPACE "old é"; CREATE INDEX i ON a (id) TABLESPACE "old é";
       CREATE TABLE p (id int) PARTITION BY RANGE (id) TABLESPACE "old two"; CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
       CREATE MATERIALIZED VIEW m TABLESPACE "old é" AS SELECT * FROM a; CREATE TABLE plain (id int); INSERT INTO a VALUES (1); INSERT INTO p VALUES (2)`,
    );
    captured = await capture(source, 1 << 30);
  });
  after(async () => {
    await server.cleanUp();
    await other.stop();
  });

  it("are the chosen ones, and the others as they were", async () => {
    const copy = await other.server.database("chosen");
    assert.deepEqual(await restore(copy, captured, { tablespaces: [{ from: "old é", to: "new one" }] }), []);
    const renamed = (lines: string[]): string[] => lines.map((line) => line.replace(Buffer.from("old é").toString("latin1"), "new one"));
    const expected = renamed(await dumpText(other.server, source));
    assert.ok(expected.includes("SET default_tablespace = 'new one';") || expected.includes(`SET default_tablespace = "new one";`));
    assertSameDump(await dumpText(other.server, copy), expected);
    const both = await other.server.database("both");
    const all = ["old é", "old two"].map((from) => ({ from, to: "pg_default" }));
    assert.deepEqual(await restore(both, captured, { tablespaces: all }), []);
    assert.deepEqual(await other.server.sql(both, "SELECT relname FROM pg_class WHERE reltablespace <> 0 AND oid >= 16384"), []);
    assert.deepEqual(await other.server.sql(both, "SELECT id FROM a UNION ALL SELECT id FROM p"), [{ id: 1 }, { id: 2 }]);
  });

  it("are the database's default one where the target lacks them, and only for these", async () => {
    const copy = await server.database("lacking");
    assert.deepEqual(await restore(copy, captured), [
      "What was in the tablespaces old two, old é was restored into the database's default one, since the target lacks them or the restoring role may not use them (--tablespace OLD=NEW chooses another).",
    ]);
    const plain = await other.server.role("plain");
    await other.server.sql(other.server.url, `GRANT CREATE ON TABLESPACE "old two" TO ${plain.name}`);
    const own = await other.server.database("own");
    await other.server.sql(own, `ALTER DATABASE ${new URL(own).pathname.slice(1)} OWNER TO ${plain.name}`);
    const notes = await restore(asRole(own, plain), captured);
    assert.match(notes.join("\n"), /^What was in the tablespaces old é was restored/m);
    const placed = await other.server.sql(
      own,
      "SELECT DISTINCT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.oid >= 16384",
    );
    assert.deepEqual(placed, [{ spcname: "old two" }]);
    const refused = restore(asRole(own, plain), captured, { replace: true, tablespaces: [{ from: "old é", to: "new one" }] });
    await assert.rejects(refused, { type: "UsageInvalid", message: /may not create in the tablespace new one/ });
    await other.server.sql(own, "SELECT FROM a");
  });

  it("are refused before anything is written where the choice cannot be followed", async () => {
    const copy = await server.database("refused");
    await assert.rejects(restore(copy, captured, { tablespaces: [{ from: "nowhere", to: "pg_default" }] }), {
      type: "UsageInvalid",
      message: "the snapshot has nothing in a tablespace nowhere: it has old two, old é",
    });
    for (const to of ["nowhere", "pg_global"])
      await assert.rejects(restore(copy, captured, { tablespaces: [{ from: "old é", to }] }), {
        type: "UsageInvalid",
        message: new RegExp(`has no tablespace ${to}: it has pg_default`),
      });
    assert.deepEqual(await server.sql(copy, "SELECT relname FROM pg_class WHERE relname = 'a'"), []);
  });
});

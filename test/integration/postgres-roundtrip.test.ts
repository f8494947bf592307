import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { type Captured, capture, collect, never, restore, type Server, useServer } from "./postgres-support.ts";

describe("an ugly PostgreSQL database comes back as it was", () => {
  let server: Server;
  let source: string;
  let captured: Captured;
  let role: { name: string };

  before(async () => {
    server = await useServer();
    source = await server.database("ugly");
    role = await server.role("a", "NOLOGIN");
    const script = await readFile(join(import.meta.dirname, "postgres-ugly.sql"), "utf8");
    await server.sql(source, script.replaceAll("ROLE_A", `"${role.name}"`));
    captured = await capture(source, 1 << 30);
  });
  after(() => server.cleanUp());

  it("plans every table, by a readable name that is unique", () => {
    const names = captured.plan.streams.map((stream) => stream.name);
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual(names.slice(0, 4), ["schema", "sequences", "materialized views", "large object definitions"]);
    for (const name of ["app.every_type", "app.without_columns", '"Odd ""Schema"" é.$1"."Tab.le ""x"" \\ $2"', "app.parts_2025_odd"])
      assert.ok(names.includes(name), name);
    for (const name of ["app.parts", "app.birds", "app.b_counts"]) assert.ok(!names.includes(name), name);
  });

  it("reads the very bytes that psql's COPY gives", async () => {
    for (const stream of captured.plan.streams.filter(({ kind, name }) => kind === "rows" && name !== "large objects")) {
      const { table, columns } = stream.target as { table: string; columns: string[] };
      const list = columns.length === 0 ? "" : ` (${columns.join(", ")})`;
      const expected = await server.run("psql", source, "-qc", `COPY ${table}${list} TO STDOUT`);
      assert.ok(Buffer.concat(captured.parts.get(stream.name)!).equals(expected), stream.name);
    }
  });

  it("restores all of it: pg_dump of the copy equals that of the source", async () => {
    const copy = await server.database("ugly_copy");
    const notes = await restore(copy, captured);
    assert.deepEqual(notes, []);
    assertSameDump(await dumpText(server, copy), await dumpText(server, source));
  });

  it("replaces what is there, and nothing of it remains", async () => {
    const copy = await server.database("ugly_replaced");
    await server.sql(
      copy,
      `CREATE SCHEMA old; CREATE TABLE old.t (a int); CREATE TABLE public.orders (a int); CREATE EXTENSION hstore;
      CREATE FUNCTION old.e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION old.e();
      CREATE PUBLICATION p FOR ALL TABLES; SELECT lo_create(0)`,
    );
    await assert.rejects(restore(copy, captured), { type: "TargetNotEmpty", message: /is not empty: it holds .*table old\.t/ });
    await restore(copy, captured, { replace: true });
    assertSameDump(await dumpText(server, copy), await dumpText(server, source));
    await restore(copy, captured, { replace: true });
    assertSameDump(await dumpText(server, copy), await dumpText(server, source));
  });

  it("reads a restored stream back with the bytes that were captured", async () => {
    const copy = await server.database("ugly_back");
    const { streams } = captured.plan;
    const definitions = streams
      .filter(({ kind }) => kind === "definition")
      .map((stream) => ({ name: stream.name, target: stream.target, content: Buffer.concat(captured.parts.get(stream.name)!) }));
    const restoration = await postgres.restore(copy, { replace: false, definitions, parallelism: 2 }, never);
    await restoration.prepare();
    const rows = streams.filter(({ kind }) => kind === "rows");
    await Promise.all(
      rows.map(async (stream) => {
        for (const content of captured.parts.get(stream.name)!)
          await restoration.write(
            stream,
            (async function* () {
              yield content;
            })(),
          );
      }),
    );
    await restoration.finish();
    for (const stream of rows)
      assert.ok((await collect(restoration.readBack(stream))).equals(Buffer.concat(captured.parts.get(stream.name)!)), stream.name);
    await restoration.close();
  });

  it("leaves owners and grants out where their roles are missing, and says so", async () => {
    const copy = await server.database("ugly_unowned");
    const withoutPolicies: Captured = {
      ...captured,
      plan: {
        ...captured.plan,
        streams: captured.plan.streams.map((stream) =>
          stream.name === "schema"
            ? {
                ...stream,
                target: { ...(stream.target as object), roles: { owners: ["nobody_of_this_name"], grantees: [], policies: [] } },
              }
            : stream,
        ),
      },
    };
    const notes = await restore(copy, withoutPolicies);
    assert.match(notes.join("\n"), /Owners and grants were not restored.*nobody_of_this_name/);
    const [owned] = await server.sql<{ owner: string }>(copy, "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'owned'");
    assert.equal(owned?.owner, "postgres");
  });

  it("refuses a target without the roles that policies name", async () => {
    const copy = await server.database("ugly_roleless");
    const changed: Captured = {
      ...captured,
      plan: {
        ...captured.plan,
        streams: captured.plan.streams.map((stream) =>
          stream.name === "schema"
            ? { ...stream, target: { ...(stream.target as object), roles: { owners: [], grantees: [], policies: ["missing_role"] } } }
            : stream,
        ),
      },
    };
    await assert.rejects(restore(copy, changed), { type: "RestoreFailed", message: /create missing_role first/ });
  });
});

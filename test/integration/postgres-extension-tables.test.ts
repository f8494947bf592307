import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { capture, restore, type Server, useServer } from "./postgres-support.ts";

/** What an extension of the user's own creates: tables with rows of its own, and tables for the user's. */
const script = `
  CREATE TABLE @extschema@.settings (name text PRIMARY KEY, value text, builtin bool NOT NULL DEFAULT false);
  INSERT INTO @extschema@.settings VALUES ('shipped', 'as it came', true);
  SELECT pg_extension_config_dump('@extschema@.settings', 'WHERE NOT builtin');
  CREATE SEQUENCE @extschema@.numbers; SELECT pg_extension_config_dump('@extschema@.numbers', '');
  CREATE TABLE @extschema@.entries (id int DEFAULT nextval('@extschema@.numbers'), note text);
  SELECT pg_extension_config_dump('@extschema@.entries', '');
  CREATE TABLE @extschema@.internal (note text); INSERT INTO @extschema@.internal VALUES ('shipped');`;

describe("configuration tables of extensions", () => {
  let server: Server;
  let folder: string;

  before(async () => {
    server = await useServer();
    folder = await mkdtemp(join(tmpdir(), "dbgov-extension-"));
    await chmod(folder, 0o755);
    await mkdir(join(folder, "extension"), { mode: 0o755 });
    await writeFile(join(folder, "extension", "settled.control"), "default_version = '1'\nrelocatable = false\n");
    await writeFile(join(folder, "extension", "settled--1.sql"), script);
  });
  after(async () => {
    await server.cleanUp();
    await rm(folder, { recursive: true });
  });

  const database = async (base: string): Promise<string> => {
    const url = await server.database(base);
    await server.sql(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET extension_control_path = '${folder}:$system'`);
    return url;
  };

  it("come back with the user's rows beside the extension's own, with and without a condition", async () => {
    const source = await database("settled");
    await server.sql(
      source,
      `CREATE SCHEMA kept; CREATE EXTENSION settled SCHEMA kept; INSERT INTO kept.settings VALUES ('mine', E'a\\tb', false);
       INSERT INTO kept.entries (note) VALUES ('one'), ('two'); UPDATE kept.internal SET note = 'changed, and nobody says so';
       CREATE TABLE public.of_mine (name text REFERENCES kept.settings); INSERT INTO public.of_mine VALUES ('mine')`,
    );
    const captured = await capture(source, 1 << 30);
    assert.equal(Buffer.concat(captured.parts.get("kept.settings")!).toString(), "mine\ta\\tb\tf\n");
    const copy = await database("settled_copy");
    for (const replace of [false, true]) {
      assert.deepEqual(await restore(copy, captured, { replace }), []);
      assertSameDump(await dumpText(server, copy), await dumpText(server, source));
      assert.deepEqual(
        await server.sql(
          copy,
          "SELECT name FROM kept.settings UNION ALL SELECT note FROM kept.internal UNION ALL SELECT last_value::text FROM kept.numbers",
        ),
        [{ name: "shipped" }, { name: "mine" }, { name: "shipped" }, { name: "2" }],
      );
    }
  });
});

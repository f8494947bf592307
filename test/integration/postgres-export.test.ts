import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ExportJob, exportSnapshot } from "../../core/snapshot/export-snapshot.ts";
import type { SnapshotSource } from "../../core/snapshot/snapshot-reader.ts";
import { type Server, useServer } from "./postgres-support.ts";
import { jobContext, openRepository } from "./stored-snapshot.ts";

describe("a PostgreSQL snapshot as an archive of pg_dump", () => {
  let server: Server;
  let source: string;
  let snapshot: SnapshotSource;
  let folder: string;
  let repository: Awaited<ReturnType<typeof openRepository>>;

  before(async () => {
    server = await useServer();
    repository = await openRepository();
    folder = await mkdtemp(join(tmpdir(), "dbgov-export-"));
    source = await server.database("export_source");
    const role = await server.role("x", "NOLOGIN");
    const script = await readFile(join(import.meta.dirname, "postgres-ugly.sql"), "utf8");
    await server.sql(source, script.replaceAll("ROLE_A", `"${role.name}"`));
    await server.sql(source, "SELECT lo_from_bytea(0, decode(repeat('00ff', 100000), 'hex')), lo_create(0)");
    snapshot = await repository.capture("postgres", source, 1 << 20);
  });
  after(async () => {
    await server?.cleanUp();
    await repository?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const exported = (name: string, choice: ExportJob["choice"] = { only: [], except: [] }) =>
    exportSnapshot({ ...snapshot, folder: join(folder, name), parallelism: 2, choice }, jobContext());
  const dump = async (url: string): Promise<string> =>
    (await server.run("pg_dump", url)).toString().replaceAll(/^\\(un)?restrict .*$/gm, "");

  it("is restored by pg_restore, one job or several, and pg_dump of the copy equals that of the source", async () => {
    const result = await exported("whole");
    assert.match(result.load, /^pg_restore /);
    const expected = await dump(source);
    for (const jobs of ["--jobs=1", "--jobs=2"]) {
      const copy = await server.database("export_copy");
      await server.run("pg_restore", copy, "--exit-on-error", jobs, `--dbname=${new URL(copy).pathname.slice(1)}`, join(folder, "whole"));
      const text = await dump(copy);
      assert.ok(text === expected, `${jobs}: the dumps differ from ${firstDifference(text, expected)}`);
    }
  });

  it("is read by pg_restore as a script, too", async () => {
    const script = (await server.run("pg_restore", source, "--file=-", join(folder, "whole"))).toString();
    assert.match(script, /COPY "app"\."every_type" \(/);
    assert.match(script, /SELECT pg_catalog\.setval\(/);
  });

  it("is for its owner only, and goes into no folder that holds something", async () => {
    for (const name of await readdir(join(folder, "whole")))
      assert.equal((await stat(join(folder, "whole", name))).mode & 0o777, 0o600, name);
    assert.equal((await stat(join(folder, "whole"))).mode & 0o777, 0o700);
    await assert.rejects(exported("whole"), { type: "TargetNotEmpty", message: /is not empty: it holds/ });
  });

  it("holds a chosen part", async () => {
    await exported("part", { only: ["app.every_type"], except: [] });
    const copy = await server.database("export_part");
    await server.run("pg_restore", copy, "--exit-on-error", `--dbname=${new URL(copy).pathname.slice(1)}`, join(folder, "part"));
    const rows = (url: string) => server.run("psql", url, "-Atc", "SELECT * FROM app.every_type");
    assert.deepEqual(await rows(copy), await rows(source));
  });
});

const firstDifference = (a: string, b: string): string => {
  const [left, right] = [a.split("\n"), b.split("\n")];
  const at = right.findIndex((line, index) => line !== left[index]);
  return JSON.stringify([at, left.slice(at - 2, at + 3), right.slice(at - 2, at + 3)]).slice(0, 1500);
};

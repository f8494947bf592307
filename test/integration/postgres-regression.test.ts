import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { libpqEnvironment, parseAddress } from "../../core/databases/postgres/address.ts";
import { progressToStderr } from "../stack/progress.ts";
import { installed } from "../stack/setup/cache.ts";
import { postgresRegressionInstallation } from "../stack/setup/debian-packages.ts";
import { hasPostgresVersions } from "../stack/setup/postgres-versions.ts";
import { useStack } from "../stack/use-stack.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { capture, restore, type Server } from "./postgres-support.ts";
import { startVersion } from "./postgres-version-server.ts";

const run = promisify(execFile);

/** They ask much and leave nothing, or nothing that others do not leave. */
const withoutTraces = new Set(
  `select_parallel join aggregates partition_join partition_prune plpgsql regex tuplesort vacuum_parallel stats write_parallel select
   explain compression_lz4 sysviews tablespace window numeric numeric_big jsonb jsonpath strings groupingsets subselect tsearch tsrf
   union with limit portals arrays timestamp timestamptz horology date interval brin brin_bloom brin_multi spgist gin gist btree_index
   hash_index amutils psql psql_crosstab oidjoins opr_sanity type_sanity misc_functions reindex_catalog memoize incremental_sort
   predicate dbsize txid random prepared_xacts lock async guc unicode xid mvcc`.split(/\s+/),
);

/** Runs PostgreSQL's regression tests for what they leave behind. Their C library is not built: what needs it is missing. */
const buildRegressionDatabase = async (server: Server, url: string): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-regression-"));
  try {
    await cp(await installed(postgresRegressionInstallation(), progressToStderr), folder, { recursive: true });
    const grants = ["a+rX", "-R", folder];
    await run("chmod", grants);
    const env = {
      ...libpqEnvironment(parseAddress(url)),
      ...{ PG_ABS_SRCDIR: folder, PG_ABS_BUILDDIR: folder, PG_LIBDIR: folder, PG_DLSUFFIX: ".so" },
      ...{ PGTZ: "PST8PDT", PGDATESTYLE: "Postgres, MDY" },
    };
    const schedule = await readFile(join(folder, "parallel_schedule"), "utf8");
    const tests = [...schedule.matchAll(/^test: (.*)$/gm)].flatMap(([, names]) => names!.trim().split(/\s+/));
    // An error is what most of these tests are about.
    for (const name of tests.filter((test) => !withoutTraces.has(test)))
      await run(join(server.bin, "psql"), ["-Xqf", join(folder, "sql", `${name}.sql`)], { env, cwd: folder, maxBuffer: 1 << 28 }).catch(
        () => undefined,
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const hasApt = await run("apt-get", ["--version"]).then(
  () => true,
  () => false,
);

describe("PostgreSQL's own regression database", { skip: !hasPostgresVersions || !hasApt }, () => {
  it("comes back as pg_dump and pg_restore bring it back, byte for byte", { timeout: 600_000 }, async () => {
    const version = await startVersion(15, (await useStack("postgres")).postgres.bin);
    const { server } = version;
    try {
      const source = await server.database("regression");
      await buildRegressionDatabase(server, source);
      const captured = await capture(source, 1 << 30);
      assert.ok(captured.plan.streams.length > 350, String(captured.plan.streams.length));
      const copy = await server.database("copy");
      assert.deepEqual(await restore(copy, captured), []);
      const actual = await dumpText(server, copy);

      // Columns of some inheriting tables change their places in every copy: so this one is compared with pg_dump's own.
      const theirs = await server.database("theirs");
      const folder = await mkdtemp(join(tmpdir(), "dbgov-regression-"));
      await server.run("pg_dump", source, "-Fc", "-f", join(folder, "dump"));
      // It complains of transaction_timeout, which this server does not know.
      await server.run("pg_restore", theirs, "-d", new URL(theirs).pathname.slice(1), join(folder, "dump")).catch(() => undefined);
      await rm(folder, { recursive: true });
      assertSameDump(actual, await dumpText(server, theirs));

      const expected = await dumpText(server, source);
      assert.equal(actual.length, expected.length);
      const moved = actual.filter((line, index) => line !== expected[index]).length;
      assert.ok(moved < 200, `${moved} of ${expected.length} lines`);
    } finally {
      await version.stop();
    }
  });
});

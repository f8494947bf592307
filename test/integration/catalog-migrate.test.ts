import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { appendFile, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { closeCatalog, openCatalog, query } from "../../core/catalog/catalog.ts";
import { claimPacks } from "../../core/catalog/claim-packs.ts";
import { withAdvisoryLock } from "../../core/catalog/locks.ts";
import { lookupChunks } from "../../core/catalog/lookup-chunks.ts";
import { migrate } from "../../core/catalog/migrate.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { createDatabase, onServer } from "./catalog-database.ts";

const open = (url: string) => {
  const catalog = openCatalog(url);
  after(() => closeCatalog(catalog));
  return catalog;
};
const database = async () => {
  const made = await createDatabase();
  after(made.drop);
  return made;
};

const folderOfOwn = new URL("../../core/catalog/migrations/", import.meta.url);
const own = readdirSync(folderOfOwn).sort();

test("migrations are applied once, also by several at once, and again changes nothing", async () => {
  const { url } = await database();
  const catalogs = [open(url), open(url), open(url)];
  const applied = await Promise.all(catalogs.map((catalog) => migrate(catalog)));
  assert.deepEqual(applied.map((names) => names.length).sort(), [0, 0, own.length]);
  assert.deepEqual(await migrate(catalogs[0]!), []);
});

test("a changed migration and a newer catalog are refused; a failing one leaves nothing behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-migrations-"));
  after(() => rm(folder, { recursive: true }));
  await cp(folderOfOwn, folder, { recursive: true });
  const migrations = pathToFileURL(`${folder}/`);
  const { url } = await database();
  const catalog = open(url);
  await writeFile(join(folder, "900-more.sql"), "CREATE TABLE dbgov.more (a int); SELECT 1/0;");
  await assert.rejects(
    migrate(catalog, migrations),
    (error) => isFailure(error, "Unexpected") && /22012.*while migrating it/.test(error.message),
  );
  assert.deepEqual(await query(catalog, "looking", "SELECT to_regnamespace('dbgov') IS NULL AS gone"), [{ gone: true }]);
  await writeFile(join(folder, "900-more.sql"), "CREATE TABLE dbgov.more (a int);");
  assert.deepEqual(await migrate(catalog, migrations), [...own, "900-more.sql"]);
  await assert.rejects(
    migrate(catalog),
    (error) => isFailure(error, "FormatUnsupported") && /newer dbgov \(it has 900-more.sql/.test(error.message),
  );
  await appendFile(join(folder, "002-record.sql"), "-- changed\n");
  await assert.rejects(
    migrate(catalog, migrations),
    (error) => isFailure(error, "FormatUnsupported") && /002-record.sql is not the one/.test(error.message),
  );
});

test("each way of not getting at the catalog is its own failure, without the password in it", async () => {
  const { url, server } = await database();
  const rejects = async (address: string, type: FailureType, words: RegExp) =>
    await assert.rejects(migrate(open(address)), (error) => {
      assert.ok(isFailure(error, type), inspect(error));
      assert.match(error.message, words);
      assert.ok(!inspect(error, { depth: 10 }).includes("hunter2"), "the password shows");
      return true;
    });
  const at = (change: (url: URL) => void) => {
    const changed = new URL(url);
    changed.password = "hunter2";
    change(changed);
    return changed.href;
  };
  await rejects(
    at((u) => {
      u.port = "1";
    }),
    "CatalogUnreachable",
    /cannot be reached \(ECONNREFUSED\) while migrating it/,
  );
  await rejects(
    at((u) => {
      u.hostname = "nowhere.invalid";
    }),
    "CatalogUnreachable",
    /cannot be reached/,
  );
  const role = `role_${Math.random().toString(36).slice(2)}`;
  await onServer(server, `CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
  after(() => onServer(server, `DROP ROLE ${role}`));
  const as = (name: string) =>
    at((u) => {
      u.username = name;
      u.pathname = name === role ? u.pathname : "/does_not_exist";
    });
  await rejects(as(role), "PermissionMissing", /lacks a permission/);
  const owner = new URL(server);
  owner.pathname = "/does_not_exist";
  await rejects(owner.href, "DatabaseMissing", /database does not exist/);
  await assert.rejects(
    lookupChunks(open(url), "disk", [new Uint8Array(32)]),
    (error) => isFailure(error, "Unexpected") && /never migrated/.test(error.message),
  );
  for (const bad of ["mysql://a:hunter2@b", "", "postgres://a:hunter2@[/x"]) {
    assert.throws(
      () => openCatalog(bad),
      (error) => isFailure(error, "ConfigurationInvalid") && !inspect(error).includes("hunter2"),
    );
  }
  assert.ok(!inspect(open(at(() => {})), { depth: 10 }).includes("hunter2"));
});

test("a server that accepts and says nothing is unreachable", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  after(() => silent.close());
  await once(silent, "listening");
  const catalog = openCatalog(`postgres://a:b@127.0.0.1:${(silent.address() as AddressInfo).port}/c`, { connectTimeoutMs: 200 });
  after(() => closeCatalog(catalog));
  await assert.rejects(claimPacks(catalog, ["00"]), (error) => isFailure(error, "CatalogUnreachable"));
});

test("connections that the server ends, idle or at work, neither crash the process nor stay in use", async () => {
  const { url, server } = await database();
  const catalog = open(url);
  await migrate(catalog);
  const name = new URL(url).pathname.slice(1);
  const kill = () => onServer(server, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
  await Promise.all(Array.from({ length: 4 }, () => query(catalog, "waiting", "SELECT pg_sleep(0.05)")));
  await kill();
  await assert.doesNotReject(async () => {
    // A connection that broke unnoticed may be handed out once.
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await query(catalog, "asking again", "SELECT 1");
      } catch (error) {
        if (!isFailure(error, "CatalogUnreachable") || attempt > 4) throw error;
      }
    }
  });
  const working = query(catalog, "working", "SELECT pg_sleep(60)");
  working.catch(() => {});
  while (
    (await query(catalog, "watching", "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND datname = current_database()"))
      .length === 0
  );
  await kill();
  await assert.rejects(working, (error) => isFailure(error, "CatalogUnreachable") && /while working/.test(error.message));
});

test("under a named lock one works at a time; losing the lock or being told to stop aborts", async () => {
  const { url, server } = await database();
  const catalog = open(url);
  const { signal } = new AbortController();
  let inside = 0;
  let most = 0;
  const counts = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      withAdvisoryLock(catalog, "log", signal, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await query(catalog, "working under the lock", "SELECT pg_sleep(0.01)");
        inside -= 1;
        return i;
      }),
    ),
  );
  assert.equal(most, 1);
  assert.deepEqual(
    counts,
    Array.from({ length: 12 }, (_, i) => i),
  );

  const lockHolders = `FROM pg_stat_activity WHERE application_name = 'dbgov-lock' AND datname = '${new URL(url).pathname.slice(1)}'`;
  await withAdvisoryLock(catalog, "log", signal, async (locked) => {
    await onServer(server, `SELECT pg_terminate_backend(pid) ${lockHolders}`);
    if (!locked.aborted) await new Promise((resolve) => locked.addEventListener("abort", resolve));
    assert.ok(isFailure(locked.reason, "CatalogUnreachable"));
  });
  await withAdvisoryLock(catalog, "log", signal, async () => {
    const impatient = new AbortController();
    const waiting = withAdvisoryLock(catalog, "log", impatient.signal, async () => assert.fail("the lock is taken"));
    while ((await query(catalog, "watching", `SELECT ${lockHolders}`)).length < 2);
    impatient.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
  });
  await assert.rejects(
    withAdvisoryLock(catalog, "log", signal, () => Promise.reject(new Error("own"))),
    /own/,
  );
});

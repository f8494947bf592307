import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createRefreshRecoveryKit } from "../../activities/encrypt/refresh-recovery-kit.ts";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { type Catalog, query } from "../../core/catalog/catalog.ts";
import { keyringDatabases, keyringFolder, refreshKeyring } from "../../core/repository/keyring.ts";
import { committed, createCatalog, writtenPacks } from "../integration/catalog-database.ts";

const { catalog } = await createCatalog();

test("a refresh that began before another run committed does not take that run's envelopes out of the kit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov kit "));
  after(() => rm(folder, { recursive: true, force: true }));
  const refresh = (of: Catalog): Promise<unknown> => {
    const site = { loaded: { config: { recoveryKit: folder } }, catalog: async () => of };
    const activities = createRefreshRecoveryKit({ site: async () => site } as unknown as ActivityEnvironment);
    return new MockActivityEnvironment().run(activities.refreshRecoveryKit, { database: "shop" });
  };
  await committed(catalog, "shop", await writtenPacks(catalog, 1));

  // The slow one has read its first page when the other run commits and refreshes.
  const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>();
  const pool = Object.create(catalog.pool) as Catalog["pool"];
  pool.query = (async (...args: Parameters<typeof catalog.pool.query>) => {
    const answer = await catalog.pool.query(...args);
    hasRead();
    await mayGoOn;
    return answer;
  }) as unknown as typeof pool.query;
  const slow = refresh({ pool });
  await read;
  const late = await committed(catalog, "shop", await writtenPacks(catalog, 1));
  let done = false;
  const quick = refresh(catalog).finally(() => {
    done = true;
  });
  while (!done && !(await waitsForLock())) await delay(10);
  goOn();
  await Promise.all([slow, quick]);
  const keyring = await keptOf(folder, "shop");
  for (const object of [late.snapshot, ...late.ranges.map(({ id }) => id)]) assert.ok(keyring.includes(object), object);
});

test("a refresh of all databases takes out those that have no snapshot any more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov kit "));
  after(() => rm(folder, { recursive: true, force: true }));
  const site = { loaded: { config: { recoveryKit: folder } }, catalog: async () => catalog };
  const { refreshRecoveryKit } = createRefreshRecoveryKit({ site: async () => site } as unknown as ActivityEnvironment);
  const kept = await committed(catalog, "kept", await writtenPacks(catalog, 1));
  await refreshKeyring(folder, "gone", kept.envelopes);
  await new MockActivityEnvironment().run(refreshRecoveryKit);
  assert.ok((await keptOf(folder, "kept")).includes(kept.snapshot));
  assert.ok(!(await keyringDatabases(folder)).includes("gone"));
});

test("a kit with the whole keyring in one file gets a file for each database, and loses the one", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov kit "));
  after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "keyring.jsonl"), "of before\n");
  const other = await committed(catalog, "other", await writtenPacks(catalog, 1));
  const site = { loaded: { config: { recoveryKit: folder } }, catalog: async () => catalog };
  const { refreshRecoveryKit } = createRefreshRecoveryKit({ site: async () => site } as unknown as ActivityEnvironment);
  await new MockActivityEnvironment().run(refreshRecoveryKit, { database: "shop" });
  assert.ok((await keptOf(folder, "other")).includes(other.snapshot));
  assert.deepEqual(await readdir(folder), [keyringFolder]);
});

const keptOf = (folder: string, database: string): Promise<string> => readFile(join(folder, keyringFolder, `${database}.jsonl`), "utf8");

const waitsForLock = async (): Promise<boolean> => {
  const waiting = await query(
    catalog,
    "looking for who waits",
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return waiting.length > 0;
};

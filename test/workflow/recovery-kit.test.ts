import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MockActivityEnvironment } from "@temporalio/testing";
import { createRefreshRecoveryKit } from "../../activities/encrypt/refresh-recovery-kit.ts";
import type { ActivityEnvironment } from "../../activities/environment.ts";
import { type Catalog, query } from "../../core/catalog/catalog.ts";
import { keyringFile } from "../../core/repository/recovery-kit.ts";
import { committed, createCatalog, writtenPacks } from "../integration/catalog-database.ts";

const { catalog } = await createCatalog();

test("a refresh that began before another run committed does not take that run's envelopes out of the kit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov kit "));
  after(() => rm(folder, { recursive: true, force: true }));
  const refresh = (of: Catalog): Promise<unknown> => {
    const site = { loaded: { config: { recoveryKit: folder } }, catalog: async () => of };
    const activities = createRefreshRecoveryKit({ site: async () => site } as unknown as ActivityEnvironment);
    return new MockActivityEnvironment().run(activities.refreshRecoveryKit);
  };
  await committed(catalog, "early", await writtenPacks(catalog, 1));

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
  const late = await committed(catalog, "late", await writtenPacks(catalog, 1));
  let done = false;
  const quick = refresh(catalog).finally(() => {
    done = true;
  });
  while (!done && !(await waitsForLock())) await delay(10);
  goOn();
  await Promise.all([slow, quick]);
  const keyring = await readFile(join(folder, keyringFile), "utf8");
  for (const object of [late.snapshot, ...late.ranges.map(({ id }) => id)]) assert.ok(keyring.includes(object), object);
});

const waitsForLock = async (): Promise<boolean> => {
  const waiting = await query(
    catalog,
    "looking for who waits",
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return waiting.length > 0;
};

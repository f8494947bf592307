import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { useStack } from "../stack/use-stack.ts";
import { type Cluster, createCluster } from "./postgres-cluster.ts";
import { cautious, changed, compare, look, same } from "./postgres-look.ts";

/** What becomes of the server between two snapshots: everything is read again whenever transactions' numbers may have come to mean others. */
let cluster: Cluster;
before(async () => {
  cluster = await createCluster((await useStack("postgres")).postgres.bin);
  await cluster.start();
});
after(() => cluster?.remove());

const table = async (name: string): Promise<string> => {
  await cluster.sql(`CREATE TABLE ${name} AS SELECT g AS id, 1.0 AS v FROM generate_series(1, 500) g`);
  return `public.${name}`;
};

test("rows frozen so long ago that their numbers lie ahead are told from new ones", async () => {
  // The first of all, since a snapshot that somebody still sees would keep rows from being frozen.
  const name = await table("ancient");
  await cluster.sql("VACUUM (FREEZE)");
  // Beyond half of all numbers: what is frozen now has a number that means a transaction to come.
  await cluster.stop();
  await cluster.reset("-x", String(2 ** 31 + 2 ** 26), "-u", String(2 ** 31 + 2 ** 26 - 1_000));
  await cluster.start();
  const { parts } = await look(cluster.url, name);
  const [age] = await cluster.sql<{ age: number }>("SELECT max(age(xmin)) AS age FROM ancient");
  assert.ok((age?.age ?? 0) < 0, "the rows' numbers lie ahead");
  assert.deepEqual((await look(cluster.url, name, parts)).told, [true]);
  assert.deepEqual(await compare(cluster.url, name, () => cluster.sql("UPDATE ancient SET v = 1.00 WHERE id = 7")), changed);
  assert.deepEqual(await compare(cluster.url, name, () => cluster.sql("SELECT pg_current_xact_id()")), same);
});

test("a prepared transaction that is committed after a snapshot is a change", async () => {
  const name = await table("prepared");
  await cluster.sql("BEGIN; UPDATE prepared SET v = 1.00 WHERE id = 7; PREPARE TRANSACTION 'later'");
  await cluster.sql("SELECT pg_current_xact_id()");
  assert.deepEqual(await compare(cluster.url, name, () => cluster.sql("COMMIT PREPARED 'later'")), changed);
});

test("a restart has everything read again", async () => {
  const name = await table("restarted");
  const restart = async () => {
    await cluster.stop();
    await cluster.start();
  };
  assert.deepEqual(await compare(cluster.url, name, restart), cautious);
});

test("a server that was set back to an older copy of its files, and gave a transaction's number to another one, is read again", async () => {
  const name = await table("returned");
  await cluster.stop();
  const putBack = await cluster.copyFiles();
  await cluster.start();
  const update = (value: string) => cluster.sql<{ xmin: string }>(`UPDATE returned SET v = ${value} WHERE id = 7 RETURNING xmin::text`);
  const [first] = await update("2.0");
  const again = async () => {
    await cluster.stop();
    await putBack();
    await cluster.start();
    assert.deepEqual(await update("3.0"), [first], "the number means another transaction now");
    // Far enough for the number to look old.
    for (let n = 0; n < 10; n += 1) await cluster.sql("SELECT pg_current_xact_id()");
  };
  assert.deepEqual(await compare(cluster.url, name, again), changed);
});

test("a server that recovered from a crash is read again, though nobody started it anew", async () => {
  const name = await table("crashed");
  const [started] = await cluster.sql("SELECT pg_postmaster_start_time()");
  assert.deepEqual(await compare(cluster.url, name, () => cluster.crash()), cautious);
  assert.deepEqual(await cluster.sql("SELECT pg_postmaster_start_time()"), [started]);
});

test("a standby as the source tells as well as any; promoted it is read again, and so is another server than before", async () => {
  const name = await table("followed");
  const standby = await cluster.standby();
  try {
    await standby.start();
    const caughtUp = async () => {
      const [at] = await cluster.sql<{ lsn: string }>("SELECT pg_current_wal_flush_lsn()::text AS lsn");
      while ((await standby.sql(`SELECT WHERE pg_last_wal_replay_lsn() >= '${at?.lsn}'`)).length === 0);
    };
    const onSource = (sql: string) => async () => {
      await cluster.sql(sql);
      await caughtUp();
    };
    assert.deepEqual(await compare(standby.url, name, onSource("SELECT pg_current_xact_id()")), same);
    assert.deepEqual(await compare(standby.url, name, onSource("UPDATE followed SET v = 1.00 WHERE id = 7")), changed);
    // Running on the source while the standby is looked at, as the only thing that the standby knows of it: its rows.
    const writer = new pg.Client({ connectionString: cluster.url });
    await writer.connect();
    try {
      await writer.query("BEGIN; SAVEPOINT a; UPDATE followed SET v = 4 WHERE id = 9; RELEASE a");
      await onSource("SELECT pg_current_xact_id(); CHECKPOINT")();
      const commit = async () => {
        await writer.query("COMMIT");
        await caughtUp();
      };
      assert.deepEqual(await compare(standby.url, name, commit), changed);
    } finally {
      await writer.end();
    }
    assert.deepEqual(await compare(cluster.url, name, caughtUp, standby.url), cautious);
    assert.deepEqual(await compare(standby.url, name, () => standby.promote()), cautious);
  } finally {
    await standby.remove();
  }
});

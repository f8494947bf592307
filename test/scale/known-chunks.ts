import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import type { BackupResult } from "../../core/domain/run.ts";
import { openBenchSite } from "../bench/bench-site.ts";
import { loopDelayAt } from "../bench/loop-delay.ts";
import { forgetPeak, watchMemory } from "../bench/process-tree.ts";
import { timedCommand } from "../bench/timed-command.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import type { Ground, SimulationResult } from "./simulation.ts";

const chunksInPack = 125;
const chunksInRange = 500;

/**
 * A catalog that knows so many chunks, in packs of 125 and ranges of 500, all of one snapshot of a database "big", with replicas and
 * envelopes. Nothing of it lies in the store.
 */
const fillCatalog = async (catalog: string, chunks: number): Promise<void> => {
  const client = new pg.Client({ connectionString: catalog });
  await client.connect();
  const packs = Math.ceil(chunks / chunksInPack);
  const ranges = Math.ceil(chunks / chunksInRange);
  try {
    await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 1");
    const { rows } = await client.query("SELECT coalesce(max(pack_no), 0)::int AS packs FROM dbgov.pack");
    const firstPack = rows[0].packs as number;
    // Filled first and indexed then, as an index of random ids grows many times slower row by row.
    const index = `ALTER TABLE dbgov.chunk ADD PRIMARY KEY (id, pack_no) INCLUDE (byte_offset, stored_bytes, plain_bytes);
      CREATE INDEX chunk_pack ON dbgov.chunk USING brin (pack_no) WITH (pages_per_range = 16)`;
    await client.query(`
      INSERT INTO dbgov.pack (id, bytes, root, written_at)
        SELECT sha256(int8send(n)), ${chunksInPack} * 120000, sha256(int8send(n)), now() FROM generate_series(1::bigint, ${packs}) n ORDER BY n;
      INSERT INTO dbgov.replica (object, store, receipt, bytes, proven_at)
        SELECT dbgov.pack_key(id), 'local', 'x', bytes, now() FROM dbgov.pack WHERE pack_no > ${firstPack};
      ALTER TABLE dbgov.chunk DROP CONSTRAINT chunk_pkey;
      DROP INDEX dbgov.chunk_pack;
      INSERT INTO dbgov.chunk (id, pack_no, byte_offset, stored_bytes, plain_bytes)
        SELECT sha256(int8send(-k)), ${firstPack} + 1 + k / ${chunksInPack}, k % ${chunksInPack} * 120000, 120000, 250000
        FROM generate_series(0::bigint, ${chunks - 1}) k;
      ${index};
      INSERT INTO dbgov.range (id) SELECT sha256(int8send(n + 1000000000)) FROM generate_series(1::bigint, ${ranges}) n;
      INSERT INTO dbgov.replica (object, store, receipt, bytes, proven_at)
        SELECT dbgov.range_key(id), 'local', 'x', 40000, now() FROM dbgov.range ON CONFLICT DO NOTHING;
      INSERT INTO dbgov.envelope (object, recipient, kind, version, kem, wrapped)
        SELECT encode(id, 'hex'), 'of-big', 'range', 1, decode(repeat(md5(id::text), 70), 'hex'), decode(repeat(md5(id::text), 5), 'hex') FROM dbgov.range;
      INSERT INTO dbgov.snapshot (id, database, engine, policy, started_at, captured_at, consistency, rows, bytes_read, bytes_new, bytes_stored, manifest_hash, ciphertext_root)
        VALUES ('20260101T000000Z-000000000000', 'big', 'postgres', 'nightly', now(), now(), 'transactional', 1, 1, 1, 1, sha256('a'), sha256('b'));
      INSERT INTO dbgov.snapshot_range (snapshot_no, range_no)
        SELECT (SELECT snapshot_no FROM dbgov.snapshot WHERE database = 'big'), range_no FROM dbgov.range;
      INSERT INTO dbgov.range_pack (range_no, pack_no)
        SELECT r.range_no, ${firstPack} + 1 + (r.range_no * ${chunksInRange / chunksInPack} + n) % ${packs}
        FROM dbgov.range r, generate_series(0, ${chunksInRange / chunksInPack - 1}) n ON CONFLICT DO NOTHING`);
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
};

/** A few megabytes in a few tables. */
const createSmallDatabase = async (server: string, name: string): Promise<string> => {
  const url = await createSampleDatabase(server, name);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const table of ["customer", "invoice", "item"])
      await client.query(`CREATE TABLE ${table} AS SELECT k AS id, md5(k::text || '${table}') AS name FROM generate_series(1, 50000) k`);
  } finally {
    await client.end();
  }
  return url;
};

/** Seconds from a moment until the first activity that captures began. */
const captureBegan = async (temporal: string, namespace: string, database: string, since: number): Promise<number> => {
  const connection = await Connection.connect({ address: temporal });
  try {
    const { events = [] } = await new Client({ connection, namespace }).workflow.getHandle(`backup/${database}`).fetchHistory();
    const scheduled = new Set(
      (events ?? [])
        .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === "captureBatch")
        .map((event) => String(event.eventId)),
    );
    const started = (events ?? []).find((event) => scheduled.has(String(event.activityTaskStartedEventAttributes?.scheduledEventId)));
    const { seconds, nanos } = started?.eventTime ?? {};
    return Number(seconds) + Number(nanos ?? 0) / 1e9 - since / 1e3;
  } finally {
    await connection.close();
  }
};

/** A small database's backup beside so many chunks that the repository knows already. */
export const knownChunks = async ({ stack, folder, name, say }: Ground, chunks: number): Promise<SimulationResult> => {
  const server = stack.postgres.url;
  const small = await createSmallDatabase(server, `${name.replaceAll("-", "_")}_small`);
  const site = await openBenchSite({
    ...{ folder: join(folder, "known-chunks"), stack, namespace: name, catalogName: `${name.replaceAll("-", "_")}_chunks` },
    databases: [{ name: "small", engine: "postgres", url: small }],
  });
  try {
    say(`filling a catalog with ${chunks.toLocaleString("en")} chunks`);
    await fillCatalog(site.catalog, chunks);
    forgetPeak(site.workerPid);
    const memory = watchMemory(site.workerPid);
    say("backing a small database up");
    const since = Date.now();
    const { output, seconds } = await timedCommand(site.command("backup small"), site.environment);
    const result = JSON.parse(output) as BackupResult;
    const began = await captureBegan(stack.temporal.address, name, "small", since);
    const delay = await loopDelayAt(site.metrics);
    await site.verified(result.snapshot);
    const peak = await memory.stop();
    return {
      title: `A small database beside ${chunks.toLocaleString("en")} known chunks`,
      said: [
        `The backup took ${seconds.toFixed(2)} s from the command's start to its end: ${(result.bytes.read / 1e6).toFixed(1)} MB read, ${(result.bytes.stored / 1e6).toFixed(1)} MB stored.`,
      ],
      bounds: [
        { what: "from the command's start until the capture begins", value: began, limit: 2, unit: "s" },
        { what: "the worker's resident memory at its highest, the verification included", value: peak / 1e6, limit: 400, unit: "MB" },
        { what: "event loop delay while it captured, 99th percentile", value: delay, limit: 0.1, unit: "s" },
      ],
    };
  } finally {
    await site.close();
  }
};

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { recordsIn } from "../../core/databases/redis/record-reader.ts";
import { redis } from "../../core/databases/redis/redis.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { captureRedis, fillUgly, inBlocks, type RedisServer, restoreRedis, serverDigest, signal, startRedis } from "./redis-place.ts";

const debug = ["--enable-debug-command", "yes"];

describe("Redis, drills and exports", () => {
  let source: RedisServer;
  before(async () => {
    source = await startRedis("redis", debug);
    await fillUgly(source);
    await source.call("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)");
  });
  after(() => source.stop());

  it("a drill gets a spare logical database, which no capture takes for data, and which is gone afterwards", async () => {
    const captured = await captureRedis(source.url);
    const scratch = await redis.createScratch(source.url, "drill one", signal);
    assert.equal(scratch, `${source.url}/15`);
    const { digest, notes } = await restoreRedis(captured, scratch);
    assert.deepEqual(digest, captured.rows.get("keys")!.digest);
    assert.match(notes.join(), /Functions belong to the server/);
    const beside = await captureRedis(source.url);
    assert.deepEqual(beside.rows.get("keys")!.digest, digest);
    assert.match(beside.plan.notes.join(), /Scratch databases of drills were left out: 15/);
    // Another drill's is another's.
    assert.equal(await redis.createScratch(source.url, "drill two", signal), `${source.url}/14`);
    await redis.dropScratch(source.url, "drill one", signal);
    assert.match(String(await source.call("INFO", "keyspace")), /db14:keys=1/);
    assert.doesNotMatch(String(await source.call("INFO", "keyspace")), /db15/);
    await redis.dropScratch(source.url, "drill two", signal);
    await redis.dropScratch(source.url, "drill two", signal);
    assert.equal(await source.call("DBSIZE"), 28);
  });

  it("an empty server is a drill's as a whole, for snapshots of several logical databases", async () => {
    const target = await startRedis();
    try {
      await source.call("SELECT", "4");
      await source.call("SET", "here", "too");
      const captured = await captureRedis(source.url);
      const scratch = await redis.createScratch(target.url, "drill", signal);
      assert.equal(scratch, target.url);
      const { digest } = await restoreRedis(captured, scratch);
      assert.deepEqual(digest, captured.rows.get("keys")!.digest);
      await redis.dropScratch(target.url, "drill", signal);
      assert.equal(String(await target.call("INFO", "keyspace")).trim(), "# Keyspace");
    } finally {
      await source.call("FLUSHDB");
      await source.call("SELECT", "0");
      await target.stop();
    }
  });

  it("there is no place for a drill where a second copy would push out the first, or where nothing is empty", async () => {
    const full = (words: RegExp) => (error: unknown) => isFailure(error, "ConfigurationInvalid") && words.test(error.message);
    const small = await startRedis("redis", ["--maxmemory", "60mb", "--databases", "1"]);
    try {
      await small.call("SET", "a", "b");
      await assert.rejects(redis.createScratch(small.url, "drill", signal), full(/none of its logical databases is empty.*drill\.target/));
      for (let n = 0; n < 30; n++) await small.call("SET", `large ${n}`, "x".repeat(1_000_000));
      await assert.rejects(redis.createScratch(small.url, "drill", signal), full(/memory.*drill\.target/));
    } finally {
      await small.stop();
    }
  });

  it("an export is what redis-cli --pipe loads, and a server that loaded it holds the same", async () => {
    const [target, folder] = await Promise.all([startRedis("redis", debug), mkdtemp(join(tmpdir(), "dbgov-redis-export-"))]);
    try {
      const captured = await captureRedis(source.url);
      const { stream, content, digest } = captured.rows.get("keys")!;
      const { databaseName, serverVersion } = captured.plan;
      const streams = [{ ...stream, rows: digest.rows, bytes: digest.bytes }];
      const exportation = await redis.export(folder, { definitions: captured.definitions, streams, databaseName, serverVersion }, signal);
      await exportation.write(stream, inBlocks(content));
      const { load, format } = await exportation.finish();
      assert.equal(format, "commands in Redis's protocol");
      assert.match(load, /redis-cli -u TARGET_URL --pipe < keys\.resp/);
      const cli = join(dirname(await findProgram("redis", progressToStderr)), "redis-cli");
      const loading = promisify(execFile)(cli, ["-p", String(target.port), "--pipe"], { encoding: "utf8" });
      loading.child.stdin!.end(await readFile(join(folder, "keys.resp")));
      assert.match((await loading).stdout, /errors: 0/);
      assert.deepEqual(await serverDigest(target, [0]), await serverDigest(source, [0]));
      assert.deepEqual(await target.call("FUNCTION", "LIST", "WITHCODE"), await source.call("FUNCTION", "LIST", "WITHCODE"));
    } finally {
      await target.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("keys are chosen by their names, and told apart by them", async () => {
    const captured = await captureRedis(source.url);
    const { stream, content } = captured.rows.get("keys")!;
    assert.equal(redis.selection.by, "record");
    const { selection } = redis;
    if (selection.by !== "record") return;
    const names = [...recordsIn(content)].map(({ bytes }) => selection.nameOf(stream, bytes));
    assert.ok(names.includes("compressible") && names.includes("") && names.includes('\0ÿþ\n\r"'));
    const rowKey = redis.comparison.rowKey(captured.definitions, stream)!;
    const keys = new Set([...recordsIn(content)].map(({ bytes }) => Buffer.from(rowKey(bytes)).toString("latin1")));
    assert.equal(keys.size, names.length);
    assert.deepEqual([...redis.comparison.definitions(captured.definitions).keys()], ["library mylib", "user default"]);
  });
});

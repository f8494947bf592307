import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { redis } from "../../core/databases/redis/redis.ts";
import { type CapturedRedis, captureRedis, digestOf, inBlocks, type RedisServer, restoreRedis, signal, startRedis } from "./redis-place.ts";

describe("Redis, keys that expire on the way", () => {
  let source: RedisServer;
  let target: RedisServer;
  before(async () => {
    [source, target] = await Promise.all([startRedis(), startRedis()]);
  });
  after(() => Promise.all([source.stop(), target.stop()]));

  const captureExpiring = async (ms: number): Promise<CapturedRedis> => {
    const at = String(Date.now() + ms);
    await source.call("FLUSHALL");
    await source.call("SET", "stays", "1");
    await source.call("SET", "soon", "2", "PXAT", at);
    await source.call("RPUSH", "soon too", ...Array.from({ length: 30 }, (_, n) => `${n}`.repeat(50_000)));
    await source.call("PEXPIREAT", "soon too", at);
    await source.call("HSET", "some fields", "a", "1", "b", "2", "c", "3");
    await source.call("HPEXPIREAT", "some fields", at, "FIELDS", "2", "a", "b");
    await source.call("HSET", "all fields", "a", "1");
    await source.call("HPEXPIREAT", "all fields", at, "FIELDS", "1", "a");
    return await captureRedis(source.url);
  };

  it("takes keys and fields that expired since the snapshot, or while it was restored, for no difference, and brings none back", async () => {
    const wanted = (await captureExpiring(3_600_000)).rows.get("keys")!.digest.rows;
    // Long enough that a busy machine captures them before they expire.
    let captured = await captureExpiring(400);
    for (let ms = 800; captured.rows.get("keys")!.digest.rows < wanted; ms *= 2) captured = await captureExpiring(ms);
    while (
      Number(await source.call("EXISTS", "soon", "soon too", "all fields")) > 0 ||
      Number(await source.call("HLEN", "some fields")) > 1
    )
      await delay(20);
    const { digest, notes } = await restoreRedis(captured, target.url);
    assert.deepEqual(digest, captured.rows.get("keys")!.digest);
    assert.match(notes.join(), /2 keys had expired/);
    assert.equal(await target.call("DBSIZE"), 2);
    assert.deepEqual(await target.call("HKEYS", "some fields"), [Buffer.from("c")]);
  });

  it("still finds a key that is missing though it has not expired, and one that is another", async () => {
    await source.call("SET", "session", "x", "PX", "3600000");
    const captured = await captureRedis(source.url);
    const { stream, content, digest } = captured.rows.get("keys")!;
    for (const spoil of [
      ["DEL", "session"],
      ["SET", "session", "y", "KEEPTTL"],
      ["PEXPIRE", "session", "5000"],
      ["SET", "more", "z"],
    ]) {
      const restoration = await redis.restore(target.url, { replace: true, definitions: captured.definitions, parallelism: 1 }, signal);
      await restoration.prepare();
      await restoration.write(stream, inBlocks(content), "0");
      await restoration.finish();
      await target.call(...spoil);
      const found: Buffer[] = [];
      for await (const block of restoration.readBack(stream)) found.push(Buffer.from(block));
      await restoration.close();
      assert.notDeepEqual(await digestOf(Buffer.concat(found)), digest, spoil.join(" "));
    }
  });

  it("leaves out what had expired before the snapshot, though the server still has it", async () => {
    const lazy = await startRedis("redis", ["--enable-debug-command", "yes"]);
    try {
      await lazy.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
      await lazy.call("SET", "gone", "1", "PX", "1");
      await lazy.call("HSET", "hash", "stays", "1", "gone", "2");
      await lazy.call("HPEXPIRE", "hash", "1", "FIELDS", "1", "gone");
      await delay(20);
      const captured = await captureRedis(lazy.url);
      assert.equal(captured.rows.get("keys")!.digest.rows, 1);
      const { digest } = await restoreRedis(captured, `${target.url}/4`);
      assert.deepEqual(digest, captured.rows.get("keys")!.digest);
      await target.call("SELECT", "4");
      assert.equal(await target.call("HLEN", "hash"), 1);
    } finally {
      await lazy.stop();
    }
  });
});

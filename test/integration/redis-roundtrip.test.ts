import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { captureRedis, fillUgly, type RedisServer, restoreRedis, startRedis } from "./redis-place.ts";

describe("Redis, there and back", () => {
  let source: RedisServer;
  let target: RedisServer;
  before(async () => {
    [source, target] = await Promise.all([startRedis(), startRedis()]);
    await source.call("SELECT", "3");
    await fillUgly(source);
    await source.call("SELECT", "0");
    await fillUgly(source);
    await source.call("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)");
    await source.call("ACL", "SETUSER", "alice", "on", ">secret", "~cache:*", "+get", "(~other:* +set)");
  });
  after(() => Promise.all([source.stop(), target.stop()]));

  it("brings every type of every logical database back as it was, by replication", async () => {
    const captured = await captureRedis(source.url);
    assert.equal(captured.consistency, "transactional");
    const { digest, notes } = await restoreRedis(captured, target.url);
    assert.deepEqual(digest, captured.rows.get("keys")!.digest);
    assert.equal(digest.rows, 56);
    assert.deepEqual(notes, []);
  });
});

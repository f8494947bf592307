import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { recordsIn } from "../../core/databases/redis/record-reader.ts";
import { redis } from "../../core/databases/redis/redis.ts";
import { Failure, isFailure } from "../../core/domain/failure.ts";
import { captureRedis, digestOf, inBlocks, type RedisServer, restoreRedis, signal, startRedis } from "./redis-place.ts";

const debug = ["--enable-debug-command", "yes"];

describe("Redis, keys larger than one record", () => {
  let source: RedisServer;
  let target: RedisServer;
  before(async () => {
    [source, target] = await Promise.all([startRedis("redis", debug), startRedis("redis", debug)]);
    const pad = "p".repeat(110);
    for (let from = 0; from < 10_500; from += 1_500) {
      const numbers = Array.from({ length: 1_500 }, (_, n) => from + n);
      await Promise.all([
        source.call("RPUSH", "list", ...numbers.map((n) => `${n} ${pad}`)),
        source.call("SADD", "set", ...numbers.map((n) => `${n} ${pad}`)),
        source.call("HSET", "hash", ...numbers.flatMap((n) => [`${n}`, pad])),
        source.call("ZADD", "zset", ...numbers.flatMap((n) => [`${n / 7}`, `${n} ${pad}`])),
        ...numbers.map((n) => source.call("XADD", "stream", `${n + 1}-0`, "field", `${n} ${pad}`)),
      ]);
    }
    await source.call("HPEXPIRE", "hash", "3600000", "FIELDS", "1", "77");
    await source.call("XGROUP", "CREATE", "stream", "group", "0");
    await source.call("XREADGROUP", "GROUP", "group", "alice", "COUNT", "100", "STREAMS", "stream", ">");
    await source.call("PEXPIRE", "list", "3600000");
    await source.call("SET", "string", randomBytes(20_000_001));
    await source.call("SET", "compressible string", "0123456789abcdef".repeat(600_000), "PX", "90000000");
    await source.call("ACL", "SETUSER", "scans", "on", ">secret", "~*", "+@all", "-psync", "-sync");
    await source.call("ACL", "SETUSER", "types", "on", ">secret", "~*", "+@all", "-psync", "-sync", "-dump");
  });
  after(() => Promise.all([source.stop(), target.stop()]));

  it("come back from their pieces, which are the same whichever way they were read", async () => {
    const captured = await captureRedis(source.url);
    const { digest, content } = captured.rows.get("keys")!;
    const forms = Map.groupBy(recordsIn(content), ({ type, form }) => `${type} ${form}`);
    for (const type of ["list", "set", "zset", "hash", "stream"]) {
      assert.equal(forms.get(`${type} closing`)?.length, 1, type);
      assert.ok(forms.get(`${type} piece`)!.length > 10, type);
    }
    for (const user of ["scans", "types"]) {
      const other = await captureRedis(source.url.replace("://", `://${user}:secret@`));
      assert.deepEqual(other.rows.get("keys")!.digest, digest, user);
    }
    const restored = await restoreRedis(captured, target.url);
    assert.deepEqual(restored.digest, digest);
    assert.equal(String(await target.call("DEBUG", "DIGEST")), String(await source.call("DEBUG", "DIGEST")));
    assert.deepEqual(await target.call("XPENDING", "stream", "group"), await source.call("XPENDING", "stream", "group"));
    // Once more, over what is there.
    const replaced = await restoreRedis(captured, target.url, { replace: true });
    assert.deepEqual(replaced.digest, digest);
  });

  it("are whole, whatever was written before a store failed in the middle of them", async () => {
    const captured = await captureRedis(source.url);
    const { stream, content, digest } = captured.rows.get("keys")!;
    const restoration = await redis.restore(target.url, { replace: true, definitions: captured.definitions, parallelism: 1 }, signal);
    try {
      await restoration.prepare();
      const breaking = async function* () {
        for await (const block of inBlocks(content.subarray(0, content.length * 0.7))) yield block;
        throw new Failure("StoreUnreachable", "the store went away");
      };
      await assert.rejects(restoration.write(stream, breaking()), (error) => isFailure(error, "StoreUnreachable"));
      await restoration.write(stream, inBlocks(content));
      await restoration.finish();
      const blocks: Buffer[] = [];
      for await (const block of restoration.readBack(stream)) blocks.push(Buffer.from(block));
      assert.deepEqual(await digestOf(Buffer.concat(blocks)), digest);
    } finally {
      await restoration.close();
    }
  });
});

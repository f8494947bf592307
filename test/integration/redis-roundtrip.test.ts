import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { captureRedis, fillUgly, otherServers, type RedisServer, restoreRedis, serverDigest, startRedis } from "./redis-place.ts";

const debug = ["--enable-debug-command", "yes"];
const userUrl = (server: RedisServer, user: string) => server.url.replace("://", `://${user}:secret@`);

describe("Redis, there and back", () => {
  let source: RedisServer;
  let target: RedisServer;
  before(async () => {
    [source, target] = await Promise.all([startRedis("redis", debug), startRedis("redis", debug)]);
    await source.call("SELECT", "3");
    await fillUgly(source);
    await source.call("SELECT", "0");
    await fillUgly(source);
    await source.call("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)");
    await source.call("ACL", "SETUSER", "scans", "on", ">secret", "~*", "&*", "+@all", "-psync", "-sync");
    await source.call("ACL", "SETUSER", "types", "on", ">secret", "~*", "&*", "+@all", "-psync", "-sync", "-dump");
    await source.call("ACL", "SETUSER", "selects", "on", ">secret", "~cache:*", "+get", "(~other:* +set)");
  });
  after(() => Promise.all([source.stop(), target.stop()]));

  it("brings every type of every logical database back as it was, by replication", async () => {
    const captured = await captureRedis(source.url);
    assert.equal(captured.consistency, "transactional");
    const { digest, notes } = await restoreRedis(captured, target.url);
    assert.deepEqual(digest, captured.rows.get("keys")!.digest);
    assert.equal(digest.rows, 56);
    assert.deepEqual(notes, []);
    assert.deepEqual(await serverDigest(target, [0, 3]), await serverDigest(source, [0, 3]));
    assert.deepEqual(await target.call("FUNCTION", "LIST", "WITHCODE"), await source.call("FUNCTION", "LIST", "WITHCODE"));
    assert.deepEqual(await target.call("ACL", "LIST"), await source.call("ACL", "LIST"));
    await target.call("SELECT", "0");
    await source.call("SELECT", "0");
    for (const key of ["expiring", "string"]) assert.equal(await target.call("PEXPIRETIME", key), await source.call("PEXPIRETIME", key));
    const fields = ["HPEXPIRETIME", "expiring hash", "FIELDS", "3", "stays", "goes", "goes later"] as const;
    assert.deepEqual(await target.call(...fields), await source.call(...fields));
  });

  it("reads the very same records by SCAN with DUMP, and by the commands of each type", async () => {
    const [whole, scanned, typed] = [
      await captureRedis(source.url),
      await captureRedis(userUrl(source, "scans")),
      await captureRedis(userUrl(source, "types")),
    ];
    assert.deepEqual([scanned.consistency, typed.consistency], ["fuzzy", "fuzzy"]);
    assert.match(scanned.plan.notes.join(), /SCAN, with DUMP .*PSYNC/);
    assert.match(typed.plan.notes.join(), /SCAN, then by type.*DUMP/);
    assert.deepEqual(scanned.rows.get("keys")!.digest, whole.rows.get("keys")!.digest);
    assert.deepEqual(typed.rows.get("keys")!.digest, whole.rows.get("keys")!.digest);
  });

  it("restores streams by commands where RESTORE is forbidden, and says what that loses", async () => {
    const one = await captureRedis(`${source.url}/3`);
    await target.call("ACL", "SETUSER", "writes", "on", ">secret", "~*", "&*", "+@all", "-restore");
    const { digest, notes } = await restoreRedis(one, `${userUrl(target, "writes")}/7`);
    assert.match(notes.join(), /RESTORE.*last seen/);
    assert.equal(digest.rows, 28);
    await target.call("SELECT", "7");
    await source.call("SELECT", "3");
    const entries = ["XRANGE", "stream", "-", "+"] as const;
    assert.deepEqual(await target.call(...entries), await source.call(...entries));
    // All but the one whose entry was deleted.
    assert.deepEqual(
      ((await target.call("XPENDING", "stream", "group")) as unknown[])[0],
      Number(((await source.call("XPENDING", "stream", "group")) as unknown[])[0]) - 1,
    );
  });

  it("puts one logical database into another", async () => {
    const one = await captureRedis(`${source.url}/3`);
    assert.equal(one.plan.databaseName, "3");
    const { digest } = await restoreRedis(one, `${target.url}/5`);
    assert.deepEqual(digest, one.rows.get("keys")!.digest);
  });

  it("captures and restores an empty server", async () => {
    const [empty, other] = await Promise.all([startRedis(), startRedis()]);
    try {
      const captured = await captureRedis(empty.url);
      const { digest } = await restoreRedis(captured, other.url);
      assert.equal(digest.rows, 0);
    } finally {
      await Promise.all([empty.stop(), other.stop()]);
    }
  });

  for (const program of ["redis6", "valkey"] as const)
    it(`reads ${program} by every way, and a Redis 8 holds the same`, { skip: !otherServers }, async () => {
      const [older, newer] = await Promise.all([startRedis(program), startRedis()]);
      try {
        await fillUgly(older, { fields: program === "valkey" });
        await older.call("ACL", "SETUSER", "scans", "on", ">secret", "~*", "+@all", "-psync", "-sync");
        await older.call("ACL", "SETUSER", "types", "on", ">secret", "~*", "+@all", "-psync", "-sync", "-dump");
        const captured = await captureRedis(older.url);
        assert.equal(captured.consistency, "transactional");
        const scanned = await captureRedis(userUrl(older, "scans"));
        const typed = await captureRedis(userUrl(older, "types"));
        const { digest } = captured.rows.get("keys")!;
        assert.deepEqual(scanned.rows.get("keys")!.digest, digest);
        assert.deepEqual(typed.rows.get("keys")!.digest, digest);
        const restored = await restoreRedis(captured, newer.url);
        assert.deepEqual(restored.digest, digest);
        const back = await restoreRedis(captured, `${older.url}/9`);
        assert.deepEqual(back.digest, digest);
      } finally {
        await Promise.all([older.stop(), newer.stop()]);
      }
    });
});

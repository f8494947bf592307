import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { recordsIn } from "../../core/databases/redis/record-reader.ts";
import { redis } from "../../core/databases/redis/redis.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { captureRedis, type RedisServer, signal, startRedis } from "./redis-place.ts";

describe("Redis, while others write", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
    await server.call("ACL", "SETUSER", "scans", "on", ">secret", "~*", "+@all", "-psync", "-sync");
    await server.call("ACL", "SETUSER", "types", "on", ">secret", "~*", "+@all", "-psync", "-sync", "-dump");
  });
  after(() => server.stop());
  const as = (user: string) => server.url.replace("://", `://${user}:secret@`);

  const fill = (count: number, make: (n: number) => readonly [string, string]): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, (_, n) => server.call("SET", ...make(n))));

  /** Writes until told to stop. */
  const writing = (write: (n: number) => Promise<unknown>): (() => Promise<void>) => {
    let on = true;
    const done = (async () => {
      for (let n = 0; on; n++) await write(n);
    })();
    return async () => {
      on = false;
      await done;
    };
  };

  it("replication is one moment: what is always written together is together in the copy", async () => {
    await fill(5_000, (n) => [`filler ${n}`, "x".repeat(1_000)]);
    await Promise.all([server.call("SET", "first", ""), server.call("SET", "last", "")]);
    const stop = writing((n) =>
      Promise.all([server.call("MULTI"), server.call("SET", "first", `${n}`), server.call("SET", "last", `${n}`), server.call("EXEC")]),
    );
    try {
      for (let round = 0; round < 5; round++) {
        const { rows } = await captureRedis(server.url);
        const records = [...recordsIn(rows.get("keys")!.content)];
        const contentOf = (name: string) => String(records.find(({ key }) => key.toString() === name)!.body);
        assert.equal(contentOf("first"), contentOf("last"));
      }
    } finally {
      await stop();
    }
  });

  for (const user of ["scans", "types"])
    it(`a scan (${user}) meets keys that vanish, change their type and come anew, and gives each that stays once`, async () => {
      await server.call("FLUSHALL");
      await fill(3_000, (n) => [`stays ${n}`, `${n}`]);
      const stop = writing(async (n) => {
        const key = `changes ${n % 50}`;
        await server.call("DEL", key);
        if (n % 3 === 0) await server.call("RPUSH", key, "a", "b");
        if (n % 3 === 1) await server.call("SET", key, "text");
        if (n % 3 === 2) await server.call("HSET", key, "field", "value");
        // So that the table grows, and is told twice in part.
        await server.call("SET", `new ${n}`, "x");
      });
      try {
        const { rows } = await captureRedis(as(user));
        const records = [...recordsIn(rows.get("keys")!.content)];
        const names = records.map(({ key }) => key.toString());
        assert.equal(new Set(names).size, names.length);
        assert.equal(names.filter((name) => name.startsWith("stays ")).length, 3_000);
        for (const { key, body } of records) if (key.toString().startsWith("stays ")) assert.equal(`stays ${body}`, key.toString());
      } finally {
        await stop();
      }
    });

  it("keys that have to be read alone leave out none of those that were told with them", async () => {
    await server.call("FLUSHALL");
    await fill(1_000, (n) => [`small ${n}`, `${n}`]);
    for (let n = 0; n < 40; n++) await server.call("RPUSH", `large ${n}`, ...Array.from({ length: 200 }, String));
    const { rows } = await captureRedis(as("types"));
    assert.equal([...recordsIn(rows.get("keys")!.content)].length, 1_040);
  });

  it("a key that expires or vanishes between its name and its content is passed over", async () => {
    await server.call("FLUSHALL");
    await fill(3_000, (n) => [`k${n}`, "x".repeat(500)]);
    for (const user of ["scans", "types"]) {
      const hold = await redis.hold(as(user), signal);
      const plan = await redis.plan(as(user), hold.token, { partBytes: 1 }, signal);
      const stream = plan.streams.find(({ kind }) => kind === "rows")!;
      let blocks = 0;
      let rows = 0;
      for await (const block of redis.read(as(user), hold.token, stream, stream.parts[0]!, signal)) {
        rows += [...recordsIn(block)].length;
        if (blocks === 0) await server.call("FLUSHALL");
        blocks += 1;
      }
      assert.ok(rows > 0 && rows < 3_000, `${rows}`);
      await fill(3_000, (n) => [`k${n}`, "x".repeat(500)]);
    }
  });

  it("a large key that becomes another while it is read by steps fails the backup, since half of it is no copy", async () => {
    await server.call("FLUSHALL");
    await server.call("RPUSH", "list", ...Array.from({ length: 20_000 }, (_, n) => `${n} ${"x".repeat(80)}`));
    const hold = await redis.hold(as("types"), signal);
    const plan = await redis.plan(as("types"), hold.token, { partBytes: 1 }, signal);
    const stream = plan.streams.find(({ kind }) => kind === "rows")!;
    const reading = (async () => {
      for await (const _ of redis.read(as("types"), hold.token, stream, stream.parts[0]!, signal)) await server.call("SET", "list", "text");
    })();
    await assert.rejects(reading, (error) => isFailure(error, "SourceChanged") && /large list/.test(error.message));
  });
});

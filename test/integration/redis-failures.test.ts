import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTo, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { redis } from "../../core/databases/redis/redis.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { captureRedis, fillUgly, otherServers, type RedisServer, restoreRedis, signal, startRedis } from "./redis-place.ts";

const fails = (type: FailureType, words: RegExp) => (error: unknown) => {
  assert.ok(isFailure(error), String(error));
  assert.equal(error.type, type, error.message);
  assert.match(error.message, words);
  assert.doesNotMatch(error.message, /secret/);
  return true;
};

describe("Redis, what goes wrong", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
    await fillUgly(server);
    await server.call("ACL", "SETUSER", "scans", "on", ">secret", "~*", "&*", "+@all", "-psync", "-sync");
    await server.call("ACL", "SETUSER", "types", "on", ">secret", "~*", "&*", "+@all", "-psync", "-sync", "-dump");
    await server.call("ACL", "SETUSER", "nothing", "on", ">secret", "~*", "+ping", "+info", "+select");
    await server.call("ACL", "SETUSER", "some", "on", ">secret", "~stri*", "+@all", "-psync", "-sync");
  });
  after(() => server.stop());
  const as = (user: string, password = "secret") => server.url.replace("://", `://${user}:${password}@`);

  it("a wrong password, a missing one, and nobody there", async () => {
    await assert.rejects(redis.probe(as("scans", "secret2"), signal), fails("AuthenticationRejected", /rejected/));
    const locked = await startRedis("redis", ["--requirepass", "secret"]).catch(() => undefined);
    assert.ok(locked);
    try {
      await assert.rejects(redis.hold(locked.url, signal), fails("AuthenticationRejected", /wants a password/));
    } finally {
      await locked.stop();
    }
    await assert.rejects(redis.probe(locked.url, signal), fails("DatabaseUnreachable", /ECONNREFUSED/));
    await assert.rejects(redis.probe(`${server.url}/99`, signal), fails("DatabaseMissing", /no logical database/));
  });

  it("a user who may neither replicate nor scan is a problem of the probe, with what to grant", async () => {
    const { problems } = await redis.probe(as("nothing"), signal);
    assert.deepEqual(
      problems.map(({ type }) => type),
      ["PermissionMissing"],
    );
    assert.match(problems[0]!.message, /\+psync/);
    assert.deepEqual((await redis.probe(as("types"), signal)).problems, []);
  });

  it("a user who may read some keys only is told so, rather than given a part", async () => {
    await assert.rejects(captureRedis(as("some")), fails("PermissionMissing", /NOPERM/));
  });

  it("a budget of commands that the keys would burst is refused by the plan; one that is burst on the way ends the capture", async () => {
    await assert.rejects(captureRedis(`${as("scans")}/0?commandBudget=100`), fails("CostCapExceeded", /28 keys.*commandBudget.*100/));
    const url = `${as("scans")}/0?commandBudget=200`;
    const before = await server.call("INFO", "commandstats");
    const captured = await captureRedis(url);
    assert.equal(captured.rows.get("keys")!.digest.rows, 28);
    assert.ok(before);
    const hold = await redis.hold(url, signal);
    const plan = await redis.plan(url, hold.token, { partBytes: 1 }, signal);
    for (let n = 0; n < 200; n++) await server.call("SET", `added ${n}`, "x");
    const [stream] = plan.streams.filter(({ kind }) => kind === "rows");
    const read = async () => {
      for await (const _ of redis.read(url, hold.token, stream!, stream!.parts[0]!, signal));
    };
    await assert.rejects(read(), fails("CostCapExceeded", /keys were added/));
    for (let n = 0; n < 200; n++) await server.call("DEL", `added ${n}`);
  });

  it("spends no more commands than its budget says", async () => {
    await server.call("CONFIG", "RESETSTAT");
    await captureRedis(`${as("types")}/0?commandBudget=400`);
    const processed = Number(/total_commands_processed:(\d+)/.exec(String(await server.call("INFO", "stats")))![1]);
    assert.ok(processed <= 400, `${processed} commands`);
  });

  it("a connection that is cut in the middle of the RDB", async () => {
    const front = await cuttingFront(server.port, 1_000_000);
    try {
      await assert.rejects(captureRedis(`redis://127.0.0.1:${front.port}`), fails("HoldLost", /before its RDB was whole/));
    } finally {
      front.server.close();
    }
  });

  it("a store that takes nothing for longer than the server's patience with replicas", async () => {
    const patient = await startRedis("redis", ["--rdbcompression", "no", "--repl-timeout", "10"]);
    try {
      // More than sockets hold.
      for (const key of ["one", "two"]) await patient.call("SETRANGE", key, String((48 << 20) - 1), "x");
      const { token, close } = await redis.hold(patient.url, signal);
      const { streams } = await redis.plan(patient.url, token, { partBytes: 1 << 20 }, signal);
      const keys = streams.find(({ kind }) => kind === "rows")!;
      let bytes = 0;
      for await (const block of redis.read(patient.url, token, keys, keys.parts[0]!, signal)) {
        if (bytes === 0) await delay(13_000);
        bytes += block.length;
      }
      assert.ok(bytes > 96 << 20, `${bytes} bytes`);
      await close();
    } finally {
      await patient.stop();
    }
  });

  it("a proxy that closes the connection on PSYNC is read by SCAN", async () => {
    const front = await closingFront(server.port, "PSYNC");
    try {
      const captured = await captureRedis(`redis://127.0.0.1:${front.port}/0`);
      assert.equal(captured.consistency, "fuzzy");
      assert.equal(captured.rows.get("keys")!.digest.rows, 28);
    } finally {
      front.server.close();
    }
  });

  it("a capture that is aborted ends at once, and leaves the server alone", async () => {
    const aborting = new AbortController();
    const hold = await redis.hold(as("types"), signal);
    const plan = await redis.plan(as("types"), hold.token, { partBytes: 1 }, signal);
    const stream = plan.streams.find(({ kind }) => kind === "rows")!;
    const reading = (async () => {
      for await (const _ of redis.read(as("types"), hold.token, stream, stream.parts[0]!, aborting.signal))
        aborting.abort(new Error("enough"));
    })();
    await assert.rejects(reading, /enough/);
  });

  it("a target that holds keys is refused, one of them named as chosen too, and replaced when told to", async () => {
    const captured = await captureRedis(`${server.url}/0`);
    await server.call("SELECT", "6");
    await server.call("SET", "string", "mine");
    await server.call("SET", "other", "mine too");
    await assert.rejects(restoreRedis(captured, `${server.url}/6`), fails("TargetNotEmpty", /database 6 holds 2 keys/));
    const part = { by: "record", only: ["*"], except: [] } as const;
    await assert.rejects(restoreRedis(captured, `${server.url}/6`, { part }), fails("TargetNotEmpty", /1 of the chosen keys/));
    assert.equal(String(await server.call("GET", "string")), "mine");
    await restoreRedis(captured, `${server.url}/6`, { part, replace: true });
    assert.deepEqual([String(await server.call("GET", "string")), String(await server.call("GET", "other"))], ["value", "mine too"]);
    const { digest } = await restoreRedis(captured, `${server.url}/6`, { replace: true });
    assert.deepEqual(digest, captured.rows.get("keys")!.digest);
    await server.call("FLUSHDB");
    await server.call("SELECT", "0");
  });

  it("several logical databases do not fit into one, which is said before anything is written", async () => {
    await server.call("SELECT", "2");
    await server.call("SET", "a", "b");
    const captured = await captureRedis(server.url);
    await assert.rejects(restoreRedis(captured, `${server.url}/8`), fails("UsageInvalid", /logical databases 0, 2/));
    await server.call("FLUSHDB");
    await server.call("SELECT", "0");
  });

  it("a target whose user may not ask for INFO is looked at all the same", async () => {
    const [source, target] = await Promise.all([startRedis(), startRedis()]);
    try {
      await fillUgly(source, { fields: false });
      await source.call("SELECT", "5");
      await source.call("SET", "elsewhere", "x");
      const captured = await captureRedis(source.url);
      await target.call("ACL", "SETUSER", "blind", "on", ">secret", "~*", "&*", "+@all", "-info");
      const blind = target.url.replace("://", "://blind:secret@");
      await target.call("SELECT", "3");
      await target.call("SET", "theirs", "x");
      await assert.rejects(restoreRedis(captured, blind), fails("TargetNotEmpty", /database 3 holds 1 keys/));
      const restored = await restoreRedis(captured, blind, { replace: true });
      assert.deepEqual(restored.digest, captured.rows.get("keys")!.digest);
      assert.equal(await target.call("GET", "theirs"), null);
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  });

  it("an older target that knows no expiring fields is refused before anything is written", { skip: !otherServers }, async () => {
    const older = await startRedis("redis6");
    try {
      const captured = await captureRedis(server.url);
      await assert.rejects(restoreRedis(captured, older.url), fails("EngineUnsupported", /fields that expire.*6\.2.*nothing was written/));
      assert.equal(await older.call("DBSIZE"), 0);
      // Without such fields a snapshot of Redis 8, whose payloads no Redis 6 reads, is restored by types.
      await server.call("SELECT", "2");
      await fillUgly(server, { fields: false });
      await server.call("DEL", "stream", "emptied", "large ids");
      const plain = await captureRedis(`${server.url}/2`);
      const { digest } = await restoreRedis(plain, older.url);
      assert.deepEqual(digest, plain.rows.get("keys")!.digest);
    } finally {
      await server.call("SELECT", "2");
      await server.call("FLUSHDB");
      await server.call("SELECT", "0");
      await older.stop();
    }
  });

  it("a target without memory left", async () => {
    const small = await startRedis("redis", ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    try {
      await assert.rejects(restoreRedis(await captureRedis(`${server.url}/0`), small.url), fails("RestoreFailed", /no memory left/));
    } finally {
      await small.stop();
    }
  });
});

/** Passes bytes on, and cuts the connection of a replica after so many of them. */
const cuttingFront = (port: number, most: number) => {
  const passed = new WeakMap<Socket, number>();
  return openFront(port, (client, data, fromServer) => {
    if (fromServer) passed.set(client, (passed.get(client) ?? 0) + data.length);
    return (passed.get(client) ?? 0) > most;
  });
};

/** Closes the connection of whoever sends the command. */
const closingFront = (port: number, command: string) => openFront(port, (_, data, fromServer) => !fromServer && data.includes(command));

const openFront = async (
  port: number,
  cuts: (client: Socket, data: Buffer, fromServer: boolean) => boolean,
): Promise<{ server: Server; port: number }> => {
  const server = createServer((client) => {
    const upstream: Socket = connectTo(port, "127.0.0.1");
    const pass = (from: Socket, to: Socket, fromServer: boolean) =>
      from
        .on("data", (data: Buffer) => {
          if (cuts(client, data, fromServer)) {
            client.destroy();
            upstream.destroy();
          } else to.write(data);
        })
        .on("error", () => {})
        .on("close", () => to.destroy());
    pass(client, upstream, false);
    pass(upstream, client, true);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port };
};

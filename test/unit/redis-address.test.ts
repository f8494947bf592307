import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorReply } from "@redis/client";
import { parseAddress, withDatabase } from "../../core/databases/redis/address.ts";
import { redisFailure } from "../../core/databases/redis/failures.ts";
import { factsOf } from "../../core/databases/redis/server-facts.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";

describe("Redis URLs", () => {
  it("say host, user, password, logical database and budget", () => {
    const { host, port, tls, username, password, database, commandBudget, label } = parseAddress(
      "rediss://me:p%40ss@db.example:6380/3?commandBudget=5000",
    );
    assert.deepEqual(
      { host, port, tls, username, password, database, commandBudget, label },
      {
        host: "db.example",
        port: 6380,
        tls: true,
        username: "me",
        password: "p@ss",
        database: 3,
        commandBudget: 5000,
        label: "db.example:6380/3",
      },
    );
    const plain = parseAddress("redis://:only@[::1]");
    assert.deepEqual([plain.host, plain.port, plain.username, plain.password, plain.database], ["::1", 6379, undefined, "only", undefined]);
  });

  it("that cannot be read are refused without showing what they hold", () => {
    for (const url of [
      "redis://me:hunter2@x@host/0",
      "http://hunter2@host",
      "redis://:hunter2@host/zero",
      "redis://h/0?hunter2=1",
      "redis://h/0?commandBudget=many",
      "redis://:%zz@h",
    ])
      assert.throws(
        () => parseAddress(url),
        (error) => isFailure(error, "ConfigurationInvalid") && !(url.includes("?") ? false : error.message.includes("hunter2")),
        url,
      );
  });

  it("are the same for another logical database", () => {
    assert.equal(withDatabase("redis://u:p@h:1", 4), "redis://u:p@h:1/4");
    assert.equal(withDatabase("redis://u:p@h:1/?commandBudget=9", 4), "redis://u:p@h:1/4?commandBudget=9");
    assert.equal(withDatabase("redis://u:p@h:1/12", 4), "redis://u:p@h:1/4");
  });
});

describe("Redis errors", () => {
  const address = parseAddress("redis://user:hunter2@h/0");
  const cases: readonly (readonly [string, FailureType])[] = [
    ["WRONGPASS invalid username-password pair or user is disabled.", "AuthenticationRejected"],
    ["NOAUTH Authentication required.", "AuthenticationRejected"],
    ["NOPERM User user has no permissions to run the 'dump' command", "PermissionMissing"],
    ["LOADING Redis is loading the dataset in memory", "DatabaseUnreachable"],
    ["BUSY Redis is busy running a script.", "DatabaseUnreachable"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "RestoreFailed"],
    ["MASTERDOWN Link with MASTER is down", "DatabaseUnreachable"],
    ["ERR unknown command 'PSYNC', with args beginning with: ", "PermissionMissing"],
    ["ERR max requests limit exceeded. Limit: 500000", "CostCapExceeded"],
    ["ERR something else", "Unexpected"],
  ];
  for (const [message, type] of cases)
    it(`${message.split(" ")[0]} ${type}`, () => {
      const failure = redisFailure(new ErrorReply(`${message}`), address, "reading hunter2 keys");
      assert.equal(failure.type, type);
      assert.doesNotMatch(failure.message, /hunter2/);
    });
});

describe("what INFO says", () => {
  it("is read of Redis and Valkey, and missing where it is forbidden", () => {
    const redis = factsOf(
      "redis_version:6.2.5\r\nmaxmemory:5\r\ncluster_enabled:1\r\nmodule:name=ReJSON,ver=20809\r\n# Keyspace\r\ndb3:keys=2,expires=0\r\ndb0:keys=12,expires=1,avg_ttl=0,subexpiry=4\r\n",
    );
    assert.deepEqual(
      [redis.flavor, redis.version, redis.streamDetail, redis.clustered, redis.modules],
      ["redis", "6.2.5", 1, true, ["ReJSON"]],
    );
    assert.deepEqual(redis.keyspace, [
      { database: 0, keys: 12, expiringHashes: 4 },
      { database: 3, keys: 2, expiringHashes: 0 },
    ]);
    const valkey = factsOf("redis_version:7.2.4\nvalkey_version:9.1.2\n");
    assert.deepEqual([valkey.flavor, valkey.version, valkey.streamDetail], ["valkey", "9.1.2", 3]);
    assert.equal(factsOf(undefined).keyspace, undefined);
  });
});

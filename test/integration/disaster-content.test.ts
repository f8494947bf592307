import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createClient } from "@redis/client";
import { type Db, MongoClient } from "mongodb";
import { contentOf } from "../disaster/content.ts";
import { useStack } from "../stack/use-stack.ts";
import { databaseAt } from "./cosmos-place.ts";
import { serverAt } from "./postgres-support.ts";

// What the disaster drill compares with: the same content in another order is the same, and one value that differs is not.
const stack = await useStack("postgres", "mongodb", "redis", "cosmos");
const { bin } = stack.postgres;
const own = (): string => `content_${randomBytes(5).toString("hex")}`;

test("of PostgreSQL", async (t) => {
  const server = serverAt(stack.postgres.url, bin);
  t.after(() => server.cleanUp());
  const filled = async (rows: string): Promise<string> => {
    const url = await server.database("content");
    await server.sql(url, `CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES ${rows}`);
    return await contentOf("postgres", url, bin);
  };
  const base = await filled("(1, 'a'), (2, 'b')");
  assert.equal(await filled("(2, 'b'), (1, 'a')"), base);
  assert.notEqual(await filled("(1, 'a'), (2, 'c')"), base);
});

test("of MongoDB", async (t) => {
  const client = new MongoClient(stack.mongodb.url);
  const made: Db[] = [];
  t.after(async () => {
    for (const database of made) await database.dropDatabase();
    await client.close();
  });
  const filled = async (documents: { _id: number; name: string }[]): Promise<string> => {
    const database = client.db(own());
    made.push(database);
    await database.collection<{ _id: number; name: string }>("c").insertMany(documents);
    return await contentOf("mongodb", Object.assign(new URL(stack.mongodb.url), { pathname: `/${database.databaseName}` }).href, bin);
  };
  const [a, b] = [
    { _id: 1, name: "a" },
    { _id: 2, name: "b" },
  ];
  const base = await filled([a, b]);
  assert.equal(await filled([b, a]), base);
  assert.notEqual(await filled([a, { ...b, name: "c" }]), base);
});

test("of Redis", async () => {
  const url = `${stack.redis.url}/13`;
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  try {
    const filled = async (...commands: string[][]): Promise<string> => {
      await client.sendCommand(["FLUSHDB"]);
      for (const command of commands) await client.sendCommand(command);
      return await contentOf("redis", url, bin);
    };
    const others = [
      ["RPUSH", "list", "1", "2"],
      ["SADD", "set", "x", "y"],
      ["ZADD", "sorted", "1", "a"],
      ["SET", "text", "v", "PXAT", "99999999999999"],
    ];
    const base = await filled(["HSET", "h", "a", "1", "b", "2"], ...others);
    assert.equal(await filled(...others, ["HSET", "h", "b", "2", "a", "1"]), base);
    assert.notEqual(await filled(["HSET", "h", "a", "2", "b", "1"], ...others), base, "the same words, otherwise paired");
    assert.notEqual(await filled(["HSET", "h", "a", "1", "b", "2"], ...others, ["PERSIST", "text"]), base);
    assert.notEqual(await filled(["HSET", "h", "a", "1", "b", "2"], ["RPUSH", "list", "2", "1"], ...others.slice(1)), base);
  } finally {
    await client.sendCommand(["FLUSHDB"]);
    client.destroy();
  }
});

test("of Cosmos DB", async () => {
  const filled = async (...totals: number[]): Promise<string> => {
    await using place = await databaseAt(stack.cosmos.endpoint, stack.cosmos.key, own());
    const items = totals.map((total) => ({ id: `order ${total}`, customer: "c", total }));
    await place.container({ id: "orders", partitionKey: { paths: ["/customer"] } }, items);
    return await contentOf("cosmos", place.url, bin);
  };
  const base = await filled(1, 2);
  assert.equal(await filled(2, 1), base);
  assert.notEqual(await filled(1, 3), base);
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BSON, type Document, MongoClient } from "mongodb";
import { createSampleDocuments } from "../sample/mongodb-database.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

/** Names that someone has quoted wrongly somewhere, nothing at all, and a single row of a hundred megabytes. */
describe("bad input: names, emptiness, and size", () => {
  const startStack = () => useStack("temporal", "postgres", "mongodb", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let cli: WatchedCli;
  const urls: Record<string, string> = {};
  const made: string[] = [];
  const postgres = async (name: string): Promise<string> => {
    // The client of these tests leaves %24 as it is.
    const url = (await createSampleDatabase(stack.postgres.url, name)).replaceAll("%24", "$");
    made.push(url);
    return url;
  };

  before(async () => {
    stack = await startStack();
    [urls.ugly, urls.empty, urls.huge] = (await Promise.all([uglyName, "names_empty", "names_huge"].map(postgres))) as [
      string,
      string,
      string,
    ];
    await runSql(urls.ugly, ugly);
    await runSql(
      urls.huge,
      `CREATE TABLE huge (n int PRIMARY KEY, text text); INSERT INTO huge SELECT 1, repeat('sehr groß ', 10000000); INSERT INTO huge VALUES (2, 'klein')`,
    );
    urls.documents = await createSampleDocuments(stack.mongodb.url, "names_documents", collections);
    urls["no-documents"] = await createSampleDocuments(stack.mongodb.url, "names_no_documents", {});
    test = await createTestSite({
      name: "names",
      stack,
      databases: Object.entries(urls).map(([name, url]) => ({ name, engine: url.startsWith("mongodb") ? "mongodb" : "postgres", url })),
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    cli = await openSiteCli(test);
    await test.worker();
  });
  after(async () => {
    await test?.close();
    for (const url of made)
      await runSql(
        stack.postgres.url,
        `DROP DATABASE IF EXISTS "${decodeURIComponent(databaseOf(url)).replaceAll('"', '""')}" WITH (FORCE)`,
      );
  });

  /** Backs up, restores into `target`, and returns how many rows there were. */
  const there = async (database: string, target: string): Promise<number> => {
    const backup = await cli.json("backup", database);
    assert.equal(backup.code, 0, JSON.stringify(backup.json));
    const restore = await cli.json("restore", backup.json.snapshot, "--to", target);
    assert.equal(restore.code, 0, JSON.stringify(restore.json));
    assert.deepEqual([restore.json.identical, restore.json.rows], [true, backup.json.rows]);
    return backup.json.rows;
  };
  const assertSame = async (source: string, target: string, sql: string): Promise<void> =>
    assert.deepEqual(await runSql(target, sql), await runSql(source, sql), sql);

  it("quotes, spaces, Unicode, dots and dollar signs, in every place of PostgreSQL that has a name", async () => {
    const target = await postgres(`Ziel ${uglyName}`);
    assert.equal(await there("ugly", target), 3 + 2 + 3 + 2);
    for (const sql of [
      `SELECT t::text FROM ${table} t ORDER BY 1`,
      `SELECT t::text FROM "names.in"."SELECT" t ORDER BY 1`,
      'SELECT count(*)::int AS n FROM "names.in"."no columns"',
      'SELECT * FROM "names.in"."view $1"',
      "SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information)' ORDER BY 1, 2",
      "SELECT indexdef FROM pg_indexes WHERE schemaname !~ '^pg_' ORDER BY 1",
      "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace > 16000 ORDER BY 1",
      `SELECT obj_description('${table.replaceAll("'", "''")}'::regclass)`,
    ])
      await assertSame(urls.ugly as string, target, sql);
    const drill = await cli.json("drill", "ugly");
    assert.deepEqual([drill.code, drill.json.identical], [0, true]);
  });

  it("an empty PostgreSQL database", async () => {
    assert.equal(await there("empty", await postgres("names_empty_target")), 0);
    const drill = await cli.json("drill", "empty");
    assert.deepEqual([drill.code, drill.json.identical, drill.json.rows], [0, true, 0]);
  });

  it("a row of 100 MB", async () => {
    const target = await postgres("names_huge_target");
    assert.equal(await there("huge", target), 2);
    await assertSame(urls.huge as string, target, "SELECT n, length(text), md5(text) FROM huge ORDER BY n");
  });

  it("quotes, spaces, Unicode and dots in MongoDB, empty collections, and a document of 8 MB", async () => {
    const target = await createSampleDocuments(stack.mongodb.url, "names_documents_target", {});
    const documents = Object.values(collections).flat();
    assert.equal(await there("documents", target), documents.length);
    assert.deepEqual(await contentOf(target), await contentOf(urls.documents as string));
  });

  it("an empty MongoDB database", async () => {
    assert.equal(await there("no-documents", await createSampleDocuments(stack.mongodb.url, "names_no_documents_target", {})), 0);
  });

  it("told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});

const uglyName = `Bü"ch'er $1.a b`;
const table = `"Sch""ema $1.x's"."ta""ble 'ü.$$ \\ %s"`;

const ugly = `
  CREATE SCHEMA "Sch""ema $1.x's"; CREATE SCHEMA "names.in";
  CREATE TYPE "names.in"."mo""od $" AS ENUM ('g''ut', 'mü"de', '$$');
  CREATE TABLE ${table} ("co""l" int PRIMARY KEY, "$1" text, "日本 語" "names.in"."mo""od $", " a.b'c" numeric, "${"l".repeat(63)}" text);
  INSERT INTO ${table} VALUES (1, E'tab\\there\\nline \\\\. end', 'g''ut', 1.10, '\\N'), (2, '', 'mü"de', NULL, NULL), (3, NULL, '$$', 'NaN', '😀');
  COMMENT ON TABLE ${table} IS 'it''s $$ \\ "quoted"';
  CREATE INDEX "in""dex $ ü" ON ${table} ((lower("$1")), "日本 語");
  CREATE TABLE "names.in"."SELECT" ("from" serial PRIMARY KEY, "where" int CONSTRAINT "fk "" $" REFERENCES ${table});
  INSERT INTO "names.in"."SELECT" ("where") VALUES (1), (3);
  CREATE TABLE "names.in"."no columns" ();
  INSERT INTO "names.in"."no columns" SELECT FROM generate_series(1, 3);
  CREATE TABLE "names.in"."no rows" ("a ""b" int);
  CREATE TABLE "one.column" ("only" text); INSERT INTO "one.column" VALUES (''), (NULL);
  CREATE VIEW "names.in"."view $1" AS SELECT "co""l" AS "co""l ü", "日本 語" FROM ${table} ORDER BY 1`;

const collections: Readonly<Record<string, readonly Document[]>> = {
  // The server that stands in for MongoDB here fails on double quotes in names.
  "quo'te s.of ü": [{ _id: 1 as never, "ke'y ü": { "in ner": [null, "😀"] } }, { _id: "zwei" as never }],
  system: [{ _id: 1 as never, x: 1 }],
  "日本.語": [{ _id: 1 as never, "": "no name" }],
  empty: [],
  large: [
    { _id: 1 as never, text: "groß ".repeat(1_400_000) },
    { _id: 2 as never, text: "klein" },
  ],
};

/** By collection, every document with its types; of long texts what tells them apart. */
const contentOf = async (url: string): Promise<unknown> => {
  const client = new MongoClient(url);
  try {
    const names = (await client.db().listCollections().toArray()).map(({ name }) => name).sort();
    const found = names.map(async (name) => [name, await client.db().collection(name).find().sort({ _id: 1 }).toArray()]);
    return BSON.EJSON.serialize(await Promise.all(found), { relaxed: false });
  } finally {
    await client.close();
  }
};

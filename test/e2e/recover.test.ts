import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { BSON, MongoClient } from "mongodb";
import { createSampleDocuments } from "../sample/mongodb-database.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { secretsOf } from "../sample/secrets.ts";
import { createDatabase, createTestSite, databaseOf, runSql } from "../sample/test-site.ts";
import { openCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

/** Three in the morning: what is left is a store, the recovery kit, and this program. */
describe("recover, without Temporal, catalog and configuration", () => {
  const startStack = () => useStack("temporal", "postgres", "mongodb", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let folder: string;
  let source: string;
  let events: string;
  let organization: string;
  let catalog: string;
  let target: string;
  let cli: WatchedCli;
  const drop = (url: string) => runSql(stack.postgres.url, `DROP DATABASE IF EXISTS "${databaseOf(url)}" WITH (FORCE)`);
  let snapshots: string[];
  const kit = "kit";
  const store = "store";

  before(async () => {
    stack = await startStack();
    folder = await mkdtemp(join(tmpdir(), "dbgov recover "));
    source = await createDatabase(stack, "recover_source");
    await runSql(source, shop);
    target = await createDatabase(stack, "recover_target");
    events = await createSampleDocuments(stack.mongodb.url, "recover_events", { clicks: documents, "leere Sammlung": [] });
    const test = await createTestSite({
      name: "recover",
      stack,
      databases: [
        { name: "shop", engine: "postgres", url: source },
        { name: "events", engine: "mongodb", url: events },
      ],
      policy: { archive: [] },
      change: (config) => {
        config.anchors = [];
      },
    });
    try {
      await test.worker();
      snapshots = await Promise.all(["shop", "events"].map(async (name) => (await test.backup(name)).snapshot));
      assert.equal((await test.dbgov("keys", "kit")).code, 0);
      const site = dirname(test.config);
      organization = test.site.loaded.config.organization;
      catalog = test.environment.DBGOV_CATALOG_URL as string;
      await cp(join(site, "recovery-kit"), join(folder, kit), { recursive: true });
      await cp(join(site, "store"), join(folder, store), { recursive: true });
      const secrets = [...(await secretsOf(test)).values()];
      // Nothing of the site's environment, either.
      const { PATH, HOME } = process.env;
      const env = { PATH, HOME, DBGOV_PG_BIN: stack.postgres.bin, AZURE_STORAGE_CONNECTION_STRING: stack.azurite.connectionString };
      cli = openCli({ cwd: folder, env, secrets });
    } finally {
      await test.close();
    }
    await drop(catalog);
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    for (const url of [source, target]) await drop(url);
  });

  const places: readonly (readonly [string, () => string])[] = [
    ["the folder", () => store],
    ["the Azure container", () => `${/BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1]}/${organization}-backups`],
    ["one IPFS peer", () => `ipfs+${stack.ipfs[1]?.api.replace(/\/$/, "")}/dbgov/${organization}`],
  ];
  for (const [what, address] of places) {
    it(`lists and recovers both databases from ${what}`, async () => {
      const from = ["--store", address(), "--kit", kit];
      const listed = await cli.json("recover", ...from, "--list");
      assert.equal(listed.code, 0);
      assert.deepEqual(
        new Map(listed.json.snapshots.map(({ snapshot, database, rows }: Listed) => [snapshot, [database, rows]])),
        new Map([
          [snapshots[0], ["shop", 500]],
          [snapshots[1], ["events", documents.length]],
        ]),
      );

      target = await createSampleDatabase(stack.postgres.url, databaseOf(target));
      const ofShop = await cli.json("recover", ...from, "--snapshot", "latest", "--database", "shop", "--to", target);
      assert.deepEqual([ofShop.code, ofShop.json.snapshot, ofShop.json.identical, ofShop.json.rows], [0, snapshots[0], true, 500]);
      for (const sql of contents) assert.deepEqual(await runSql(target, sql), await runSql(source, sql));

      const copy = await createSampleDocuments(stack.mongodb.url, "recover_copy", {});
      const ofEvents = await cli.json("recover", ...from, "--snapshot", snapshots[1] as string, "--to", copy);
      assert.deepEqual([ofEvents.code, ofEvents.json.identical, ofEvents.json.rows], [0, true, documents.length]);
      assert.deepEqual(await documentsOf(copy), await documentsOf(events));
    });
  }

  it("says for eyes what it does", async () => {
    target = await createSampleDatabase(stack.postgres.url, databaseOf(target));
    const { code, stdout, stderr } = await cli.run(
      "recover",
      "--store",
      store,
      "--kit",
      join(kit, "kit.json"),
      "--database",
      "shop",
      "--to",
      target,
    );
    assert.equal(code, 0);
    assert.match(stderr, /^recovering shop as of \d{4}-.* from \d{8}T\d{6}Z-[0-9a-f]{12}\n$/);
    assert.match(stdout, /^✓ shop from .*: 500 rows, .*\n {2}read back and compared: identical\n$/);
  });
});

interface Listed {
  readonly snapshot: string;
  readonly database: string;
  readonly rows: number;
}

const shop = `
  CREATE TYPE mood AS ENUM ('gut', 'müde');
  CREATE TABLE customer (id serial PRIMARY KEY, name text, feels mood, born date, tags text[], extra jsonb, photo bytea);
  INSERT INTO customer (name, feels, born, tags, extra, photo)
    SELECT nullif('Kundin ' || n, 'Kundin 7'), (ARRAY['gut', 'müde'])[1 + n % 2]::mood, date '1970-01-01' + n, ARRAY['a', NULL, 'ü' || n],
      jsonb_build_object('n', n), decode(md5(n::text), 'hex') FROM generate_series(1, 200) n;
  CREATE TABLE purchase (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customer, paid numeric, at timestamptz);
  INSERT INTO purchase (customer, paid, at) SELECT 1 + n % 200, n / 7.0, timestamptz '2026-01-01 00:00:00+01' + n * interval '1 hour' FROM generate_series(1, 300) n;
  CREATE INDEX ON purchase (customer, at DESC);
  CREATE VIEW revenue AS SELECT customer, sum(paid) AS paid FROM purchase GROUP BY 1`;

const contents = [
  "SELECT c::text FROM customer c ORDER BY id",
  "SELECT p::text FROM purchase p ORDER BY id",
  "SELECT r::text FROM revenue r ORDER BY customer",
  "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
  "SELECT last_value, is_called FROM customer_id_seq",
];

const documents = Array.from({ length: 120 }, (_, n) => ({
  _id: n,
  at: new Date(n * 1_000),
  page: `/süß/${n % 7}`,
  nested: { n: [n, null, -0.5] },
}));

/** Every document of every collection, types and all. */
const documentsOf = async (url: string): Promise<unknown> => {
  const client = new MongoClient(url);
  try {
    const names = (await client.db().listCollections().toArray()).map(({ name }) => name).sort();
    const found = names.map(async (name) => [name, await client.db().collection(name).find().sort({ _id: 1 }).toArray()]);
    return BSON.EJSON.serialize(await Promise.all(found), { relaxed: false });
  } finally {
    await client.close();
  }
};

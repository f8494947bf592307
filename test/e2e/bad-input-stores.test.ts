import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { getSnapshot, listSnapshots } from "../../core/catalog/read-snapshots.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

const accountKey = Buffer.from("account-Passw0rd-5").toString("base64");

/** Stores that answer errors, never answer, or are not what the configuration says. */
describe("bad input: stores", () => {
  const startStack = () => useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let cli: WatchedCli;
  let source: string;
  const servers: Server[] = [];
  /** Begun together, since what never answers takes half a minute to be given up. */
  const outcomes = new Map<string, Promise<{ code: number; json: { error: { type: string; message: string } } }>>();

  /** The connection string of an account that this server plays. */
  const account = async (answer: Parameters<typeof createServer>[1]): Promise<string> => {
    const server = createServer(answer as never).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme`;
    return `DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=${accountKey};BlobEndpoint=${endpoint}`;
  };

  before(async () => {
    stack = await startStack();
    source = await createDatabase(stack, "stores_source");
    await runSql(source, "CREATE TABLE orders AS SELECT n FROM generate_series(1, 50) n");
    const connections = {
      STORES_FAILING: await account((_request, response) => void response.writeHead(500).end()),
      STORES_HANGING: await account(() => {}),
      STORES_FORBIDDEN: stack.azurite.connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${accountKey}`),
      STORES_CUT: "DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=",
    };
    Object.assign(process.env, connections);
    const names = Object.keys(connections).map((variable) => ({ variable, name: variable.slice("STORES_".length).toLowerCase() }));
    test = await createTestSite({
      name: "bad-stores",
      stack,
      databases: [...names.map(({ name }) => name), "away", "landing"].map((name) => ({ name, engine: "postgres", url: source })),
      policy: { stores: [], copies: 1, domains: 1, archive: [] },
      change: (config) => {
        config.anchors = [];
        config.stores = config.stores.filter(({ name }: { name: string }) => name === "local");
        for (const { name, variable } of names)
          config.stores.push({ name, kind: "azure-blob", domain: name, connection: { env: variable }, container: "backups" });
        config.stores.push({ name: "away", kind: "ipfs", domain: "away", peers: [{ name: "a", api: "http://127.0.0.1:1" }] });
        const [base] = config.policies;
        const policyOf = (name: string) => ({ ...base, name, stores: [name], copies: 2, domains: 2, patience: "0s" });
        config.policies = [...names.map(({ name }) => policyOf(name)), policyOf("away")];
        config.policies.push({ ...base, name: "landing", landing: "failing", patience: "0s" });
        for (const database of config.databases) database.policy = database.name;
      },
    });
    cli = await openSiteCli(test);
    cli.addSecret(accountKey);
    await test.worker();
    for (const name of ["hanging", "failing", "forbidden", "cut", "away"]) outcomes.set(name, cli.json("backup", name));
  });
  after(async () => {
    await test?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(source)} WITH (FORCE)`);
  });

  /** The run fails for want of a second copy, says why, and its snapshot is not believed. */
  const assertMissed = async (database: string, why: RegExp): Promise<void> => {
    const { code, json } = await outcomes.get(database)!;
    assert.deepEqual([code, json.error.type], [1, "QuorumMissed"], JSON.stringify(json));
    assert.match(json.error.message, /^\d{8}T\d{6}Z-[0-9a-f]{12} is in 1 of 2 stores and 1 of 2 failure domains: /);
    assert.match(json.error.message, why);
    const [found] = await listSnapshots(await test.site.catalog(), { database });
    const states = (await getSnapshot(await test.site.catalog(), found!.snapshot))?.states.map(({ state }) => state);
    assert.deepEqual(states, ["captured", "sealed"]);
  };

  for (const [name, what, why] of [
    [
      "failing",
      "a store that answers 500",
      /failing: store "failing" \(http:\/\/127\.0\.0\.1:\d+\/acme\/backups\): .*the server answered 500/,
    ],
    [
      "forbidden",
      "a store that refuses the account key",
      /forbidden: store "forbidden" .*the server answered 403 \(AuthorizationFailure|AuthenticationFailed\)/,
    ],
    [
      "cut",
      "a connection string that was cut off",
      /cut: store "cut": the connection is neither a connection string nor a container's URL/,
    ],
    ["away", "an IPFS peer that is away", /away: store "away", peer "a" \(http:\/\/127\.0\.0\.1:1\): .* the connection failed/],
  ] as const) {
    it(what, () => assertMissed(name, why));
  }

  it("a landing store that answers 500: nothing is captured", async () => {
    await cli.fails({ code: 1, type: "StoreUnreachable", message: /store "failing" .*the server answered 500/ }, "backup", "landing");
    assert.deepEqual(await listSnapshots(await test.site.catalog(), { database: "landing" }), []);
  });

  it("a store that never answers", () =>
    assertMissed("hanging", /hanging: store "hanging" \(http:\/\/127\.0\.0\.1:\d+\/acme\/backups\): .*no answer within 30.0 s/));

  it("none of these snapshots is believed", async () => {
    const { json } = await cli.json("status");
    for (const { database, objectiveMet, lastFailure } of json.databases) {
      assert.equal(objectiveMet, false, database);
      if (database !== "landing") assert.match(lastFailure, /^QuorumMissed: /);
    }
    const message = /^away has no replicated snapshot$/;
    await cli.fails({ code: 4, type: "SnapshotUnknown", message }, "restore", "latest", "--database", "away", "--to", source);
  });

  it("check says the same of each, and that the folder is fine", async () => {
    await test.reconfigure((config) => {
      config.stores = config.stores.filter(({ name }: { name: string }) => name !== "hanging");
      config.policies = config.policies.filter(({ name }: { name: string }) => name !== "hanging");
      config.databases = config.databases.filter(({ name }: { name: string }) => name !== "hanging");
    });
    const { code, json } = await cli.json("check");
    const stores = json.checks.filter(({ kind }: { kind: string }) => kind === "store");
    assert.equal(code, 1);
    assert.deepEqual(
      stores.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok]),
      ["local", "failing", "forbidden", "cut", "away"].map((name) => [name, name === "local"]),
    );
    for (const { name, ok, details } of stores) if (!ok) assert.match(details[0], new RegExp(`store "${name}"`));
  });
});

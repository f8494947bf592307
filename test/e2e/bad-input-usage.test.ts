import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { commandSpecs } from "../../client/cli/commands.ts";
import type { FailureType } from "../../core/domain/failure.ts";
import { createKeys } from "../../core/site/create-keys.ts";
import { createDatabase, databaseOf, runSql } from "../sample/test-site.ts";
import { assertSentence, openCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

// biome-ignore lint/suspicious/noExplicitAny: a case's change may not fit the schema.
type RawConfig = any;

const nowhere = "127.0.0.1:1";
const password = "catalog-Passw0rd-4";

/** A configuration that is valid, of servers that are away. */
const validConfig = () => ({
  organization: "acme",
  temporal: { address: nowhere, namespace: "usage" },
  catalog: { env: "USAGE_CATALOG_URL" },
  keys: Object.fromEntries(["dedup", "index", "signing", "log"].map((name, at) => [keyNames[at], { file: `keys/${name}.secret` }])),
  recipients: [{ name: "recovery", publicKey: "keys/recovery.public", secretKey: { file: "keys/recovery.secret" } }],
  recoveryKit: "kit",
  databases: [{ name: "shop", engine: "postgres", url: { env: "USAGE_SHOP_URL" }, policy: "nightly" }],
  stores: [{ name: "local", kind: "directory", domain: "here", path: "store" }],
  policies: [{ name: "nightly", schedule: { cron: "15 2 * * *" }, landing: "local", stores: [], copies: 1, domains: 1 }],
  log: { origin: "acme.example/dbgov", store: "local" },
});
const keyNames = ["dedupSecret", "indexKey", "signingKey", "logKey"];

describe("bad input: usage, configuration, and services that are away", () => {
  let folder: string;
  let cli: WatchedCli;
  let catalog: string;
  let stack: { postgres: { url: string } };
  let temporal: string;
  let count = 0;
  /** With Temporal there, a check does not wait for it. */
  const writeWithTemporal = (change: (config: RawConfig) => void): Promise<string> =>
    write((config) => {
      config.temporal = { address: temporal };
      change(config);
    });
  const write = async (change: (config: RawConfig) => void = () => {}): Promise<string> => {
    const config = parse(stringify(validConfig()));
    change(config);
    count += 1;
    const name = `dbgov-${count}.yaml`;
    await writeFile(join(folder, name), stringify(config));
    return name;
  };

  before(async () => {
    const started = await useStack("postgres", "temporal");
    stack = started;
    temporal = started.temporal.address;
    catalog = await createDatabase(started, "usage_catalog");
    folder = await mkdtemp(join(tmpdir(), "dbgov usage "));
    await createKeys(join(folder, "keys"));
    const names = (await readdir(join(folder, "keys"))).filter((name) => name.endsWith(".secret"));
    const secrets = await Promise.all(names.map((name) => readFile(join(folder, "keys", name), "utf8")));
    const env = {
      ...process.env,
      USAGE_CATALOG_URL: `postgres://dbgov:${password}@${nowhere}/catalog`,
      USAGE_SHOP_URL: `postgres://dbgov:${password}@${nowhere}/shop`,
      USAGE_REAL_CATALOG_URL: catalog,
      USAGE_TEMPORAL: started.temporal.address,
    };
    cli = openCli({ cwd: folder, env, secrets: [password, new URL(catalog).password, ...secrets.map((text) => text.trim())] });
    await writeFile(join(folder, "dbgov.yaml"), stringify(validConfig()));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await runSql(stack.postgres.url, `DROP DATABASE IF EXISTS ${databaseOf(catalog)} WITH (FORCE)`);
  });

  it("every command has help with a description and examples, and help is no failure", async () => {
    const pages = await Promise.all(commandSpecs.map(async (spec) => ({ spec, page: await cli.run(...spec.name.split(" "), "--help") })));
    for (const { spec, page } of pages) {
      const { name, description, prints } = spec;
      assert.deepEqual([page.code, page.stderr], [0, ""], name);
      assert.ok(page.stdout.replaceAll(/\s+/g, " ").includes(description), name);
      assert.match(page.stdout, new RegExp(`Examples:\n {2}\\$ dbgov ${name}`));
      assert.ok(page.stdout.includes("--json") && prints.length > 0 && page.stdout.includes(`  ${prints[0]}`), name);
    }
    const { code, stdout } = await cli.run("--help");
    assert.equal(code, 0);
    for (const { name } of commandSpecs.filter((spec) => !spec.name.includes(" "))) assert.match(stdout, new RegExp(`^ {2}${name} `, "m"));
    assert.match(stdout, /Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 .*, 4 not found, 5 verification failed/);
    assert.match((await cli.run("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  for (const [what, args, message] of [
    ["no command", [], /^Usage: dbgov/],
    ["an unknown command", ["bakup"], /unknown command 'bakup' \(did you mean backup\?\)/],
    ["an unknown option", ["backup", "shop", "--jsn"], /unknown option '--jsn' \(did you mean --json\?\)/],
    ["a missing argument", ["backup"], /missing required argument 'database'/],
    ["a missing value", ["backup", "shop", "--config"], /option '--config <file>' argument missing/],
    ["one argument too many", ["backup", "shop", "crm"], /too many arguments for 'backup'/],
    [
      "a value that is none of the choices",
      ["verify", "x", "--depth", "deep"],
      /argument 'deep' is invalid\. Allowed choices are sample, full/,
    ],
    ["an unknown action", ["hold", "plaec"], /hold knows place, list and lift \(was given "plaec"\)/],
    ["a hold on nothing", ["hold", "place", "--reason", "x", "--by", "me"], /one of --database and --snapshot/],
    ["a hold without a reason", ["hold", "place", "--database", "shop", "--by", "me"], /hold place needs --reason/],
    ["a malformed snapshot id", ["snapshots", "newest"], /"newest" is not a snapshot id, which looks like \d{8}T/],
    ["latest of nobody knows what", ["restore", "latest", "--to", "postgres://h/d"], /latest needs --database NAME/],
    ["latest of nobody knows what, to verify", ["verify", "latest"], /latest needs --database NAME/],
    ["latest of nobody knows what, to prove", ["proof", "latest"], /latest needs --database NAME/],
    [
      "a snapshot and a period",
      ["proof", "latest", "--database", "shop", "--from", "2026-11-01"],
      /--from is for a statement of a period, which names no snapshot/,
    ],
    ["no target", ["restore", "latest"], /name the target by one of --to URL and --to-env NAME/],
    ["an unknown component", ["stack", "up", "--only", "postgres,oracle"], /there is no component "oracle"; there are temporal,/],
    ["an unknown task queue", ["worker", "--queues", "capture,write"], /there is no task queue "write"; there are orchestrate,/],
    ["no duration", ["worker", "--grace", "soon"], /--grace must be a duration as 30s or 2m \(is "soon"\)/],
    ["no address", ["worker", "--metrics", "9464"], /--metrics must be a host and a port as 127\.0\.0\.1:9464 \(is "9464"\)/],
    ["an audit without trust", ["audit", "bundle.json"], /name the trust policy by --trust FILE/],
    ["a recovery without a kit", ["recover", "--store", "/tmp"], /recover needs --store URL and --kit PATH/],
    ["a file that does not exist", ["audit", "none.json", "--trust", "t.json"], /none\.json does not exist/],
  ] as const) {
    it(`${what}: exit 2 and one sentence on standard error`, async () => {
      const { code, stdout, stderr } = await cli.run(...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, args.length === 0 ? message : new RegExp(`^✗ .*${message.source}.*\n {2}Read .*--help.*\n$`));
    });
  }

  it("with --json the same is one object on standard output", async () => {
    await cli.fails({ code: 2, type: "UsageInvalid", message: /unknown option '--jsn'/ }, "backup", "shop", "--jsn");
    await cli.fails({ code: 2, type: "UsageInvalid", message: /unknown command 'bakup'/ }, "bakup");
  });

  for (const [what, change, type, message] of [
    ["an unknown key", (c) => (c.polices = []), "ConfigurationInvalid", /^dbgov-\d+\.yaml:\d+:\d+: polices: .*policies/],
    [
      "an unknown key deep inside",
      (c) => (c.databases[0].password = "x"),
      "ConfigurationInvalid",
      /yaml:\d+:\d+: databases\[0\]\.password: /,
    ],
    [
      "an engine that there is not",
      (c) => (c.databases[0].engine = "mysql"),
      "ConfigurationInvalid",
      /databases\[0\]\.engine: must be one of postgres, mongodb, .* \(is "mysql"\)/,
    ],
    [
      "more domains than stores",
      (c) => Object.assign(c.policies[0], { copies: 1, domains: 3 }),
      "ConfigurationInvalid",
      /yaml:\d+:\d+: policies\[0\]\.domains: policy nightly .*3/,
    ],
    [
      "more copies than stores",
      (c) => Object.assign(c.policies[0], { copies: 4, domains: 1 }),
      "ConfigurationInvalid",
      /policies\[0\]\.copies: policy nightly .*4/,
    ],
    [
      "a store that is not declared",
      (c) => (c.policies[0].landing = "locl"),
      "ConfigurationInvalid",
      /no store "locl" is declared; did you mean "local"\?/,
    ],
    [
      "a password in the file",
      (c) => (c.databases[0].url = `postgres://a:${password}@h/d`),
      "ConfigurationInvalid",
      /databases\[0\]\.url: /,
    ],
    [
      "a schedule that is none",
      (c) => (c.policies[0].schedule.cron = "every night"),
      "ConfigurationInvalid",
      /policies\[0\]\.schedule\.cron: /,
    ],
    ["a key file that does not exist", (c) => (c.keys.signingKey = { file: "keys/none" }), "SecretMissing", /keys\/none does not exist/],
    [
      "a variable that is not set",
      (c) => (c.databases[0].url = { env: "USAGE_NOT_SET" }),
      "SecretMissing",
      /environment variable USAGE_NOT_SET is not set/,
    ],
    [
      "a key of another length",
      (c) => (c.keys.indexKey = { env: "USAGE_TEMPORAL" }),
      "ConfigurationInvalid",
      /keys\.indexKey must be 64 hex digits/,
    ],
    [
      "no public key",
      (c) => (c.recipients[0].publicKey = "keys/dedup.secret"),
      "ConfigurationInvalid",
      /public key of recipient recovery is not a dbgov-recipient-1:… key/,
    ],
  ] as readonly (readonly [string, (config: RawConfig) => unknown, FailureType, RegExp])[]) {
    it(`the configuration has ${what}`, async () => {
      const config = await writeWithTemporal(change);
      const { code, json } = await cli.json("check", "--config", config);
      // What the file says wrong ends it all; what it refers to is one probe of many.
      const failed =
        json.error === undefined
          ? json.checks.flatMap(({ ok, details }: { ok: boolean; details: string[] }) => (ok ? [] : [details[0]]))
          : [json.error.message];
      assert.ok(
        failed.some((text: string) => message.test(text)),
        failed.join("\n"),
      );
      for (const text of failed) assertSentence(text);
      if (json.error !== undefined) assert.deepEqual([json.error.type, code], [type, 2]);
      else assert.equal(code, 1);
    });
  }

  it("the configuration is missing, no YAML, or empty", async () => {
    await cli.fails({ code: 2, type: "ConfigurationInvalid", message: /none\.yaml does not exist/ }, "status", "--config", "none.yaml");
    await writeFile(join(folder, "bad.yaml"), "organization: [acme\n");
    await cli.fails(
      { code: 2, type: "ConfigurationInvalid", message: /^bad\.yaml:\d+:\d+: is not valid YAML/ },
      "status",
      "--config",
      "bad.yaml",
    );
    await writeFile(join(folder, "empty.yaml"), "");
    await cli.fails(
      { code: 2, type: "ConfigurationInvalid", message: /^empty\.yaml: the configuration is empty/ },
      "status",
      "--config",
      "empty.yaml",
    );
  });

  it("keys that exist already are not replaced", async () => {
    const before = await readFile(join(folder, "keys", "recovery.secret"), "utf8");
    await cli.fails({ code: 2, type: "UsageInvalid", message: /exists already and is not replaced/ }, "keys", "init", "--out", "keys");
    assert.equal(await readFile(join(folder, "keys", "recovery.secret"), "utf8"), before);
  });

  it("Temporal is away: whatever needs it says so within seconds", async () => {
    const message = /^Temporal at 127\.0\.0\.1:1 does not answer$/;
    const started = Date.now();
    const commands = [
      ["apply"],
      ["backup", "shop"],
      ["drill", "shop"],
      ["sweep"],
      ["retention", "run"],
      ["hold", "lift", "h-1", "--by", "me"],
      ["worker"],
    ];
    await Promise.all(commands.map((args) => cli.fails({ code: 1, type: "OrchestratorUnreachable", message }, ...args)));
    assert.ok(Date.now() - started < 30_000);
  });

  it("Temporal has no such namespace", async () => {
    const config = await writeWithTemporal((c) => {
      c.temporal.namespace = "usage";
    });
    const message = /^Temporal at .* has no namespace "usage", which temporal\.namespace names$/;
    for (const args of [["apply"], ["backup", "shop"], ["worker"]])
      await cli.fails({ code: 2, type: "ConfigurationInvalid", message }, ...args, "--config", config);
  });

  it("the catalog is away", async () => {
    for (const args of [["status"], ["snapshots"], ["retention", "plan"], ["hold", "list"]])
      await cli.fails({ code: 1, type: "CatalogUnreachable", message: /^the catalog cannot be reached \(ECONNREFUSED\) while / }, ...args);
    const config = await write((c) => {
      c.catalog = { env: "USAGE_NOT_SET" };
    });
    await cli.fails({ code: 2, type: "SecretMissing", message: /USAGE_NOT_SET is not set/ }, "status", "--config", config);
    const wrong = await write((c) => {
      c.catalog = { env: "USAGE_TEMPORAL" };
    });
    await cli.fails(
      { code: 2, type: "ConfigurationInvalid", message: /the catalog's URL must start with postgres:\/\// },
      "status",
      "--config",
      wrong,
    );
  });

  it("only Temporal is away: status and the rest that reads the catalog work, and names that are not there are told", async () => {
    const config = await write((c) => {
      c.catalog = { env: "USAGE_REAL_CATALOG_URL" };
    });
    const at = ["--config", config];
    const [{ code, json }, seen] = await Promise.all([cli.json("status", ...at), cli.run("status", ...at)]);
    assert.deepEqual([code, json.orchestrator, json.databases[0].database, json.databases[0].nextRun], [3, false, "shop", null]);
    assert.match(seen.stdout, /Temporal does not answer: the next runs are not known/);
    const unknown = "20200101T000000Z-0123456789ab";
    const message = new RegExp(`^snapshot ${unknown} is not in the catalog$`);
    const target = `postgres://dbgov:${password}@${nowhere}/target`;
    for (const args of [
      ["snapshots", unknown],
      ["restore", unknown, "--to", target],
      ["proof", unknown, "--out", "proof.json"],
    ])
      await cli.fails({ code: 4, type: "SnapshotUnknown", message }, ...args, ...at);
    await assert.rejects(readFile(join(folder, "proof.json")), { code: "ENOENT" });
    await cli.fails(
      { code: 4, type: "SnapshotUnknown", message: /^shop has no replicated snapshot$/ },
      "restore",
      "latest",
      "--database",
      "shop",
      "--to",
      target,
      ...at,
    );
    const noDatabase = /declares no database "crm"; it has: shop/;
    for (const args of [
      ["snapshots", "--database", "crm"],
      ["retention", "plan", "--database", "crm"],
      ["restore", "latest", "--database", "crm", "--to", target],
    ])
      await cli.fails({ code: 4, type: "NameUnknown", message: noDatabase }, ...args, ...at);
    assert.match((await cli.run("snapshots", ...at)).stdout, /no snapshots yet: dbgov backup NAME makes one/);
  });
});

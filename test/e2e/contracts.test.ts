import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { commandSpecs } from "../../client/cli/commands.ts";
import { isSnapshotId } from "../../core/domain/snapshot.ts";
import { parseWallet } from "../../core/stores/arweave-wallet.ts";
import { createSampleDocuments } from "../sample/mongodb-database.ts";
import { createSampleDatabase } from "../sample/postgres-database.ts";
import { assertNoSecrets } from "../sample/secrets.ts";
import { createSource, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { openSiteCli, type WatchedCli } from "../sample/watched-cli.ts";
import { useStack } from "../stack/use-stack.ts";

/** What each command prints with `--json`, and what it ends with: programs rely on it. */
describe("contracts for programs", () => {
  const startStack = () => useStack("temporal", "postgres", "mongodb", "azurite", "ipfs", "anvil", "arlocal");
  let stack: Awaited<ReturnType<typeof startStack>>;
  let test: TestSite;
  let cli: WatchedCli;
  let source: string;
  let shop: string;
  const isHex = (text: unknown, digits: number): boolean => new RegExp(`^[0-9a-f]{${digits}}$`).test(String(text));
  /** The keys that the object has are those that `--help` promises for this command, in that order. */
  const assertPromised = (command: string, printed: object, action?: string): void => {
    const promised = commandSpecs.find(({ name }) => name === command)?.prints ?? [];
    const line = promised.find((text) => action === undefined || text.startsWith(`${action}: `));
    assert.equal(JSON.stringify(Object.keys(printed)), JSON.stringify(topLevelKeys(line ?? "")), `dbgov ${command} prints other keys`);
  };

  before(async () => {
    stack = await startStack();
    source = await createSource(stack, "contracts_shop");
    await runSql(
      source,
      `CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL);
       INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 200) n`,
    );
    const events = await createSampleDocuments(stack.mongodb.url, "contracts_events", {
      clicks: Array.from({ length: 50 }, (_, n) => ({ n })),
    });
    test = await createTestSite({
      name: "contracts",
      stack,
      databases: [
        { name: "shop", engine: "postgres", url: source },
        { name: "events", engine: "mongodb", url: events },
      ],
    });
    cli = await openSiteCli(test);
  });
  after(() => test?.close());

  describe("apply", () => {
    const ids = ["backup/shop", "drill/shop", "backup/events", "drill/events", "retention", "repair", "renewal", "sweep"];
    const actions = async (...options: string[]) => {
      const { code, json } = await cli.json("apply", ...options);
      assert.equal(code, 0);
      assertPromised("apply", json);
      const changes = json.changes as { id: string; action: string; what: string }[];
      return { applied: json.applied as boolean, of: Object.fromEntries(changes.map(({ id, action }) => [id, action])) };
    };
    const all = (action: string) => Object.fromEntries(ids.map((id) => [id, action]));

    it("plans without doing, does, and then has nothing to do", async () => {
      assert.deepEqual(await actions("--dry-run"), { applied: false, of: all("create") });
      assert.deepEqual(await actions(), { applied: true, of: all("create") });
      assert.deepEqual(await actions(), { applied: true, of: all("keep") });
      assert.match((await cli.run("apply")).stdout, /nothing to change/);
    });

    it("sets overlap, catch-up window and pause on failure in every schedule, whatever Temporal's defaults are", async () => {
      for (const id of ids) {
        const { schedule } = await test.client.workflowService.describeSchedule({ namespace: test.namespace, scheduleId: id });
        const { overlapPolicy, catchupWindow, pauseOnFailure } = schedule?.policies ?? {};
        const skip = 1; // SCHEDULE_OVERLAP_POLICY_SKIP; 0 would be the server's default
        const hours = id.startsWith("backup/") ? 12 : 24;
        assert.deepEqual([overlapPolicy, Number(catchupWindow?.seconds), pauseOnFailure], [skip, hours * 3_600, false], id);
      }
    });

    it("changes only the schedules that the configuration changed, and deletes only when told to", async () => {
      await test.reconfigure((config) => {
        config.sweep = { cron: "30 6 * * *" };
      });
      assert.deepEqual((await actions()).of, { ...all("keep"), sweep: "update" });
      const sweep = await test.client.schedule.getHandle("sweep").describe();
      assert.deepEqual(
        sweep.spec.calendars?.map(({ hour, minute }) => [hour[0]?.start, minute[0]?.start]),
        [[6, 30]],
      );
      await test.reconfigure((config) => {
        config.databases.pop();
      });
      const left = { "backup/events": "leave", "drill/events": "leave" };
      // The retention schedule carries the list of databases.
      assert.deepEqual((await actions()).of, { ...all("keep"), ...left, retention: "update" });
      assert.deepEqual((await actions("--prune")).of, { ...all("keep"), "backup/events": "delete", "drill/events": "delete" });
      await assert.rejects(test.client.schedule.getHandle("backup/events").describe(), { name: "ScheduleNotFoundError" });
      await test.reconfigure((config) => {
        config.databases.push({ name: "events", engine: "mongodb", url: { env: "EVENTS_URL" }, policy: "nightly" });
      });
      const back = { "backup/events": "create", "drill/events": "create", retention: "update" };
      assert.deepEqual((await actions()).of, { ...all("keep"), ...back });
    });
  });

  it("backup without a worker says so within seconds", async () => {
    const started = Date.now();
    await cli.fails({ code: 1, type: "WorkerMissing", message: /no worker polls the task queue "orchestrate"/ }, "backup", "shop");
    assert.ok(Date.now() - started < 10_000);
  });

  it("status of databases that were never backed up", async () => {
    const { code, json } = await cli.json("status");
    assert.equal(code, 3);
    assertPromised("status", json);
    for (const database of json.databases) {
      const { snapshot, state, ageMs, objectiveMet, copies, lastDrill, lastFailure } = database;
      assert.deepEqual([snapshot, state, ageMs, objectiveMet, copies, lastDrill, lastFailure], [null, null, null, false, 0, null, null]);
      assert.ok(Date.parse(database.nextRun) > Date.now());
    }
    assert.match((await cli.run("status")).stdout, /✗ {2}shop +none yet +never/);
  });

  it("check", async () => {
    const { code, json } = await cli.json("check");
    assert.equal(code, 0);
    assertPromised("check", json);
    assert.deepEqual([...new Set(json.checks.map(({ kind }: { kind: string }) => kind))], checkedKinds);
    assert.ok(json.ok && json.checks.every(({ ok, details }: { ok: boolean; details: string[] }) => ok && details.length > 0));
  });

  it("backup, of both engines", async () => {
    await test.worker();
    for (const [database, rows] of [
      ["shop", 200],
      ["events", 50],
    ] as const) {
      const { code, json } = await cli.json("backup", database);
      assert.equal(code, 0);
      assertPromised("backup", json);
      assert.deepEqual(Object.keys(json.bytes), ["read", "new", "stored"]);
      assert.ok(isSnapshotId(json.snapshot) && json.seconds > 0 && json.logIndex >= 0 && json.bytes.read > 0);
      assert.deepEqual([json.database, json.state, json.degraded, json.rows], [database, "logged", false, rows]);
      const stores = json.replicas.map((replica: object) => Object.keys(replica).join() === "store,packs,verified" && replica);
      assert.deepEqual(
        stores.map(({ store, packs, verified }: { store: string; packs: number; verified: number }) => [store, packs, verified > 0]),
        [
          ["local", 1, true],
          ["azure", 1, true],
          ["ipfs", 1, true],
        ],
      );
      if (database === "shop") shop = json.snapshot;
    }
  });

  it("snapshots, listed and one with its evidence", async () => {
    const { code, json } = await cli.json("snapshots");
    assert.deepEqual([code, json.snapshots.length], [0, 2]);
    assertPromised("snapshots", json, "without an id");
    const one = await cli.json("snapshots", shop);
    assertPromised("snapshots", one.json, "with an id");
    assert.deepEqual([one.code, one.json.snapshot, one.json.database, one.json.rows], [0, shop, "shop", 200]);
    const only = await cli.json("snapshots", "--database", "events");
    assert.deepEqual(
      only.json.snapshots.map(({ database }: { database: string }) => database),
      ["events"],
    );
  });

  it("restore", async () => {
    const target = await createSampleDatabase(stack.postgres.url, "contracts_target");
    const { code, json } = await cli.json("restore", shop, "--to", target);
    assertPromised("restore", json);
    assert.deepEqual([code, json.snapshot, json.rows, json.identical], [0, shop, 200, true]);
    assert.ok(json.bytes > 0 && json.seconds > 0);
    const compared = await runSql<{ sum: string }>(target, "SELECT sum(hashtext(c::text))::text FROM customer c");
    assert.deepEqual(compared, await runSql(source, "SELECT sum(hashtext(c::text))::text FROM customer c"));
  });

  it("drill and verify", async () => {
    const drill = await cli.json("drill", "shop");
    assertPromised("drill", drill.json);
    assert.deepEqual([drill.code, drill.json.snapshot, drill.json.identical, drill.json.rows], [0, shop, true, 200]);
    const verify = await cli.json("verify", shop);
    assertPromised("verify", verify.json);
    assert.deepEqual([verify.code, verify.json.verified, verify.json.problems], [0, true, []]);
    const latest = await cli.json("verify", "latest", "--database", "shop", "--depth", "sample");
    assert.deepEqual([latest.code, latest.json.snapshot, latest.json.verified], [0, shop, true]);
  });

  it("proof and audit", async () => {
    const bundle = join(test.folder, "bundle.json");
    const trust = join(test.folder, "trust.json");
    // A schedule anchors every two seconds; the block is final a little later.
    for (const deadline = Date.now() + 60_000; ; ) {
      const { json } = await cli.json("snapshots", shop);
      if (json.states.some(({ state }: { state: string }) => state === "anchored")) break;
      assert.ok(Date.now() < deadline, "the snapshot is not anchored");
    }
    const proof = await cli.json("proof", shop, "--out", bundle, "--trust", trust);
    assertPromised("proof", proof.json);
    assert.deepEqual([proof.code, proof.json.snapshot, proof.json.bundle, proof.json.anchors], [0, shop, bundle, 1]);
    assert.equal((await readFile(bundle)).length, proof.json.bytes);
    const latest = await cli.json("proof", "latest", "--database", "shop", "--out", join(test.folder, "latest.json"));
    assert.deepEqual([latest.code, latest.json.snapshot, latest.json.index], [0, shop, proof.json.index]);
    const { code, json } = await cli.json("audit", bundle, "--trust", trust);
    assertPromised("audit", json);
    assert.deepEqual([code, json.verified, json.failures, json.entry.kind], [0, true, [], "snapshot-sealed"]);
    assert.ok(isHex(json.checkpoint.root, 64) && json.checkpoint.size > 0);
    assert.deepEqual([json.anchors[0].verified, json.anchors[0].chainId], [true, stack.anvil.chainId]);
  });

  it("hold and retention", async () => {
    const placed = await cli.json("hold", "place", "--database", "shop", "--reason", "case 4711", "--by", "legal");
    assertPromised("hold", placed.json, "place, lift");
    assert.deepEqual([placed.code, placed.json.standing], [0, true]);
    const { json: listed } = await cli.json("hold", "list");
    assertPromised("hold", listed, "list");
    assert.deepEqual([listed.holds[0].id, listed.holds[0].database, listed.holds[0].by], [placed.json.id, "shop", "legal"]);
    const plan = await cli.json("retention", "plan");
    assertPromised("retention", plan.json, "plan");
    const ofShop = plan.json.plans.find(({ database }: { database: string }) => database === "shop");
    assert.deepEqual([plan.code, ofShop.deletions, ofShop.decisions[0].snapshot], [0, [], shop]);
    assert.ok(ofShop.decisions[0].reasons.some((reason: string) => /hold/.test(reason)));
    const ran = await cli.json("retention", "run");
    assertPromised("retention", ran.json, "run");
    assert.deepEqual([ran.code, ran.json.removed], [0, []]);
    const lifted = await cli.json("hold", "lift", placed.json.id, "--by", "legal");
    assert.deepEqual([lifted.code, lifted.json], [0, { id: placed.json.id, standing: false }]);
    assert.deepEqual((await cli.json("hold", "list")).json.holds, []);
    await cli.fails({ code: 4, type: "NameUnknown", message: /there is no hold h-none/ }, "hold", "lift", "h-none", "--by", "legal");
  });

  it("repair", async () => {
    const { code, json } = await cli.json("repair", "--show");
    assertPromised("repair", json);
    assert.deepEqual([code, json.findings, json.renewals, json.left], [0, [], [], null]);
  });

  it("sweep", async () => {
    const { code, json } = await cli.json("sweep");
    assertPromised("sweep", json);
    const counted = { pass: 0, fail: 0, "not-applicable": 0, inconclusive: 0 };
    for (const { result } of json.findings as { result: keyof typeof counted }[]) counted[result] += 1;
    assert.deepEqual(Object.values(counted), [json.pass, json.fail, json.notApplicable, json.inconclusive]);
    assert.equal(code, json.fail > 0 ? 3 : 0);
    assert.ok(json.pass >= 15 && isHex(json.reportHash, 64));
    assert.match(await readFile(json.report.replace(/json$/, "html"), "utf8"), /^<!doctype html>/i);

    // The archive and a recipient's key suffice to read it.
    const keys = join(dirname(test.config), "keys");
    const { address } = parseWallet("arweave", await readFile(join(keys, "arweave.json"), "utf8"));
    const archive = ["--store", `arweave+${stack.arlocal.url}/${address}`, "--secret", join(keys, "recovery.secret")];
    const opened = await cli.json("sweep", "open", json.id, ...archive);
    assertPromised("sweep open", opened.json);
    assert.deepEqual([opened.code, opened.json.reportHash, opened.json.defects], [0, json.reportHash, []]);
    await cli.fails({ code: 5, type: "ObjectMissing", message: /reports\/sweep-none/ }, "sweep", "open", "sweep-none", ...archive);
  });

  it("stack status and keys show", async () => {
    const status = await cli.json("stack", "status", "--folder", join(test.folder, "no stack"));
    assertPromised("stack", status.json, "status");
    assert.ok(status.json.components.every(({ state }: { state: string }) => state === "stopped"));
    assert.equal(status.code, 0);
    const keys = await cli.json("keys", "show");
    assertPromised("keys", keys.json, "show");
    assert.ok(isHex(keys.json.signingKey, 64));
  });

  it("status when the objective is missed, and after a failure", async () => {
    await test.reconfigure((config) => {
      config.policies[0].objectives = { recoveryPoint: "1s", recoveryTime: "1h" };
    });
    const { code, json } = await cli.json("status");
    const ofShop = json.databases.find(({ database }: { database: string }) => database === "shop");
    assert.deepEqual([code, ofShop.objectiveMet, ofShop.copies, ofShop.lastDrill.identical], [3, false, 3, true]);
    await runSql(source, "ALTER TABLE customer RENAME TO client; CREATE VIEW customer AS SELECT * FROM client");
    await test.reconfigure((config) => {
      config.databases[0].url = { env: "SHOP_URL_THAT_IS_NOT_SET" };
    });
    await cli.fails({ code: 2, type: "SecretMissing", message: /SHOP_URL_THAT_IS_NOT_SET is not set/ }, "backup", "shop");
    const seen = await cli.run("status");
    assert.equal(seen.code, 3);
    assert.match(seen.stdout, /✗ {2}shop .*\n/);
    assert.match(seen.stdout, /shop: the last run failed: SecretMissing: the environment variable SHOP_URL_THAT_IS_NOT_SET is not set/);
  });

  it("told no secret to Temporal or to a log", async () => {
    await assertNoSecrets(test);
  });
});

const checkedKinds = ["keys", "recipients", "catalog", "temporal", "database", "store", "anchor"];

/** The keys of the outermost object in a line such as `place: {"id","bytes":{"read"}}`. */
const topLevelKeys = (line: string): string[] => {
  const keys: string[] = [];
  let depth = 0;
  for (const [token, key] of line.slice(line.indexOf("{")).matchAll(/[{}[\]]|"(\w+)"/g)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (depth === 1) keys.push(key as string);
  }
  return keys;
};

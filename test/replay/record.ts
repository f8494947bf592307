import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { WorkflowHandle } from "@temporalio/client";
import { logConfiguration } from "../../client/log-configuration.ts";
import { latestSnapshot } from "../../core/catalog/read-snapshots.ts";
import { snapshotObjects } from "../../core/catalog/snapshot-objects.ts";
import type { BackupProgress } from "../../core/domain/run.ts";
import { generateApprover } from "../../core/repository/approver-key.ts";
import { packKey } from "../../core/repository/object-keys.ts";
import { startAuthority } from "../integration/ledger-authority.ts";
import { until } from "../integration/ledger-chain.ts";
import { openTcpFront, type TcpFront, throughFront } from "../sample/tcp-front.ts";
import { createDatabase, createTestSite, databaseOf, runSql, type TestSite } from "../sample/test-site.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { useStack } from "../stack/use-stack.ts";
import { startPrivateTemporal } from "./private-temporal.ts";
import { type HistoryJson, scrubHistory } from "./scrub-history.ts";

// `npm run histories`: runs every workflow for real, each way in which it can end, and saves the histories, which
// `replay.test.ts` replays. To be run when a workflow was changed in a way that running ones need not survive.

const folder = join(import.meta.dirname, "histories");
const signal = new AbortController().signal;
const program = await findProgram("temporal", progressToStderr);
const run = promisify(execFile);
/** The server suggests to continue as new after so many events. */
const mostEvents = 40;

/** What the scenes of the recording work with. */
interface Stage {
  readonly test: TestSite;
  readonly azure: TcpFront;
  readonly database: TcpFront;
  readonly source: string;
  /** Saves the history of the newest run under that workflow id. */
  save(name: string, workflowId: string): Promise<void>;
}

const handleOf = ({ test }: Stage, id: string): WorkflowHandle => test.client.workflow.getHandle(id);
const over = (handle: WorkflowHandle): Promise<unknown> => handle.result().catch(() => undefined);

const recordBackups = async (stage: Stage): Promise<void> => {
  const { test, azure, database, source, save } = stage;
  const { snapshot } = await test.backup("shop");
  await save("backup-done", "backup/shop");
  await over(handleOf(stage, `verify/${snapshot}`));
  await save("verify-done", `verify/${snapshot}`);

  await azure.down();
  await over(await test.startBackup("shop"));
  await save("backup-failed", "backup/shop");
  const { resumeAt } = (await handleOf(stage, "backup/shop").query("progress")) as BackupProgress;
  const { runId } = await handleOf(stage, "backup/shop").describe();
  await azure.up();
  await test.client.workflowService.resetWorkflowExecution({
    namespace: test.namespace,
    workflowExecution: { workflowId: "backup/shop", runId },
    workflowTaskFinishEventId: resumeAt as never,
    reason: "the store is back",
    requestId: crypto.randomUUID(),
  });
  await handleOf(stage, "backup/shop").result();
  await save("backup-reset", "backup/shop");

  const frozen = database.freezeAfter(1_000_000);
  const cancelled = await test.startBackup("shop", { full: true });
  await frozen;
  await cancelled.cancel();
  await over(cancelled);
  database.thaw();
  await save("backup-cancelled", "backup/shop");

  const frozenAgain = database.freezeAfter(1_000_000);
  const heldAnew = await test.startBackup("shop", { full: true });
  await frozenAgain;
  const name = databaseOf(source);
  await runSql(source, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`);
  database.thaw();
  await heldAnew.result();
  await save("backup-held-anew", "backup/shop");

  await test.client.workflow.execute("onSchedule", {
    workflowId: "schedule/backup/shop",
    taskQueue: "orchestrate",
    args: [
      {
        type: "hold",
        id: "hold/h-1/place",
        args: [{ id: "h-1", lifted: false, database: "shop", snapshot: null, reason: "case", by: "legal" }],
      },
    ],
  });
  await save("on-schedule", "schedule/backup/shop");
  await save("hold-placed", "hold/h-1/place");
  await test.dbgov("hold", "lift", "h-1", "--by", "legal");
};

const recordOthers = async (stage: Stage): Promise<void> => {
  const { test, source, save } = stage;
  await test.dbgov("drill", "shop");
  await save("drill-done", "drill/shop");
  await test.dbgov("sweep");
  await save("sweep-done", "sweep");

  // Content of its own, so that a pack of the earlier snapshot can go.
  await runSql(source, "UPDATE orders SET text = reverse(text)");
  const { snapshot } = await test.backup("shop");
  await over(handleOf(stage, `verify/${snapshot}`));
  await test.dbgov("retention", "run");
  await saveContinued(stage, "retention-continued", "retention");
  await save("retention-done", "retention");

  const store = await test.site.store("local");
  const [pack] = (await snapshotObjects(await test.site.catalog(), snapshot)).packs;
  const key = packKey(pack?.id ?? "");
  const bytes = await store.get(key, signal);
  await store.put(key, bytes.toReversed(), signal);
  await test.dbgov("drill", "shop");
  await test.dbgov("verify", snapshot);
  await save("verify-failed", `verify/${snapshot}/full`);

  for (const at of ["local", "azure"]) await (await test.site.store(at)).put(key, bytes.toReversed(), signal);
  await test.dbgov("drill", "shop");
  await save("drill-failed", "drill/shop");
  await test.dbgov("repair", "--store", "local");
  await save("repair-failed", "repair/local");
};

/** A pass in which nothing is wrong, one that replaces a copy, and a renewal: no store here ends anything. */
const recordRepairs = async ({ test, save }: Stage): Promise<void> => {
  await test.dbgov("repair");
  await save("repair-done", "repair");
  const { packs } = await snapshotObjects(
    await test.site.catalog(),
    (await latestSnapshot(await test.site.catalog(), "shop"))?.snapshot ?? "",
  );
  const [store, key] = [await test.site.store("local"), packKey(packs[0]?.id ?? "")];
  const bytes = await store.get(key, signal);
  await store.delete(key, signal);
  await store.put(key, bytes.toReversed(), signal);
  await test.dbgov("repair", "--store", "local");
  await save("repair-replaced", "repair/local");
  await test.client.workflow.execute("renewal", { workflowId: "renewal", taskQueue: "orchestrate" });
  await save("renewal-done", "renewal");
};

const recordAnchors = async (stage: Stage): Promise<void> => {
  const anchor = handleOf(stage, "anchor/chain");
  // Each hold is a log entry that asks for anchoring; the server suggests to continue as new after few events.
  for (let n = 2; ; n += 1) {
    await stage.test.dbgov("hold", "place", "--database", "shop", "--reason", `case ${n}`, "--by", "legal");
    if (await saveContinued(stage, "anchor-continued", "anchor/chain")) break;
  }
  await over(anchor);
  await stage.save("anchor-done", "anchor/chain");
};

/** Who makes the log public: the configuration in force is an entry, the other store has a copy, an authority says since when it exists. */
const recordPublishing = async (stage: Stage): Promise<void> => {
  const { test, azure, save } = stage;
  const publish = handleOf(stage, "publish");
  await over(publish);
  await azure.down();
  await logConfiguration(test.client, test.site);
  const [configured] = await until(
    () => Array.fromAsync(test.client.workflow.list({ query: "WorkflowType = 'configuration'" })),
    (runs) => runs.length > 0,
  );
  const id = configured?.workflowId ?? "";
  await over(handleOf(stage, id));
  await save("configuration-done", id);

  // While it cannot copy, it is asked for more than one run should hold.
  for (let n = 0; n < mostEvents; n += 1) await publish.signal("publish");
  await azure.up();
  await over(publish);
  await saveContinued(stage, "publish-continued", "publish");
  await save("publish-done", "publish");
  await over(handleOf(stage, "timestamp/tsa"));
  await save("timestamp-done", "timestamp/tsa");
};

/** Two persons lift a hold; then one asks, and nobody else signs in time. The last scene: from here on one person lifts none. */
const recordApprovals = async ({ test, save }: Stage): Promise<void> => {
  const persons = [generateApprover(), generateApprover()] as const;
  const keys = persons.map((_, n) => join(test.folder, `person-${n}`));
  for (const [n, { secretText }] of persons.entries()) await writeFile(keys[n] ?? "", secretText, { mode: 0o600 });
  const approvers = persons.map(({ publicText }, n) => ({ name: `person-${n}`, publicKey: publicText }));
  const ask = async (within: string): Promise<string> => {
    await test.reconfigure((config) => {
      config.approval = { approvers, within };
    });
    const { json: hold } = await test.dbgov("hold", "place", "--database", "shop", "--reason", "case", "--by", "legal");
    const { json } = await test.dbgov("hold", "lift", hold.id, "--key", keys[0] ?? "", "--reason", "closed");
    return json.approval.id;
  };
  const granted = await ask("1h");
  await test.dbgov("approve", granted, "--yes", "--key", keys[1] ?? "");
  await save("approval-done", `approval/${granted}`);
  const late = await ask("1s");
  await over(test.client.workflow.getHandle(`approval/${late}`));
  await save("approval-expired", `approval/${late}`);
};

/** A store joins, and gets what it lacks; then another is gone, in more pages than one history should have. */
const recordEvacuations = async (stage: Stage): Promise<void> => {
  const { test, save } = stage;
  await test.reconfigure((config) => {
    config.stores.push({ name: "spare", kind: "directory", domain: "spare", path: "spare" });
    Object.assign(config.policies[0], { stores: ["spare"], envelopes: [] });
  });
  await test.dbgov("stores", "rebalance");
  await save("evacuate-done", "stores/rebalance");
  await test.dbgov("stores", "evacuate", "azure", "--gone");
  await saveContinued(stage, "evacuate-continued", "stores/evacuate/azure");
};

/** Saves the first run of that id which continued as new, if there is one yet. */
const saveContinued = async ({ test }: Stage, name: string, workflowId: string): Promise<boolean> => {
  for await (const { runId, status } of test.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    if (status.name !== "CONTINUED_AS_NEW") continue;
    await saveHistory(test, name, workflowId, runId);
    return true;
  }
  return false;
};

const saveHistory = async (test: TestSite, name: string, workflowId: string, runId?: string): Promise<void> => {
  const where = ["--address", test.site.loaded.config.temporal.address, "--namespace", test.namespace, "--workflow-id", workflowId];
  const args = ["workflow", "show", ...where, ...(runId === undefined ? [] : ["--run-id", runId]), "--output", "json"];
  const { stdout } = await run(program, args, { maxBuffer: 64 << 20 });
  const replacements = [
    [test.folder, "/site"],
    [tmpdir(), "/tmp"],
    [join(import.meta.dirname, "..", ".."), "/dbgov"],
    [hostname(), "host"],
  ] as const;
  const history = scrubHistory(JSON.parse(stdout) as HistoryJson, replacements);
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(history)}\n`);
  process.stderr.write(`${name}: ${history.events.length} events\n`);
};

const stack = await useStack("postgres", "azurite", "ipfs", "anvil", "arlocal");
const temporal = await startPrivateTemporal(mostEvents);
const { hostname: host, port } = new URL(stack.postgres.url);
const blob = new URL(/BlobEndpoint=([^;]+)/.exec(stack.azurite.connectionString)?.[1] ?? "");
const [azure, database] = await Promise.all([
  openTcpFront({ host: blob.hostname, port: Number(blob.port) }),
  openTcpFront({ host, port: Number(port) }),
]);
const authorityFolder = await mkdtemp(join(tmpdir(), "dbgov-histories-"));
const authority = await startAuthority(authorityFolder);
const source = await createDatabase(stack, "histories_source");
await runSql(source, "CREATE TABLE orders AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 5000) n");
const test = await createTestSite({
  name: "histories",
  stack: {
    ...stack,
    temporal,
    azurite: { connectionString: throughFront(stack.azurite.connectionString, blob.host, azure) },
  },
  databases: [{ name: "shop", engine: "postgres", url: throughFront(source, `${host}:${port}`, database) }],
  policy: {
    stores: ["azure"],
    copies: 2,
    domains: 2,
    patience: "1s",
    retention: { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
  },
  change: (config) => {
    config.retention = { grace: "0s" };
    config.timestampAuthorities = [{ name: "tsa", url: authority.url, roots: authority.roots, every: "1s" }];
  },
});
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
try {
  await test.worker();
  const stage: Stage = { test, azure, database, source, save: (name, workflowId) => saveHistory(test, name, workflowId) };
  await recordBackups(stage);
  await recordRepairs(stage);
  await recordOthers(stage);
  await recordPublishing(stage);
  await recordAnchors(stage);
  await recordApprovals(stage);
  await recordEvacuations(stage);
  process.stderr.write(`${(await readdir(folder)).length} histories in ${folder}\n`);
} finally {
  await test.close();
  await authority.close();
  await rm(authorityFolder, { recursive: true, force: true });
  await Promise.all([azure.close(), database.close()]);
  await temporal.stop();
}
process.exit(0);

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { getSnapshot, listSnapshots } from "../../core/catalog/read-snapshots.ts";
import type { SignedRequest } from "../../core/domain/approval.ts";
import { openLog } from "../../core/ledger/log.ts";
import { requestHash, signRequest } from "../../core/repository/approval-signature.ts";
import { approverSigner, generateApprover } from "../../core/repository/approver-key.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

type Person = "alice" | "bob" | "mallory";

/** What one person cannot do alone, and what can be undone: through the CLI, and past it with a Temporal client alone. */
describe("two persons, and two phases", () => {
  const persons = { alice: generateApprover(), bob: generateApprover(), mallory: generateApprover() };
  const approver = (name: Person) => ({ name, publicKey: persons[name].publicText });
  const snapshots: string[] = [];
  let folder: string;
  let test: TestSite;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    folder = await mkdtemp(join(tmpdir(), "dbgov-persons-"));
    for (const [name, { secretText }] of Object.entries(persons)) await writeFile(join(folder, name), `${secretText}\n`, { mode: 0o600 });
    const source = await createDatabase(stack, "two_persons_source");
    await runSql(source, "CREATE TABLE kept AS SELECT n FROM generate_series(1, 500) n");
    test = await createTestSite({
      name: "persons",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: {
        ...{ stores: [], archive: [], copies: 1, domains: 1 },
        retention: { last: 3, daily: 7, weekly: 0, monthly: 0, yearly: 0, minimumAge: "0s", spacing: "0s" },
      },
      change: (config) => {
        config.anchors = [];
        config.retention = { grace: "1s" };
        config.approval = { approvers: [approver("alice"), approver("bob")] };
      },
    });
    await test.worker();
    for (let n = 0; n < 2; n += 1) snapshots.push((await test.backup("shop")).snapshot);
    for (const snapshot of snapshots) await test.client.workflow.getHandle(`verify/${snapshot}`).result();
    // What is in force is what the first run finds.
    assert.deepEqual((await test.dbgov("retention", "run")).json, { removed: [], objectsDeleted: 0, sparse: [] });
  });
  after(async () => {
    await test?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const key = (name: Person): string[] => ["--key", join(folder, name)];
  const fails = async (type: string, words: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, json } = await test.dbgov(...args);
    const exit = { UsageInvalid: 2, NameUnknown: 4 }[type] ?? 1;
    assert.deepEqual([code, json?.error?.type], [exit, type], JSON.stringify(json));
    assert.match(json.error.message, words);
  };
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, json } = await test.dbgov(...args, ...key("alice"), "--reason", "a good one");
    assert.equal(code, 0, JSON.stringify(json));
    return json.approval.id;
  };
  const approve = async (id: string): Promise<unknown> => {
    const { code, json } = await test.dbgov("approve", id, "--yes", ...key("bob"));
    assert.equal(code, 0, JSON.stringify(json));
    return json;
  };
  /** Runs dbgov on a terminal of its own, and answers the first question. */
  const onTerminal = async (answer: string, ...args: readonly string[]): Promise<{ code: number | null; text: string }> => {
    const bin = join(import.meta.dirname, "..", "..", "bin", "dbgov");
    const script = "import pty, sys, os; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    const child = spawn("python3", ["-c", script, bin, ...args, "--config", test.config], { env: { ...process.env, ...test.environment } });
    let text = "";
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.stdout.on("data", (bytes: Buffer) => {
      const asked = text.includes("[y/N]");
      text += bytes.toString();
      if (!asked && text.includes("[y/N]")) child.stdin.write(`${answer}\n`);
    });
    child.stderr.on("data", (bytes: Buffer) => (text += bytes.toString()));
    return { code: await ended, text };
  };
  const retention = async (): Promise<{ removed: string[]; waiting?: unknown }> => (await test.dbgov("retention", "run")).json;
  const plan = async () => (await test.dbgov("retention", "plan")).json.plans[0];
  const bodies = async (kind: string) => {
    const { log } = test.site.loaded.config;
    const opened = await openLog({ store: await test.site.store(log.store), origin: log.origin, signer: await test.site.logSigner() });
    const found = await logEntries(await test.site.catalog(), { kind });
    return await Promise.all(found.map(async ({ index }) => (await opened.entry(index)).entry));
  };
  /** The type of the failure that a call to Temporal ends with. */
  const ends = async (call: Promise<unknown>): Promise<string> => {
    let type = "done";
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    for (let at: unknown = error; at instanceof Error; at = at.cause) type = (at as { type?: string }).type ?? type;
    return type;
  };
  const start = (workflow: string, id: string, input: unknown): Promise<unknown> =>
    test.client.workflow.execute(workflow, { workflowId: id, taskQueue: "orchestrate", args: [input] });

  it("a hold is lifted by two, each with their own key, and by nobody who only speaks to Temporal", async () => {
    const { json: placed } = await test.dbgov("hold", "place", "--database", "shop", "--reason", "case 1", "--by", "legal");
    const hold = placed.id as string;
    const holds = async (): Promise<string[]> => (await test.dbgov("hold", "list")).json.holds.map(({ id }: { id: string }) => id);
    await fails("ApprovalNeeded", /takes two persons/, "hold", "lift", hold, "--by", "legal");
    const lift = { id: hold, lifted: true, database: null, snapshot: null, reason: "", by: "legal" };
    assert.equal(await ends(start("hold", "hold/raw", lift)), "ApprovalNeeded");
    await fails("ApprovalRefused", /is no approver's/, "hold", "lift", hold, ...key("mallory"), "--reason", "please");

    const id = await ask("hold", "lift", hold);
    const { json: open } = await test.dbgov("approve");
    assert.deepEqual(
      open.requests.map((one: Record<string, string>) => [one.id, one.act, one.by, one.reason]),
      [[id, "lift-hold", "alice", "a good one"]],
    );
    await fails("ApprovalRefused", /another person/, "approve", id, "--yes", ...key("alice"));
    await fails("ApprovalRefused", /is no approver's/, "approve", id, "--yes", ...key("mallory"));
    const handle = test.client.workflow.getHandle(`approval/${id}`);
    const { request, by } = (await handle.query("request")) as SignedRequest;
    const bob = approverSigner(persons.bob.secretText);
    const another = { ...request, id: "a-000000000000" };
    // Bob's name alone, his signature of another request, and the one that he would ask with.
    const forgeries = [
      { approver: bob.keyId, signature: Buffer.alloc(64).toString("base64") },
      await signRequest("approve", another, bob),
      await signRequest("ask", request, bob),
    ];
    for (const forged of forgeries) assert.equal(await ends(handle.executeUpdate("approve", { args: [forged] })), "ApprovalRefused");
    // Alice's signature under a request that she has not seen, and her request with more time than there is.
    for (const [n, altered] of [
      another,
      { ...request, log: "another.example/log" },
      { ...request, expiresAt: "2099-01-01T00:00:00.000Z" },
    ].entries())
      assert.equal(await ends(start("approval", `approval/raw-${n}`, { request: altered, by })), "ApprovalRefused");
    // Her request under a name that nobody has read.
    const renamed = await test.client.workflow.start("approval", {
      ...{ workflowId: "approval/a-000000000001", taskQueue: "orchestrate" },
      args: [{ request, by }],
    });
    await fails("ApprovalRefused", /is another request/, "approve", "a-000000000001", "--yes", ...key("bob"));
    await renamed.terminate();
    assert.deepEqual(await holds(), [hold]);

    // Without a terminal nobody can be asked; on one, whoever just presses Enter has not agreed. What is shown is what is signed.
    await fails("UsageInvalid", /needs --yes/, "approve", id, ...key("bob"));
    const hash = requestHash(request);
    assert.equal(open.requests[0].hash, hash);
    const no = await onTerminal("", "approve", id, ...key("bob"));
    assert.equal(no.code, 2, no.text);
    for (const shown of [`lift hold ${hold}`, "a good one", "alice", id, hash, "sign this? [y/N]", "was not signed"])
      assert.ok(no.text.includes(shown), `${shown} in ${no.text}`);
    assert.deepEqual(await holds(), [hold]);
    const yes = await onTerminal("y", "approve", id, ...key("bob"));
    assert.equal(yes.code, 0, yes.text);
    assert.ok(yes.text.includes(hash));
    assert.deepEqual(await holds(), []);
    await fails("ApprovalRefused", /does not wait any more|decided already/, "approve", id, "--yes", ...key("bob"));
    const [entry] = await bodies("approval");
    assert.ok(entry?.kind === "approval" && entry.outcome === "granted" && entry.act === "lift-hold");
    assert.notEqual(entry.requestedBy, entry.approvedBy);
    assert.doesNotMatch(JSON.stringify(entry), /alice|bob/);
    assert.equal((await bodies("hold-lifted")).length, 1);
  });

  it("less is kept only once two agree, and who writes the file alone makes nobody an approver", async () => {
    await test.reconfigure((config) => {
      Object.assign(config.policies[0].retention, { last: 1, daily: 0, monthly: 6 });
      config.approval.approvers = [approver("alice"), approver("mallory")];
    });
    const waiting = ["last: 3 → 1", "daily: 7 → 0"];
    assert.deepEqual(await retention(), { removed: [], objectsDeleted: 0, sparse: [], waiting: [{ database: "shop", changes: waiting }] });
    const before = await plan();
    assert.deepEqual([before.waiting, before.deletions], [waiting, []]);
    const id = await ask("retention", "shorten", "--database", "shop");
    await fails("ApprovalRefused", /is no approver's/, "approve", id, "--yes", ...key("mallory"));
    await approve(id);
    const after = await plan();
    assert.deepEqual([after.waiting, after.deletions], [[], [snapshots[0]]]);
    await fails(
      "UsageInvalid",
      /keeps nothing of shop for less/,
      "retention",
      "shorten",
      "--database",
      "shop",
      ...key("alice"),
      "--reason",
      "x",
    );
    // Two of those in force can make her one.
    await approve(await ask("approve", "--approvers"));
    await fails("UsageInvalid", /in force already/, "approve", "--approvers", ...key("alice"), "--reason", "again");
    const back = await ask(
      "hold",
      "lift",
      (await test.dbgov("hold", "place", "--database", "shop", "--reason", "2", "--by", "legal")).json.id,
    );
    await fails("ApprovalRefused", /is no approver's/, "approve", back, "--yes", ...key("bob"));
    assert.equal((await test.dbgov("approve", back, "--yes", ...key("mallory"))).code, 0);
    await test.reconfigure((config) => {
      config.approval.approvers = [approver("alice"), approver("bob")];
    });
    const change = await ask("approve", "--approvers");
    assert.equal((await test.dbgov("approve", change, "--yes", ...key("mallory"))).code, 0);
  });

  it("what is marked lives and can be kept, although its time has come", async () => {
    const [old = ""] = snapshots;
    assert.deepEqual((await retention()).removed, []);
    const { pending } = await plan();
    assert.deepEqual([pending.length, pending[0].snapshot, pending[0].reason], [1, old, "retention"]);
    await fails("UsageInvalid", /not to come/, "retention", "undo", old, "--by", "ops", "--until", "2020-01-01");
    const undone = await test.dbgov("retention", "undo", old, "--by", "ops", "--reason", "needed for the audit");
    assert.equal(undone.code, 0, JSON.stringify(undone.json));
    assert.deepEqual((await plan()).pending, []);
    assert.deepEqual((await retention()).removed, []);
    const decision = (await plan()).decisions.find(({ snapshot }: { snapshot: string }) => snapshot === old);
    assert.deepEqual([decision.action, decision.reasons], ["keep", ["legal hold"]]);
    assert.equal((await getSnapshot(await test.site.catalog(), old))?.removedAt, null);
    assert.deepEqual([(await bodies("deletion-scheduled")).length, (await bodies("deletion-undone")).length], [1, 1]);
    await fails("NameUnknown", /is not marked/, "retention", "undo", old, "--by", "ops");
    await approve(await ask("hold", "lift", undone.json.hold));
  });

  it("a request that nobody else signs in time does nothing, and is logged", async () => {
    await test.reconfigure((config) => {
      config.approval.within = "1s";
    });
    const id = await ask("retention", "delete", "--database", "shop");
    assert.equal(await ends(test.client.workflow.getHandle(`approval/${id}`).result()), "ApprovalRefused");
    await fails("ApprovalRefused", /does not wait any more/, "approve", id, "--yes", ...key("bob"));
    const expired = (await bodies("approval")).filter((entry) => entry.kind === "approval" && entry.outcome === "expired");
    assert.ok(expired.length === 1 && !("approvedBy" in expired[0]!));
    await test.reconfigure((config) => {
      config.approval.within = "1h";
    });
  });

  it("all of a database goes when two ask for it, its newest verified snapshot, too", async () => {
    await fails("UsageInvalid", /needs --key/, "retention", "delete", "--database", "shop", "--reason", "alone");
    const done = (await approve(await ask("retention", "delete", "--database", "shop"))) as { marked: number };
    assert.equal(done.marked, 2);
    const due = (await plan()).pending.map(({ dueAt }: { dueAt: string }) => Date.parse(dueAt));
    await delay(Math.max(0, Math.max(...due) - Date.now()) + 100);
    assert.deepEqual((await retention()).removed.toSorted(), snapshots.toSorted());
    assert.deepEqual(await listSnapshots(await test.site.catalog(), { database: "shop" }), []);
    const deleted = await bodies("deleted");
    assert.deepEqual(
      deleted.map((entry) => entry.kind === "deleted" && [entry.reason, entry.means]),
      [
        ["request", "bytes"],
        ["request", "bytes"],
      ],
    );
  });
});

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { serveWitness } from "../../client/witness-server.ts";
import { latestCheckpoint, latestPublished } from "../../core/catalog/latest-checkpoint.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { getSnapshot } from "../../core/catalog/read-snapshots.ts";
import { latestTimestamp } from "../../core/catalog/timestamps.ts";
import { tokenKey } from "../../core/ledger/evidence-keys.ts";
import { openLog } from "../../core/ledger/log.ts";
import { checkpointKey } from "../../core/ledger/tiles.ts";
import { cosignaturesOf, formatWitnessKey } from "../../core/ledger/verify/cosignature.ts";
import { parseNoteKey } from "../../core/ledger/verify/note.ts";
import { trustPolicyOf } from "../../core/site/trust-policy.ts";
import { startAuthority, type TestAuthority } from "../integration/ledger-authority.ts";
import { until } from "../integration/ledger-chain.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";
import { testSigner } from "../unit/ledger-fixtures.ts";

/** Two witnesses must cosign; the only anchor is a time-stamping authority. */
describe("what makes a head of the log public", () => {
  let test: TestSite;
  let authority: TestAuthority;
  const witnesses = ["witness.example/w1", "witness.example/w2"].map((name, at) => {
    const { publicKey, sign } = testSigner(31 + at);
    return { key: { name, publicKey }, sign };
  });
  const ports: number[] = [];
  const running: { close(): Promise<void> }[] = [];

  const start = async (at: number, port = 0): Promise<void> => {
    const log = parseNoteKey((await trustPolicyOf(test.site)).log.publicKey)!;
    const state = join(test.folder, `witness-${at}`);
    const serving = await serveWitness({ witness: witnesses[at]!, logs: [log], state, host: "127.0.0.1", port });
    ports[at] = serving.port;
    running[at] = serving;
  };

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    const source = await createDatabase(stack, "publish_source");
    await runSql(source, "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 100)");
    test = await createTestSite({
      name: "publish",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: ["arweave"] },
    });
    authority = await startAuthority(join(test.folder, `authority ${randomBytes(2).toString("hex")}`.replace(" ", "-")));
    await start(0);
    await start(1);
    await running[1]!.close();
    await test.reconfigure((config) => {
      config.anchors = [];
      config.log.witnesses = witnesses.map(({ key }, at) => ({ url: `http://127.0.0.1:${ports[at]}`, publicKey: formatWitnessKey(key) }));
      config.log.witnessQuorum = 2;
      config.timestampAuthorities = [{ name: "tsa", url: authority.url, roots: authority.roots, every: "1s" }];
    });
    await test.worker();
  });
  after(async () => {
    await Promise.all(running.map((one) => one.close()));
    await authority?.close();
    await test?.close();
  });

  const origin = () => test.site.loaded.config.log.origin;
  const openIn = async (store: string, unpublished = false) =>
    await openLog({ store: await test.site.store(store), origin: origin(), signer: await test.site.logSigner(), unpublished });

  it("is not published, copied or attested while a witness is missing", async () => {
    await test.backup("shop");
    const catalog = await test.site.catalog();
    const handle = test.client.workflow.getHandle("publish");
    await until(
      async () => (await handle.describe()).raw.pendingActivities?.[0]?.lastFailure?.message ?? "",
      (message) => /1 of 2 witnesses have cosigned size \d+ .* and 2 must: witness\.example\/w2 cannot be reached/.test(message),
    );
    const kinds = (await logEntries(catalog)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["snapshot-sealed", "snapshot-replicated"]);
    assert.equal((await openIn("local", true)).size, kinds.length);
    assert.equal((await openIn("local")).size, 0, "nothing is public");
    assert.equal((await openIn("azure")).size, 0);
    assert.equal(await latestPublished(catalog, origin()), undefined);
    assert.equal(await latestTimestamp(catalog, "tsa"), undefined);
  });

  it("then is cosigned, copied, and time-stamped, which makes the snapshot anchored where no chain is declared", async () => {
    await start(1, ports[1]);
    const catalog = await test.site.catalog();
    // The verification logs an entry of its own, which the authority sees with the next stamp.
    const [stamp, head] = await until(
      async () => [await latestTimestamp(catalog, "tsa"), await latestCheckpoint(catalog, origin())] as const,
      ([found, last]) => found !== undefined && found.size === last?.size,
      60_000,
    );
    const published = await latestPublished(catalog, origin());
    const keys = witnesses.map(({ key }) => key);
    assert.equal(cosignaturesOf(published?.note ?? "", keys).length, 2);
    assert.deepEqual([stamp?.size, stamp?.root], [head?.size, head?.root]);
    // Until its first checkpoint is there, a copy is none.
    const copy = await until(
      () => openIn("azure").catch(() => undefined),
      (log) => log?.size === head?.size,
    );
    await copy?.verifyAll();
    assert.equal(copy?.checkpoint().note, published?.note, "with its cosignatures");
    const archive = await test.site.store("arweave");
    await until(
      () => archive.get(checkpointKey, AbortSignal.timeout(5_000)).catch(() => Buffer.from("none yet")),
      (note) => Buffer.from(note).toString().startsWith(`${origin()}\n${head?.size}\n`),
    );
    const azure = await test.site.store("azure");
    await until(
      () => azure.stat(tokenKey(head?.size ?? 0, "tsa"), AbortSignal.timeout(5_000)),
      (found) => found !== undefined,
    );
    const [snapshot] = (await test.dbgov("snapshots")).json.snapshots;
    const record = await until(
      () => getSnapshot(catalog, snapshot.snapshot),
      (found) => found?.states.some(({ state }) => state === "anchored") === true,
    );
    const anchored = record?.states.find(({ state }) => state === "anchored");
    assert.equal(anchored?.evidence.authority, "tsa");

    const [bundle, trust, earlier] = ["bundle.json", "trust.json", "checkpoint"].map((name) => join(test.folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(earlier, (await (await openIn("local")).checkpointAt(1)).note);
    const proof = (await test.dbgov("proof", snapshot.snapshot, "--out", bundle, "--trust", trust, "--since", earlier)).json;
    assert.deepEqual([proof.anchors, proof.timestamps], [0, 1]);
    const policy = JSON.parse(await readFile(trust, "utf8"));
    const audit = async (since: object, expected = 0) => {
      await writeFile(trust, JSON.stringify({ ...policy, since }));
      const { code, stdout } = await runDbgov(["audit", bundle, "--trust", trust, "--json"], { cwd: test.folder, env: process.env });
      assert.equal(code, expected, stdout);
      return JSON.parse(stdout);
    };
    const [{ root }] = (JSON.parse(await readFile(bundle, "utf8")).consistency.checkpoint as string)
      .split("\n")
      .slice(2, 3)
      .map((line) => ({ root: Buffer.from(line, "base64").toString("hex") })) as [{ root: string }];
    const report = await audit({ size: 1, root });
    assert.deepEqual(
      report.cosignatures.map(({ witness }: { witness: string }) => witness),
      witnesses.map(({ key }) => key.name),
    );
    assert.deepEqual(
      report.timestamps.map(({ authority: by, time }: { authority: string; time: string }) => [by, time]),
      [["CN=Test ec", stamp?.time]],
    );
    const day = new Date().toISOString().slice(0, 10);
    const [earliest] = [new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)];
    const stated = (await test.dbgov("proof", "--database", "shop", "--from", earliest, "--to", day, "--out", bundle)).json;
    assert.ok(stated.entries >= 1);
    const { period } = await audit(undefined as unknown as object);
    assert.deepEqual([period.database, period.kinds["snapshot-sealed"], period.closed], ["shop", 1, false]);
    await test.dbgov("proof", snapshot.snapshot, "--out", bundle, "--since", earlier);
    assert.match((await audit({ size: 1, root: "00".repeat(32) }, 5)).failures[0].reason, /another root at size 1/);
  });

  it("a published head and tiles that are lost are put back by the next publishing, although the log has not grown", async () => {
    const local = await test.site.store("local");
    const signal = AbortSignal.timeout(10_000);
    await until(
      () => test.client.workflow.getHandle("publish").describe(),
      ({ status }) => status.name === "COMPLETED",
    );
    const before = await openIn("local");
    const publish = async (): Promise<void> => {
      await (await test.client.workflow.start("publish", { workflowId: "publish", taskQueue: "orchestrate" })).result();
      const after = await openIn("local");
      assert.equal(after.checkpoint().note, before.checkpoint().note, "with its cosignatures");
      await after.verifyAll();
    };
    await local.delete("log/checkpoint", signal);
    await publish();
    for await (const { key } of local.list("log/tile/", signal)) await local.delete(key, signal);
    await publish();
    // One that the log's own key signed, and nobody has cosigned.
    await local.put("log/checkpoint", new TextEncoder().encode((await before.checkpointAt(1)).note), signal);
    await publish();
  });

  it("a log that lost a tile, an entry bundle and its head is put right from the copy before the next entry", async () => {
    const local = await test.site.store("local");
    const signal = AbortSignal.timeout(10_000);
    await until(
      () => test.client.workflow.getHandle("publish").describe(),
      ({ status }) => status.name === "COMPLETED",
    );
    const before = await openIn("local");
    for await (const { key } of local.list("log/tile/", signal)) await local.delete(key, signal);
    await local.delete("log/checkpoint", signal);
    await local.delete("log/head", signal);
    await test.backup("shop");
    const after = await openIn("local", true);
    assert.ok(after.size > before.size);
    await after.verifyAll();
    assert.deepEqual((await after.checkpointAt(before.size)).root, before.checkpoint().root);
  });
});

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runDbgov } from "../../client/demo/run-dbgov.ts";
import { logEntries } from "../../core/catalog/read-log-entries.ts";
import { isFailure } from "../../core/domain/failure.ts";
import { openLog } from "../../core/ledger/log.ts";
import { auditBundle, parseBundle, type Trust } from "../../core/ledger/verify/audit.ts";
import { openCheckpoint } from "../../core/ledger/verify/checkpoint.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { openLogToAppend } from "../../core/site/site-log.ts";
import { createDatabase, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { useStack } from "../stack/use-stack.ts";

describe("keys that are replaced while backups go on", () => {
  let test: TestSite;
  let seed: string;
  let first: { bundle: unknown; trust: Trust; snapshot: string };
  let second: { bundle: unknown; trust: Trust; snapshot: string };
  const signal = new AbortController().signal;

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    const source = await createDatabase(stack, "rotate_source");
    await runSql(source, "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 100)");
    const policy = { stores: ["azure"], copies: 2, domains: 2, archive: [] };
    test = await createTestSite({ name: "rotate", stack, databases: [{ name: "shop", engine: "postgres", url: source }], policy });
    seed = (await readFile(join(test.folder, "site", "keys", "log.secret"), "utf8")).trim();
    await test.worker();
  });
  after(() => test?.close());

  const proven = async (): Promise<typeof first> => {
    const { snapshot } = await test.backup("shop");
    await test.client.workflow.getHandle("anchor/chain").result();
    const [out, trust] = [join(test.folder, `${snapshot}.json`), join(test.folder, `${snapshot}.trust.json`)];
    const { code, stderr } = await test.dbgov("proof", snapshot, "--out", out, "--trust", trust);
    assert.equal(code, 0, stderr);
    return { snapshot, bundle: parseBundle(await readFile(out, "utf8")), trust: JSON.parse(await readFile(trust, "utf8")) as Trust };
  };
  const accepted = (bundle: unknown, trust: Trust): void => assert.deepEqual(auditBundle(bundle, trust).failures, []);
  const rejected = (bundle: unknown, trust: Trust, words: RegExp): void =>
    assert.match(
      auditBundle(bundle, trust)
        .failures.map(({ part, reason }) => `${part} ${reason}`)
        .join("\n"),
      words,
    );

  it("a rotation of each key is in the log, and the configuration has the new ones", async () => {
    first = await proven();
    accepted(first.bundle, first.trust);
    const signing = await test.dbgov("keys", "rotate", "signing", "--overlap", "2d");
    assert.equal(signing.code, 0, signing.stderr);
    const log = await test.dbgov("keys", "rotate", "log", "--to", "{ file: keys/log-next.secret }");
    assert.equal(log.code, 0, log.stderr);
    assert.equal(log.json.purpose, "log");
    await test.reconfigure(() => {});
    const { keys } = test.site.loaded.config;
    assert.deepEqual(keys.logKey, { file: "keys/log-next.secret" });
    // The salts of names stay what they were.
    assert.deepEqual(keys.nameSecret, { file: "keys/log.secret" });
    assert.deepEqual(
      keys.retired.map(({ purpose, publicKey }) => [purpose, publicKey]),
      [
        ["signing", signing.json.before],
        ["log", log.json.before],
      ],
    );
    assert.deepEqual(
      (await logEntries(await test.site.catalog(), { kind: "keys-rotated" })).map(({ index }) => index),
      [signing.json.index, log.json.index],
    );
    const again = await test.dbgov("keys", "rotate", "log", "--to", "{ file: keys/log.secret }");
    assert.equal(again.json.error.type, "UsageInvalid");
    assert.match(again.json.error.message, /was retired before: a rotation needs a new one$/);
  });

  it("bundles from before still verify, and new ones by the new policy, and in the overlap by the old one's log key", async () => {
    second = await proven();
    const blocks = {
      chains: second.trust.chains!.map((chain, at) => ({
        ...chain,
        finalizedBlocks: [...chain.finalizedBlocks!, ...first.trust.chains![at]!.finalizedBlocks!],
      })),
    };
    second = { ...second, trust: { ...second.trust, ...blocks } };
    assert.notEqual(second.trust.log.publicKey, first.trust.log.publicKey);
    accepted(second.bundle, second.trust);
    accepted(first.bundle, second.trust);
    const { signingKeys: _, ...oldLogKey } = { ...first.trust, ...blocks };
    accepted(second.bundle, oldLogKey);
    rejected(second.bundle, { ...first.trust, ...blocks }, /^entry\.signer is not a signing key that the trust policy names$/);
    const { index, ...entry } = auditBundle(second.bundle, second.trust).entry!;
    assert.ok(entry.kind === "snapshot-sealed" && index > 0);
    assert.equal(entry.signer, Buffer.from((await test.site.signer()).publicKey).toString("hex"));
  });

  it("what a key signed after it was retired, or after somebody else had it, is refused by auditors", () => {
    const [old] = second.trust.log.retiredKeys!;
    const retiredAt = (until: string): Trust => ({ ...second.trust, log: { ...second.trust.log, retiredKeys: [{ ...old!, until }] } });
    rejected(first.bundle, retiredAt("2020-01-01T00:00:00.000Z"), /^checkpoint is signed by a key that was retired at 2020/);
    const [present, ...others] = second.trust.signingKeys!;
    const [retired] = others as { publicKey: string; until: string }[];
    const compromised = { ...second.trust, signingKeys: [present!, { ...retired!, until: "2020-01-01T00:00:00.000Z" }] };
    rejected(first.bundle, compromised, /^entry\.signer is a signing key that the trust policy does not let count at /);
  });

  it("snapshots that the old key signed are still opened, and none that it signed since it was in other hands", async () => {
    const verified = await test.dbgov("verify", first.snapshot);
    assert.equal(verified.code, 0, verified.stderr);
    await test.reconfigure((config) => {
      config.keys.retired[0].until = "2020-01-01T00:00:00.000Z";
    });
    const refused = await test.dbgov("verify", first.snapshot);
    assert.notEqual(refused.code, 0);
    assert.match(JSON.stringify(refused.json), /is not trusted/);
  });

  it("a manifest is opened to an auditor's own key, who reads what the snapshot is, and to nobody else", async () => {
    await test.reconfigure((config) => {
      config.keys.retired[0].until = "2030-01-01T00:00:00.000Z";
    });
    const [keys, others, out, trust] = ["auditor", "others", "opened.json", "opened.trust.json"].map((name) => join(test.folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    for (const folder of [keys, others])
      assert.equal((await runDbgov(["keys", "init", "--out", folder], { cwd: test.folder, env: process.env })).code, 0);
    // Of the snapshot from before the rotation: its entry names the key that signed it.
    const { code, stderr } = await test.dbgov(
      "proof",
      first.snapshot,
      "--out",
      out,
      "--trust",
      trust,
      "--open-to",
      join(keys, "recovery.public"),
    );
    assert.equal(code, 0, stderr);
    const open = async (bundle: string, folder = keys) => {
      const args = ["audit", "open", bundle, "--trust", trust, "--secret", join(folder, "recovery.secret"), "--json"];
      const finished = await runDbgov(args, { cwd: test.folder, env: process.env });
      return { code: finished.code, json: JSON.parse(finished.stdout === "" ? finished.stderr : finished.stdout) };
    };
    const opened = await open(out);
    assert.deepEqual([opened.code, opened.json.snapshot, opened.json.database], [0, first.snapshot, "shop"]);
    assert.ok(
      opened.json.streams.some(({ rows }: { rows: number }) => rows === 100),
      JSON.stringify(opened.json.streams),
    );
    assert.equal((await open(out, others)).json.error.type, "WrongKey");
    const bundle = JSON.parse(await readFile(out, "utf8"));
    const variant = async (manifest: object) => {
      await writeFile(`${out}.variant`, JSON.stringify({ ...bundle, manifest: { ...bundle.manifest, ...manifest } }));
      return await open(`${out}.variant`);
    };
    const altered = await variant({ content: Buffer.from("another").toString("base64") });
    assert.deepEqual([altered.code, altered.json.failures[0].part], [5, "manifest.content"]);
    const { envelope } = bundle.manifest;
    const flipped = Buffer.from(envelope.wrapped, "base64");
    flipped[30]! ^= 1;
    assert.equal((await variant({ envelope: { ...envelope, wrapped: flipped.toString("base64") } })).json.error.type, "ObjectCorrupt");
  });

  it("a head that the old key alone signed counts in the overlap, and after it only as far as the log went", async () => {
    const { origin } = test.site.loaded.config.log;
    const store = await test.site.store("local");
    const old = { ...signerFromSeed(seed), earlier: [{ publicKey: (await test.site.logSigner()).publicKey }] };
    const swept = {
      kind: "sweep-finished",
      time: "2026-11-24T02:15:00.000Z",
      reportHash: "ab".repeat(32),
      pass: 1,
      fail: 0,
      notApplicable: 0,
      inconclusive: 0,
    } as const;
    const stale = await openLog({ store, origin, signer: old, unpublished: true });
    await stale.append([{ identity: "a worker that has the old configuration", body: swept }]);
    const { size } = await openLogToAppend(test.site, signal, () => assert.fail("nothing is damaged"));
    assert.equal(size, stale.size);
    await test.reconfigure((config) => {
      config.keys.retired[1].until = "2020-01-01T00:00:00.000Z";
    });
    // The catalog knows the head from before, which the new key signed: it is put back.
    const healed: string[] = [];
    const log = await openLogToAppend(test.site, signal, (keys) => void healed.push(...keys));
    assert.ok(healed.includes("log/checkpoint"), healed.join());
    assert.equal(log.size, stale.size - 1);
    await assert.rejects(openLog({ store, origin, signer: { publicKey: signerFromSeed("0c".repeat(32)).publicKey } }), (error) =>
      isFailure(error, "LedgerCorrupt"),
    );
  });

  it("a rotation that was killed before it wrote the configuration ends when it is called again", async () => {
    const text = await readFile(test.config, "utf8");
    const once = await test.dbgov("keys", "rotate", "signing", "--to", "{ file: keys/signing-3.secret }");
    assert.equal(once.code, 0, once.stderr);
    await writeFile(test.config, text);
    const again = await test.dbgov("keys", "rotate", "signing", "--to", "{ file: keys/signing-3.secret }");
    // The end of the overlap is the one that the log has, not a later one.
    assert.deepEqual([again.code, again.json], [0, once.json]);
    const written = await readFile(test.config, "utf8");
    assert.match(written, /keys\/signing-3\.secret/);
    assert.ok(written.includes(once.json.until), written);
  });

  it("the log's key can be one that a program signs with, and a check finds a program that does not", async () => {
    const site = join(test.folder, "site");
    const [seed, publicKey] = ["0e".repeat(32), Buffer.from(signerFromSeed("0e".repeat(32)).publicKey).toString("hex")];
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(seed, "hex")]);
    await writeFile(join(site, "card.pem"), `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString("base64")}\n-----END PRIVATE KEY-----\n`, {
      mode: 0o600,
    });
    const script =
      '#!/bin/sh\ncat > "message.$$"; openssl pkeyutl -sign -inkey card.pem -rawin -in "message.$$" | base64 -w 0; rm "message.$$"\n';
    await writeFile(join(site, "sign.sh"), script, { mode: 0o755 });
    const rotated = await test.dbgov("keys", "rotate", "log", "--to", `{ command: [./sign.sh], publicKey: ${publicKey} }`);
    assert.deepEqual([rotated.code, rotated.json?.after], [0, publicKey], rotated.stderr);
    await test.reconfigure(() => {});
    const log = await openLogToAppend(test.site, signal, () => {});
    const key = { name: log.origin, publicKey: signerFromSeed(seed).publicKey };
    assert.ok(!("reason" in openCheckpoint(log.checkpoint().note, log.origin, key)));
    const keysOf = async () => (await test.dbgov("check")).json.checks.find(({ kind }: { kind: string }) => kind === "keys");
    assert.equal((await keysOf()).ok, true);
    await writeFile(join(site, "sign.sh"), "#!/bin/sh\necho no card >&2; exit 1\n");
    const broken = await keysOf();
    assert.equal(broken.ok, false);
    assert.match(broken.details[0], /the program \.\/sign\.sh that signs ended with 1: no card/);
  });

  it("a log key that is in other hands is replaced without an overlap, and the log goes on from where it was", async () => {
    assert.equal((await test.dbgov("keys", "rotate", "log", "--compromised", "2999-01-01")).json.error.type, "UsageInvalid");
    assert.equal((await test.dbgov("keys", "rotate", "recipient")).json.error.type, "UsageInvalid");
    const before = await openLogToAppend(test.site, signal, () => {});
    // The program that signed before does not sign any more: nothing of it is needed.
    const rotated = await test.dbgov(
      "keys",
      "rotate",
      "log",
      "--compromised",
      "2026-01-01T00:00:00Z",
      "--to",
      "{ file: keys/log-4.secret }",
    );
    assert.equal(rotated.code, 0, rotated.stderr);
    await test.reconfigure(() => {});
    const { until, key, size } = test.site.loaded.config.keys.retired.at(-1)!;
    assert.deepEqual([until, key, size], ["2026-01-01T00:00:00.000Z", undefined, before.size + 1]);
    const log = await openLogToAppend(test.site, signal, () => assert.fail("nothing is damaged"));
    const { note } = log.checkpoint();
    assert.equal(log.size, before.size + 1);
    assert.ok(
      "reason" in
        openCheckpoint(note, log.origin, { name: log.origin, publicKey: new Uint8Array(Buffer.from(rotated.json.before, "hex")) }),
    );
    const { entry } = await log.entry(rotated.json.index);
    assert.ok(entry.kind === "keys-rotated" && entry.until === until && entry.before === rotated.json.before);
  });
});

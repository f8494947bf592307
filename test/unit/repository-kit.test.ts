import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { type Envelope, unwrapKey, wrapKey } from "../../core/repository/envelopes.ts";
import { ensureKeyring, keyringDatabases, readKeyringOf, refreshKeyring } from "../../core/repository/keyring.ts";
import { type RecoveryKitContent, readRecoveryKit, writeRecoveryKit } from "../../core/repository/recovery-kit.ts";
import { signerFromSeed } from "../../core/repository/signing.ts";
import { newRecipient } from "./repository-fixture.ts";

const signer = signerFromSeed("33".repeat(32));
const logKey = signerFromSeed("44".repeat(32)).publicKey;

const kitIn = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), "dbgov-kit-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const anna = await newRecipient("anna");
  const content: RecoveryKitContent = {
    organization: "acme",
    generatedAt: "2026-11-24T02:15:00.000Z",
    secretText: anna.secretText,
    stores: [
      { name: "cellar", kind: "directory", address: "/backups/it's here <b>" },
      { name: "blob", kind: "azure-blob", address: "azure-blob://acme.blob.example/backups" },
    ],
    signingKeys: [{ publicKey: signer.publicKey }, { publicKey: logKey, until: "2026-11-24T02:15:00.000Z" }],
    log: { origin: "acme.example/dbgov", publicKey: logKey },
  };
  const kit = join(folder, "kit");
  return { kit, anna, content };
};

const written = async (kit: string, content: RecoveryKitContent): Promise<void> => {
  await ensureKeyring(kit);
  await writeRecoveryKit(kit, content);
};

test("a kit that was written is read back, and its keyring opens what was wrapped", async (t) => {
  const { kit, anna, content } = await kitIn(t);
  const key = randomBytes(32);
  const object = "ab".repeat(32);
  const envelopes = await wrapKey("range", object, key, [anna.recipient, (await newRecipient("ben")).recipient]);
  await refreshKeyring(kit, "shop", envelopes);
  await writeRecoveryKit(kit, content);
  for (const path of [kit, join(kit, "kit.json")]) {
    const read = await readRecoveryKit(path);
    assert.equal(read.organization, "acme");
    assert.equal(read.secret.id, anna.recipient.id);
    assert.deepEqual(read.stores, content.stores);
    assert.deepEqual(
      read.signingKeys.map(({ publicKey, until }) => [Buffer.from(publicKey), until]),
      [
        [Buffer.from(signer.publicKey), undefined],
        [Buffer.from(logKey), "2026-11-24T02:15:00.000Z"],
      ],
    );
    assert.deepEqual(read.envelopesOf(object), envelopes);
    assert.deepEqual(read.envelopesOf("unknown"), []);
    assert.deepEqual(Buffer.from(await unwrapKey(read.envelopesOf(object), read.secret)), key);
  }
});

test("its files are for their owner only, whole, and nothing partial is left", async (t) => {
  const { kit, content, anna } = await kitIn(t);
  await written(kit, content);
  assert.deepEqual((await readdir(kit)).sort(), ["keyring", "kit.json", "recovery-kit.html"]);
  const envelope = (await wrapKey("range", "cd".repeat(32), randomBytes(32), [anna.recipient]))[0]!;
  await refreshKeyring(kit, "shop", [envelope]);
  for (const name of ["kit.json", "recovery-kit.html", "keyring/shop.jsonl"])
    assert.equal((await stat(join(kit, name))).mode & 0o777, 0o600, name);
  for (const folder of [kit, join(kit, "keyring")]) assert.equal((await stat(folder)).mode & 0o777, 0o700);
  async function* breaking(): AsyncGenerator<Envelope, void, void> {
    yield envelope;
    throw new Error("the catalog went away");
  }
  await assert.rejects(refreshKeyring(kit, "shop", breaking()));
  assert.deepEqual((await readRecoveryKit(kit)).envelopesOf("cd".repeat(32)), [envelope], "the keyring before it still stands");
  assert.deepEqual(await readdir(join(kit, "keyring")), ["shop.jsonl"]);
});

test("each database has a file of its own, which goes with its last envelope", async (t) => {
  const { kit, content, anna } = await kitIn(t);
  await written(kit, content);
  const [one, two] = await Promise.all(
    ["ab", "cd"].map(async (byte) => (await wrapKey("range", byte.repeat(32), randomBytes(32), [anna.recipient]))[0]!),
  );
  await refreshKeyring(kit, "shop", [one!]);
  await refreshKeyring(kit, "orders", [two!]);
  assert.deepEqual(await keyringDatabases(kit), ["orders", "shop"]);
  assert.deepEqual([await readKeyringOf(kit, "orders"), await readKeyringOf(kit, "unknown")], [[two], []]);
  await refreshKeyring(kit, "shop", []);
  assert.deepEqual(await keyringDatabases(kit), ["orders"]);
  const { envelopesOf } = await readRecoveryKit(kit);
  assert.deepEqual([envelopesOf(one!.object), envelopesOf(two!.object)], [[], [two]]);
});

test("a copy of a kit from before, with all of its keyring in one file, still opens what it did", async (t) => {
  const { kit, content, anna } = await kitIn(t);
  await writeRecoveryKit(kit, content);
  const object = "ef".repeat(32);
  const [former, newer] = await Promise.all(
    [1, 2].map(async () => (await wrapKey("range", object, randomBytes(32), [anna.recipient]))[0]!),
  );
  await writeFile(join(kit, "keyring.jsonl"), `${JSON.stringify(former)}\n`);
  assert.deepEqual((await readRecoveryKit(kit)).envelopesOf(object), [former]);
  await refreshKeyring(kit, "shop", [newer!]);
  assert.deepEqual((await readRecoveryKit(kit)).envelopesOf(object), [newer]);
});

test("what a refresh that was killed has left goes with a later one, and what another is writing stays", async (t) => {
  const { kit, content } = await kitIn(t);
  await written(kit, content);
  const [left, young] = ["1", "2"].map((process) => join(kit, "keyring", `.shop.jsonl.${process}.abc.partial`));
  for (const path of [left!, young!]) await writeFile(path, "half");
  const yesterday = new Date(Date.now() - 25 * 60 * 60_000);
  await utimes(left!, yesterday, yesterday);
  await refreshKeyring(kit, "shop", []);
  assert.deepEqual(await readdir(join(kit, "keyring")), [".shop.jsonl.2.abc.partial"]);
  assert.deepEqual(await keyringDatabases(kit), []);
});

test("the page prints the key, the stores, the keys to believe and the commands, escaped and without outside resources", async (t) => {
  const { kit, content } = await kitIn(t);
  await written(kit, content);
  const page = await readFile(join(kit, "recovery-kit.html"), "utf8");
  for (const text of [
    content.secretText,
    content.generatedAt,
    "acme.example/dbgov",
    signer.keyId,
    Buffer.from(logKey).toString("base64"),
  ]) {
    assert.ok(page.includes(text), text);
  }
  const command = "bin/dbgov recover --store azure-blob://acme.blob.example/backups --kit FILE --snapshot latest --database NAME --to URL";
  assert.ok(page.includes(command));
  assert.ok(page.includes("--store '/backups/it'\\''s here &lt;b&gt;'"));
  assert.ok(!page.includes("here <b>"));
  assert.ok(page.includes("AZURE_STORAGE_CONNECTION_STRING") && !page.includes("AWS_ACCESS_KEY_ID"), "only the secrets of its own stores");
  assert.doesNotMatch(page, /<script|src=|href=|@import|url\(/);
});

test("the page of a bucket quotes its address for a shell, and names the variables of its keys", async (t) => {
  const { kit, content } = await kitIn(t);
  const address = "s3://backups/acme?region=eu1&endpoint=https://gateway.example";
  await writeRecoveryKit(kit, { ...content, stores: [{ name: "bucket", kind: "s3", address }] });
  const page = await readFile(join(kit, "recovery-kit.html"), "utf8");
  assert.ok(page.includes(`--store '${address.replace("&", "&amp;")}' --kit FILE`));
  assert.ok(page.includes("AWS_SECRET_ACCESS_KEY") && !page.includes("AZURE_STORAGE_CONNECTION_STRING"));
});

test("a kit that is missing, altered, of a newer version or with a wrong key is refused in a sentence", async (t) => {
  const { kit, content } = await kitIn(t);
  const refused = (type: FailureType, path = kit) => assert.rejects(readRecoveryKit(path), (error) => isFailure(error, type));
  await refused("UsageInvalid");
  await written(kit, content);
  const path = join(kit, "kit.json");
  const good = await readFile(path, "utf8");
  const cases: [string, FailureType][] = [
    [good.slice(0, 100), "ObjectCorrupt"],
    ["[]", "ObjectCorrupt"],
    [good.replace('"version": 1', '"version": 9'), "FormatUnsupported"],
    [good.replace("dbgov-secret-1:", "dbgov-secret-1:A"), "WrongKey"],
    [good.replace('"log"', '"lag"'), "ObjectCorrupt"],
    [good.replace('"publicKey": "', '"publicKey": "A'), "ObjectCorrupt"],
  ];
  for (const [text, type] of cases) {
    await writeFile(path, text);
    await refused(type);
  }
  await writeFile(path, good);
  await writeFile(join(kit, "keyring/shop.jsonl"), '{"version":1}\n');
  await refused("ObjectCorrupt");
  await rm(join(kit, "keyring"), { recursive: true });
  await refused("UsageInvalid");
  await assert.rejects(writeRecoveryKit(kit, { ...content, secretText: "nonsense" }), (error) => isFailure(error, "WrongKey"));
});

test("a folder that cannot be written is named", async (t) => {
  const { kit, content } = await kitIn(t);
  await writeFile(kit, "a file where the folder should be");
  for (const write of [() => writeRecoveryKit(kit, content), () => refreshKeyring(kit, "shop", []), () => ensureKeyring(kit)])
    await assert.rejects(write(), (error) => isFailure(error, "StoreUnreachable") && error.message.includes(kit));
});

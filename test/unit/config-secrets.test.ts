import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { redact, registerSecret } from "../../core/config/redact.ts";
import { readSecret, resolveSecrets } from "../../core/config/secrets.ts";
import { isFailure } from "../../core/domain/failure.ts";

const folder = await mkdtemp(join(tmpdir(), "dbgov-secrets-"));
after(() => rm(folder, { recursive: true }));

test("a secret is read from the environment or a file, without the newline at its end, and redacted from then on", async () => {
  process.env.DBGOV_TEST_SECRET = "from-the-environment-1";
  await writeFile(join(folder, "key"), "from-the-file-2\r\n", { mode: 0o600 });
  assert.equal(redact("from-the-file-2"), "from-the-file-2");
  assert.equal(await readSecret({ env: "DBGOV_TEST_SECRET" }, folder), "from-the-environment-1");
  assert.equal(await readSecret({ file: "key" }, folder), "from-the-file-2");
  assert.equal(await readSecret({ file: join(folder, "key") }, "/"), "from-the-file-2");
  assert.equal(redact("a from-the-file-2 b from-the-environment-1"), "a [redacted] b [redacted]");
});

test("what is missing, empty or writable by others is refused, and named", async () => {
  const refused = async (ref: { env: string } | { file: string }, type: "SecretMissing" | "ConfigurationInvalid", words: RegExp) =>
    await assert.rejects(readSecret(ref, folder), (error) => isFailure(error, type) && words.test(error.message));
  await refused({ env: "DBGOV_TEST_NOT_SET" }, "SecretMissing", /DBGOV_TEST_NOT_SET is not set$/);
  process.env.DBGOV_TEST_EMPTY = " ";
  await refused({ env: "DBGOV_TEST_EMPTY" }, "SecretMissing", /DBGOV_TEST_EMPTY is empty$/);
  await refused({ file: "nowhere" }, "SecretMissing", /nowhere does not exist$/);
  await refused({ file: "." }, "SecretMissing", /is a folder$/);
  await writeFile(join(folder, "empty"), "\n");
  await refused({ file: "empty" }, "SecretMissing", /empty is empty$/);
  for (const mode of [0o622, 0o620, 0o602]) {
    await writeFile(join(folder, "open"), "secret-of-everybody");
    await chmod(join(folder, "open"), mode);
    await refused({ file: "open" }, "ConfigurationInvalid", /can be written by other users \(run: chmod go-w /);
  }
  assert.equal(redact("secret-of-everybody"), "secret-of-everybody");
  await chmod(join(folder, "open"), 0o644);
  assert.equal(await readSecret({ file: "open" }, folder), "secret-of-everybody");
});

test("secrets are read wherever they stand in a piece of the configuration", async () => {
  process.env.DBGOV_TEST_TOKEN = "token-0123456789";
  const store = {
    kind: "ipfs",
    name: "peers",
    domain: "d",
    peers: [
      { name: "a", api: "http://a", token: { env: "DBGOV_TEST_TOKEN" } },
      { name: "b", api: "http://b" },
    ],
  } as const;
  const resolved = await resolveSecrets(store, folder);
  assert.deepEqual(resolved, {
    ...store,
    peers: [
      { name: "a", api: "http://a", token: "token-0123456789" },
      { name: "b", api: "http://b" },
    ],
  });
  await assert.rejects(resolveSecrets({ token: { env: "DBGOV_TEST_NOT_SET" } }, folder), (error) => isFailure(error, "SecretMissing"));
});

test("inside a secret, what is secret on its own is redacted too: decoded, encoded, quoted, the longest first", () => {
  registerSecret("postgres://backup:p%40ss%2Fw0rd@db.example.com:5432/shop");
  assert.equal(redact('password "p@ss/w0rd" rejected; tried p%40ss%2Fw0rd'), 'password "[redacted]" rejected; tried [redacted]');
  assert.equal(
    redact("postgres://backup:p%40ss%2Fw0rd@db.example.com:5432/other"),
    "postgres://backup:[redacted]@db.example.com:5432/other",
  );
  assert.equal(redact("at postgres://backup:p%40ss%2Fw0rd@db.example.com:5432/shop."), "at [redacted].");
  registerSecret("mongodb://root:Gr4pefruit@a:27017,b:27017/?authSource=admin");
  assert.equal(redact("mongodb://root:Gr4pefruit@c"), "mongodb://root:[redacted]@c");
  registerSecret("DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=Zm9vYmFyYmF6cXV4==;EndpointSuffix=core.windows.net");
  assert.equal(redact("key Zm9vYmFyYmF6cXV4=="), "key [redacted]");
  assert.equal(redact("AccountName=acme"), "AccountName=acme");
  registerSecret("https://acme.blob.core.windows.net/c?sv=2024&sig=Q2hhbmdl%2Bme%3D");
  assert.equal(redact("sig Q2hhbmdl+me= sv=2024"), "sig [redacted] sv=2024");
  registerSecret("https://base.example.com/v2/0123456789abcdef0123");
  assert.equal(redact("POST /v2/0123456789abcdef0123 failed"), "POST /v2/[redacted] failed");
  registerSecret("postgres://backup:Gr4pefruit2@db.example.com/the_database_of_2026");
  assert.equal(redact('database "the_database_of_2026"'), 'database "the_database_of_2026"', "a database's name is no secret");
  registerSecret('{"kty":"RSA","n":"public-number","d":"private-number"}');
  assert.equal(redact("private-number public-number"), "[redacted] public-number");
  registerSecret('quo"ted-secret');
  assert.equal(redact(JSON.stringify({ message: 'quo"ted-secret' })), '{"message":"[redacted]"}');
  registerSecret("abc-long");
  registerSecret("abc-long-and-longer");
  assert.equal(redact("abc-long-and-longer abc-long"), "[redacted] [redacted]");
});

test("a password that is a plain word is redacted where it stands as a password, and the word stays elsewhere", () => {
  registerSecret("postgres://postgres:postgres@127.0.0.1:5432/postgres");
  assert.equal(redact('{"engine":"postgres"}'), '{"engine":"postgres"}');
  assert.equal(redact("postgres://postgres:postgres@127.0.0.1/other"), "postgres://postgres:[redacted]@127.0.0.1/other");
  assert.equal(redact("password=postgres host=x"), "password=[redacted] host=x");
  assert.equal(redact('"password":"postgres"'), '"password":"[redacted]"');
});

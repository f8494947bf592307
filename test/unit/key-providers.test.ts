import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { parseConfig } from "../../core/config/load-config.ts";
import { redact } from "../../core/config/redact.ts";
import { readSecret } from "../../core/config/secrets.ts";
import { type FailureType, isFailure } from "../../core/domain/failure.ts";
import { signerFromSeed, verifySignature } from "../../core/repository/signing.ts";
import { signingKeysFor } from "../../core/repository/signing-keys.ts";
import { signerByProgram } from "../../core/site/program-signer.ts";
import { type KeyVaultStub, principal, startKeyVaultStub } from "../sample/key-vault-stub.ts";

const refused = async (work: Promise<unknown>, type: FailureType, words: RegExp): Promise<void> =>
  await assert.rejects(work, (error) => {
    assert.ok(isFailure(error, type), String(error));
    assert.match(error.message, words);
    return true;
  });

describe("secrets of Azure Key Vault, against the stub of its REST API", () => {
  let stub: KeyVaultStub;
  const settings = [
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  ];
  const read = (secret: string, version?: string): Promise<string> => readSecret({ keyVault: { vault: stub.url, secret, version } }, "/");
  const asPrincipal = (secret = principal.secret): void => {
    const { tenant, client } = principal;
    Object.assign(process.env, {
      AZURE_TENANT_ID: tenant,
      AZURE_CLIENT_ID: client,
      AZURE_CLIENT_SECRET: secret,
      AZURE_AUTHORITY_HOST: stub.url,
    });
  };
  before(async () => {
    stub = await startKeyVaultStub();
    stub.secrets
      .set("dbgov-log", "0a".repeat(32))
      .set(`dbgov-log/${"e".repeat(32)}`, "0b".repeat(32))
      .set("empty", " ");
  });
  afterEach(() => {
    for (const name of settings) delete process.env[name];
  });
  after(() => stub.close());

  test("a wrong secret of the principal is refused, and not told", async () => {
    asPrincipal("another-secret-of-nobody");
    await refused(read("dbgov-log"), "SecretMissing", /^a token of 127\.0\.0\.1:\d+ is refused: HTTP 401 \(invalid_client\)$/);
    assert.equal(redact("another-secret-of-nobody"), "[redacted]");
  });

  test("the newest version and a named one are read with one token, and redacted", async () => {
    asPrincipal();
    assert.equal(await read("dbgov-log"), "0a".repeat(32));
    assert.equal(await read("dbgov-log", "e".repeat(32)), "0b".repeat(32));
    assert.equal(stub.tokens(), 1);
    assert.equal(redact(`seed ${"0a".repeat(32)}`), "seed [redacted]");
  });

  test("a machine's identity serves where no principal is named", async () => {
    process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = stub.url;
    assert.equal(await read("dbgov-log"), "0a".repeat(32));
  });

  test("what the vault does not give is named: unknown, forbidden, empty", async () => {
    asPrincipal();
    await refused(
      read("nothing"),
      "SecretMissing",
      /the secret nothing of the key vault 127\.0\.0\.1:\d+ is not given out: HTTP 404 \(SecretNotFound\)$/,
    );
    await refused(read("forbidden-key"), "SecretMissing", /HTTP 403 \(Forbidden\)$/);
    await refused(read("empty"), "SecretMissing", /is empty$/);
  });

  test("a vault that is too busy, silent, or speaks without end is tried again later", async () => {
    asPrincipal();
    stub.busy(1);
    await refused(read("dbgov-log"), "KeyUnavailable", /HTTP 429$/);
    assert.equal(await read("dbgov-log"), "0a".repeat(32));
    const endless = createServer((_, response) => {
      const more = (): void => void (response.write("x".repeat(65_536)) ? setImmediate(more) : response.once("drain", more));
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const vault = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
    await refused(readSecret({ keyVault: { vault, secret: "any" } }, "/"), "KeyUnavailable", /gives no answer$/);
    endless.closeAllConnections();
    await new Promise((resolve) => endless.close(resolve));
    await refused(readSecret({ keyVault: { vault, secret: "any" } }, "/"), "KeyUnavailable", /gives no answer$/);
  });
});

describe("a program that signs", () => {
  const signer = signerFromSeed("07".repeat(32));
  const publicKey = Buffer.from(signer.publicKey).toString("hex");
  const message = Buffer.from("acme.example/log\n12\nroot\n");
  let folder: string;
  /** A shell script beside the configuration, which openssl signs for. */
  const program = async (name: string, script: string): Promise<readonly string[]> => {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
    return [`./${name}`];
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov signer "));
    const seed = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from("07".repeat(32), "hex")]);
    await writeFile(join(folder, "key.pem"), `-----BEGIN PRIVATE KEY-----\n${seed.toString("base64")}\n-----END PRIVATE KEY-----\n`);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("signs by openssl what it is given, and the key is nowhere in this process", async () => {
    const command = await program(
      "sign.sh",
      'cat > "message.$$"; openssl pkeyutl -sign -inkey key.pem -rawin -in "message.$$" | base64 -w 0; rm "message.$$"',
    );
    const own = signerByProgram({ command, publicKey }, folder);
    const signature = await own.sign(message);
    assert.deepEqual(Buffer.from(signature), Buffer.from(signer.sign(message)));
    assert.ok(verifySignature(signer.publicKey, message, signature));
    assert.equal(own.keyId, signer.keyId);
  });

  test("one that fails, lies, says nothing or is not there signs nothing", async () => {
    const fails = async (script: string, words: RegExp): Promise<void> =>
      await refused(
        Promise.resolve(signerByProgram({ command: await program("bad.sh", script), publicKey }, folder).sign(message)),
        "KeyUnavailable",
        words,
      );
    await fails(
      "cat > /dev/null; echo no card in the reader >&2; exit 3",
      /^the program \.\/bad\.sh that signs ended with 3: no card in the reader$/,
    );
    await fails(
      "cat > /dev/null; head -c 64 /dev/zero | base64",
      /answered with no signature of the key [0-9a-f]{64} over what it was given$/,
    );
    await fails("exit 0", /answered with no signature/);
    await fails("kill -9 $$", /ended with no exit code/);
    await fails("cat > /dev/null; head -c 1000000 /dev/zero", /answered with no signature/);
    const missing = signerByProgram({ command: ["./none"], publicKey }, folder).sign(message);
    await refused(Promise.resolve(missing), "KeyUnavailable", /^the program \.\/none that signs cannot be run$/);
  });
});

test("a retired signing key counts for snapshots that were begun by its time, and for no later one", () => {
  const [now, old] = [signerFromSeed("01".repeat(32)), signerFromSeed("02".repeat(32))];
  const keys = [{ publicKey: now.publicKey }, { publicKey: old.publicKey, until: "2026-11-24T02:15:00.000Z" }];
  assert.equal(signingKeysFor("20261124T021500Z-5f3a9c01d2e4", keys).length, 2);
  assert.deepEqual(signingKeysFor("20261124T021501Z-5f3a9c01d2e4", keys), [now.publicKey]);
});

test("a configuration names keys that are whole: a program needs a secret for names, a retired log key its size", () => {
  const example = parse(readFileSync(new URL("../../dbgov.example.yaml", import.meta.url), "utf8")) as { keys: Record<string, unknown> };
  const judged = (keys: Record<string, unknown>) => () =>
    parseConfig(stringify({ ...example, keys: { ...example.keys, ...keys } }), "dbgov.yaml");
  const command = { command: ["./sign"], publicKey: "0a".repeat(32) };
  const retired = { purpose: "log", publicKey: "0b".repeat(32), until: "2026-11-24T02:15:00.000Z" };
  assert.ok(judged({ logKey: command, nameSecret: { env: "NAMES" }, signingKey: command })());
  assert.ok(judged({ nameSecret: { env: "NAMES" }, retired: [{ ...retired, size: 12, key: command }] })());
  assert.throws(judged({ retired: [{ ...retired, size: 12 }] }), /keys\.nameSecret: is missing: the salts of names/);
  assert.throws(judged({ logKey: command }), /keys\.nameSecret: is missing/);
  assert.throws(judged({ retired: [retired] }), /keys\.retired\[0\]\.size: is missing/);
  assert.throws(
    judged({
      retired: [
        { ...retired, size: 1 },
        { ...retired, size: 2 },
      ],
    }),
    /keys\.retired\[1\]\.publicKey: is named twice/,
  );
  assert.throws(judged({ retired: [{ ...retired, until: "2026-11-24" }] }), /must be a time in UTC as 2026-11-24T02:15:00\.000Z/);
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { openAzureBlobStore } from "../../core/stores/azure-blob.ts";
import { addressOf } from "../../core/stores/store-address.ts";
import { selfSignedCertificate } from "../sample/self-signed-certificate.ts";
import { fails, keysOf, never, same } from "./store-expectations.ts";
import { closedAddress, listen } from "./store-servers.ts";

const folder = await mkdtemp(join(tmpdir(), "dbgov-entra-"));
const { key, certificate } = selfSignedCertificate();
await Promise.all([writeFile(join(folder, "key.pem"), key), writeFile(join(folder, "certificate.pem"), certificate)]);
setDefaultCACertificates([...getCACertificates("default"), certificate]);

const port = new URL(await closedAddress()).port;
const azurite = spawn(
  process.execPath,
  [
    createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js"),
    ...["--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"],
    ...["--oauth", "basic", "--key", join(folder, "key.pem"), "--cert", join(folder, "certificate.pem")],
  ],
  { cwd: folder, env: { ...process.env, AZURITE_ACCOUNTS: `dbgov:${randomBytes(64).toString("base64")}` }, stdio: "ignore" },
);
const url = `https://127.0.0.1:${port}/dbgov`;
while (
  !(await fetch(url).then(
    () => true,
    () => false,
  ))
) {
  assert.equal(azurite.exitCode, null, "Azurite did not start");
  await pause(100);
}

/** A token as Azurite looks at it: it checks issuer, audience and times, no signature. */
const tokenFor = (audience: string): string => {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    aud: audience,
    iss: "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3_600,
  };
  return [{ alg: "none", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".")
    .concat(".c2ln");
};

/** A stub of the instance metadata service's token endpoint (learn.microsoft.com, "How to use managed identities on an Azure VM to acquire a token"). */
const metadata = { audience: "https://storage.azure.com", status: 200, asked: 0 };
const machine = await listen(
  createServer((request, response) => {
    const asked = new URL(request.url ?? "", "http://stub");
    const right =
      asked.pathname === "/metadata/identity/oauth2/token" &&
      request.headers.metadata === "true" &&
      asked.searchParams.get("resource") === "https://storage.azure.com";
    metadata.asked += 1;
    response.writeHead(right ? metadata.status : 400, { "content-type": "application/json" });
    const body = { access_token: tokenFor(metadata.audience), expires_in: "3599", token_type: "Bearer" };
    response.end(JSON.stringify(right && metadata.status === 200 ? body : { error: "identity_not_found" }));
  }),
);
after(async () => {
  azurite.kill("SIGKILL");
  await once(azurite, "exit");
  await machine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const names = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_POD_IDENTITY_AUTHORITY_HOST"] as const;
for (const name of names) delete process.env[name];

const config = { kind: "azure-blob", name: "blob", domain: "azure", connection: url, container: "backups", identity: true } as const;
/** Tokens are kept by who asked for them: another client, another token. */
const asClient = (client: string, host: string): void => {
  process.env.AZURE_CLIENT_ID = client;
  process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST = host;
};

describe("Azure Blob store as a managed identity, against Azurite with OAuth and a stub of the machine's metadata service", () => {
  test("everything works with the machine's token, which is asked for once", async () => {
    asClient("good", machine.url);
    const store = openAzureBlobStore(config);
    const bytes = randomBytes(9 << 20);
    await store.put("packs/x", bytes, never);
    same(await store.get("packs/x", never), bytes);
    assert.deepEqual(await keysOf(store, ""), ["packs/x"]);
    await store.delete("packs/x", never);
    await store.probe(never);
    assert.equal(metadata.asked, 1);
    assert.equal(addressOf(config), `${url}/backups`);
  });

  test("a token for something else, an identity that is not there, a machine that has none", async () => {
    asClient("other-audience", machine.url);
    metadata.audience = "https://vault.azure.net";
    await fails(openAzureBlobStore(config).get("packs/x", never), "StoreRejected", [tokenFor(metadata.audience)]);
    asClient("not-there", machine.url);
    metadata.status = 400;
    const failure = await fails(openAzureBlobStore(config).get("packs/x", never), "StoreRejected");
    assert.match(failure.message, /store "blob": a token of this machine's managed identity is refused: HTTP 400 \(identity_not_found\)/);
    asClient("no-machine", await closedAddress());
    await fails(openAzureBlobStore(config).get("packs/x", never), "StoreUnreachable");
  });

  test("a token goes to no http address, and is no second way beside a key or a SAS", () => {
    for (const connection of [url.replace("https:", "http:"), `${url}?sv=2026&sig=abc`, "UseDevelopmentStorage=true"]) {
      assert.throws(() => openAzureBlobStore({ ...config, connection }), { type: "ConfigurationInvalid" });
    }
  });
});

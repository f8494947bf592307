import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { selfSignedCertificate } from "../sample/self-signed-certificate.ts";
import { createSource, createTestSite, runSql, type TestSite } from "../sample/test-site.ts";
import { startTlsFront, type TlsFront } from "../sample/tls-front.ts";
import { useStack } from "../stack/use-stack.ts";

/** Temporal's development server has no TLS of its own: it stands behind a front that lets in one client's certificate only. */
describe("Temporal behind TLS that asks for a client's certificate", () => {
  let front: TlsFront;
  let site: TestSite;
  const client = selfSignedCertificate();
  const temporal = (more: object) => site.reconfigure((config) => Object.assign(config.temporal, more));

  before(async () => {
    const stack = await useStack("temporal", "postgres", "azurite", "ipfs", "anvil", "arlocal");
    const source = await createSource(stack, "temporal_tls");
    await runSql(source, "CREATE TABLE one AS SELECT 1 AS n");
    const [hostname = "", port = ""] = stack.temporal.address.split(":");
    front = await startTlsFront("grpc", { hostname, port }, client.certificate);
    site = await createTestSite({
      name: "temporal-tls",
      stack,
      databases: [{ name: "shop", engine: "postgres", url: source }],
      policy: { stores: ["azure"], copies: 2, domains: 2, archive: [] },
      change: (config) => {
        config.anchors = [];
        Object.assign(config.temporal, { address: `localhost:${front.port}`, tls: true, authority: front.authority });
      },
    });
    await writeFile(join(site.folder, "client.pem"), client.certificate);
    await writeFile(join(site.folder, "client.key"), client.key, { mode: 0o600 });
  });
  after(async () => {
    await site?.close();
    await front?.close();
  });

  test("a client with another certificate is told in one sentence that Temporal does not answer", async () => {
    const stranger = selfSignedCertificate();
    await writeFile(join(site.folder, "stranger.pem"), stranger.certificate);
    await writeFile(join(site.folder, "stranger.key"), stranger.key, { mode: 0o600 });
    await temporal({ certificate: join(site.folder, "stranger.pem"), privateKey: { file: join(site.folder, "stranger.key") } });
    const { code, json } = await site.dbgov("backup", "shop");
    assert.equal(code, 1);
    assert.equal(json.error.type, "OrchestratorUnreachable");
  });

  test("a certificate file that is not there is named before anything is asked", async () => {
    await temporal({ certificate: "nowhere.pem", privateKey: { file: join(site.folder, "client.key") } });
    const { code, json } = await site.dbgov("backup", "shop");
    assert.equal(code, 2);
    assert.match(json.error.message, /certificate file .*nowhere\.pem cannot be read/);
  });

  test("with its certificate, worker and commands do their work", async () => {
    await temporal({ certificate: join(site.folder, "client.pem"), privateKey: { file: join(site.folder, "client.key") } });
    await site.worker();
    const { code, json, stderr } = await site.dbgov("backup", "shop");
    assert.equal(code, 0, stderr);
    assert.equal(json.rows, 1);
    assert.equal(json.degraded, false);
  });

  test("a server that somebody else has signed is not believed", async () => {
    await temporal({ authority: join(site.folder, "client.pem") });
    const { code, json } = await site.dbgov("backup", "shop");
    assert.equal(code, 1);
    assert.equal(json.error.type, "OrchestratorUnreachable");
  });
});

import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A time-stamping authority: OpenSSL (`openssl ts`) behind a small HTTP server, under a root and an intermediate of its own. */
export interface TestAuthority {
  readonly url: string;
  readonly folder: string;
  /** PEM file with the root. */
  readonly roots: string;
  /** What it answers instead, once set. */
  instead: { status: number; body: Uint8Array } | undefined;
  /** A reply as the server gives it, by one of the signers: `ec`, `rsa`, and the unfit `web` and `stranger`. */
  reply(query: Uint8Array, signer: string): Promise<Uint8Array>;
  openssl(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

const configuration = (folder: string, signers: readonly string[]): string => `
[req]
distinguished_name = name
prompt = no
[name]
CN = Test Time
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
[time]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[web]
extendedKeyUsage = critical, timeStamping, serverAuth
keyUsage = critical, digitalSignature
${signers
  .map(
    (signer) => `
[by_${signer}]
serial = ${folder}/serial
crypto_device = builtin
signer_cert = ${folder}/${signer}.pem
certs = ${folder}/chain.pem
signer_key = ${folder}/${signer}.key
signer_digest = ${signer === "rsa" ? "sha512" : "sha256"}
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = ${signer === "rsa" ? "yes" : "no"}
ess_cert_id_alg = ${signer === "rsa" ? "sha1" : "sha256"}`,
  )
  .join("\n")}
`;

export const startAuthority = async (folder: string): Promise<TestAuthority> => {
  await mkdir(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const openssl = async (...args: readonly string[]): Promise<string> => (await run("openssl", [...args], { cwd: folder })).stdout;
  await writeFile(at("authority.cnf"), configuration(folder, ["ec", "rsa", "web", "stranger"]));
  await writeFile(at("serial"), "01\n");
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const root = async (name: string, subject: string): Promise<void> => {
    const made = ["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", subject];
    await openssl("req", "-x509", ...ec, "-nodes", ...made, "-days", "30", "-config", "authority.cnf", "-extensions", "root", "-sha256");
  };
  const issue = async (name: string, issuer: string, extensions: string, key: readonly string[] = ec): Promise<void> => {
    await openssl(
      "req",
      "-new",
      ...key,
      "-nodes",
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=Test ${name}`,
      "-config",
      "authority.cnf",
    );
    const by = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
    const as = ["-extfile", "authority.cnf", "-extensions", extensions];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`, "-days", "20", ...as, "-sha256");
  };
  await root("root", "/CN=Test Root");
  await root("other", "/CN=Other Root");
  await issue("middle", "root", "intermediate");
  await issue("ec", "middle", "time");
  await issue("rsa", "middle", "time", ["-newkey", "rsa:2048"]);
  await issue("web", "middle", "web");
  await issue("stranger", "other", "time");
  await writeFile(at("chain.pem"), `${await readFile(at("middle.pem"), "utf8")}${await readFile(at("root.pem"), "utf8")}`);

  let asked = 0;
  const reply = async (query: Uint8Array, signer: string): Promise<Uint8Array> => {
    asked += 1;
    const [question, answer] = [`${asked}.tsq`, `${asked}.tsr`];
    await writeFile(at(question), query);
    await openssl("ts", "-reply", "-queryfile", question, "-config", "authority.cnf", "-section", `by_${signer}`, "-out", answer);
    return new Uint8Array(await readFile(at(answer)));
  };
  const authority = { instead: undefined } as { instead: TestAuthority["instead"] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { instead } = authority;
      if (instead !== undefined) {
        response.writeHead(instead.status).end(instead.body);
        return;
      }
      reply(Buffer.concat(chunks), new URL(request.url ?? "/", "http://host").searchParams.get("signer") ?? "ec").then(
        (body) => response.writeHead(200, { "content-type": "application/timestamp-reply" }).end(body),
        () => response.writeHead(500).end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(authority, {
    url: `http://127.0.0.1:${port}/`,
    folder,
    roots: at("root.pem"),
    reply,
    openssl,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as later } from "node:timers/promises";
import { promisify } from "node:util";
import { libpqEnvironment, parseAddress } from "../../core/databases/postgres/address.ts";
import { postgres } from "../../core/databases/postgres/postgres.ts";
import { selfSignedCertificate } from "../sample/self-signed-certificate.ts";
import { reachablePrograms, unprivilegedUser } from "../stack/components/unprivileged.ts";
import { chooseFreePorts } from "../stack/ports.ts";
import { findProgram } from "../stack/programs.ts";
import { progressToStderr } from "../stack/progress.ts";
import { findPostgresVersion, hasPostgresVersions } from "../stack/setup/postgres-versions.ts";
import { useStack } from "../stack/use-stack.ts";
import { assertSameDump, dumpText } from "./postgres-dump-text.ts";
import { capture, never, restore } from "./postgres-support.ts";
import { startVersion, type VersionServer } from "./postgres-version-server.ts";

/** Streams from the server at `url`, into a data folder made by pg_basebackup. */
const startStandby = async (url: string, bin: string): Promise<{ url: string; stop(): Promise<void> }> => {
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), "dbgov-standby-"));
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const env = { ...libpqEnvironment(parseAddress(url)), PGDATABASE: "" };
  await promisify(execFile)(join(await reachablePrograms(bin), "pg_basebackup"), ["-D", data, "-R", "--checkpoint=fast", "--no-sync"], {
    cwd: folder,
    env,
    ...user,
  });
  const [port] = await chooseFreePorts(1, new Set());
  const program = join(await reachablePrograms(await findPostgresVersion(17, progressToStderr)), "postgres");
  const settings = [
    "listen_addresses=localhost",
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    "fsync=off",
    "hot_standby=on",
    "wal_level=logical",
  ];
  const server: ChildProcess = spawn(program, ["-D", data, ...settings.flatMap((setting) => ["-c", setting])], {
    cwd: folder,
    stdio: "ignore",
    ...user,
  });
  const ended = once(server, "exit");
  const address = new URL(url);
  address.port = String(port);
  return {
    url: address.href,
    stop: async () => {
      if (server.exitCode === null) server.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
};

describe("a private PostgreSQL 17 with TLS and a standby", { skip: !hasPostgresVersions }, () => {
  let primary: VersionServer;
  let bin: string;
  let source: string;

  before(async () => {
    bin = (await useStack("postgres")).postgres.bin;
    primary = await startVersion(17, bin);
    source = await primary.server.database("source");
    await primary.server.sql(
      source,
      `CREATE TABLE kept (id int PRIMARY KEY, at timestamptz DEFAULT now()); INSERT INTO kept SELECT generate_series(1, 1000);
       CREATE SEQUENCE counting; SELECT nextval('counting'); SELECT lo_from_bytea(0, 'large');
       CREATE UNLOGGED TABLE forgotten (a serial); INSERT INTO forgotten DEFAULT VALUES`,
    );
  });
  after(() => primary?.stop());

  it("is captured from a standby, without the content of unlogged tables, and says so", { timeout: 120_000 }, async () => {
    const standby = await startStandby(primary.server.url, bin);
    try {
      const at = new URL(standby.url);
      at.pathname = new URL(source).pathname;
      const caughtUp = async (): Promise<boolean> => {
        const rows = await primary.server.sql(at.href, "SELECT count(*)::int AS n FROM kept").catch(() => [{ n: 0 }]);
        return rows[0]!.n === 1_000;
      };
      for (const until = Date.now() + 30_000; !(await caughtUp()); await later(50))
        assert.ok(Date.now() < until, "the standby does not answer");
      assert.deepEqual((await postgres.probe(at.href, never)).problems, []);
      const captured = await capture(at.href, 10_000);
      assert.match(captured.plan.notes.join("\n"), /2 unlogged tables and sequences are captured by their definition/);
      const copy = await primary.server.database("copy");
      await restore(copy, captured);
      const options = ["--no-unlogged-table-data", "--exclude-table-data=forgotten_a_seq"];
      assertSameDump(await dumpText(primary.server, copy, ...options), await dumpText(primary.server, source, ...options));
    } finally {
      await standby.stop();
    }
  });

  it("is read over TLS in every mode, and refuses a certificate that it must not believe", async () => {
    const withTls = (parameters: string, host = "localhost"): string => {
      const url = new URL(source);
      url.hostname = host;
      return `${url.href}?${parameters}`;
    };
    const authority = `sslrootcert=${encodeURIComponent(primary.authority)}`;
    const tlsOf = async (url: string): Promise<void> => {
      const captured = await capture(url, 1 << 30);
      assert.equal(Buffer.concat(captured.parts.get("public.kept")!).toString("latin1").split("\n").length, 1_001, url);
    };
    // The client programs of the wheel are built without TLS, which must not be taken for the database's fault.
    await assert.rejects(tlsOf(withTls("sslmode=require")), { type: "ClientToolMissing", message: /pg_dump .*is built without TLS/ });
    const others = process.env.DBGOV_PG_BIN;
    process.env.DBGOV_PG_BIN = dirname(await findProgram("pg_dump", progressToStderr));
    try {
      const modes = ["prefer", "require", "no-verify", `verify-ca&${authority}`, `verify-full&${authority}`];
      for (const mode of modes) await tlsOf(withTls(`sslmode=${mode}`));
      await tlsOf(withTls(`sslmode=verify-ca&${authority}`, "127.0.0.1"));
    } finally {
      if (others === undefined) delete process.env.DBGOV_PG_BIN;
      else process.env.DBGOV_PG_BIN = others;
    }
    const stranger = join(await mkdtemp(join(tmpdir(), "dbgov-stranger-")), "stranger.pem");
    await writeFile(stranger, selfSignedCertificate().certificate);
    const distrusted = `sslmode=verify-ca&sslrootcert=${encodeURIComponent(stranger)}`;
    for (const url of [withTls(distrusted), withTls("sslmode=verify-full")])
      await assert.rejects(postgres.probe(url, never), { type: "DatabaseUnreachable", message: /TLS/ });
    await rm(join(stranger, ".."), { recursive: true });
  });
});

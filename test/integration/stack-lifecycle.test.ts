import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { askRpc } from "../stack/components/http.ts";
import type { ComponentName } from "../stack/components.ts";
import { isAlive } from "../stack/processes.ts";
import { killComponent, stackDown, stackStatus, stackUp, startComponent, stopComponent } from "../stack/stack.ts";
import { readState } from "../stack/state.ts";

const names: ComponentName[] = ["postgres", "azurite", "anvil"];

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.destroy() && resolve(true));
    socket.once("error", () => resolve(false));
  });

const queryOne = async (url: string, sql: string): Promise<unknown> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: "array" })).rows[0]?.[0];
  } finally {
    await client.end();
  }
};

describe("stack", () => {
  let folder: string;
  const up = () => stackUp({ folder, components: names });
  const states = async () => Object.fromEntries((await stackStatus(folder)).map(({ component, state }) => [component, state]));
  const pids = async () => Object.fromEntries((await stackStatus(folder)).map(({ component, pid }) => [component, pid]));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "dbgov stack "));
  });
  after(async () => {
    await stackDown(folder, { purge: true });
    await rm(folder, { recursive: true, force: true });
  });

  it("comes up with every address answering, and a second up changes nothing", async () => {
    const first = await up();
    const before = await pids();
    const second = await up();
    assert.deepEqual(second, first);
    assert.deepEqual(await pids(), before);
    assert.equal(statSync(join(folder, "stack.json")).mode & 0o777, 0o600);
    const { postgres, azurite, anvil, ...others } = await states();
    assert.deepEqual([postgres, azurite, anvil], ["running", "running", "running"]);
    assert.deepEqual(new Set(Object.values(others)), new Set(["stopped"]));
  });

  it("gives PostgreSQL the settings that the product relies on, and a password that is asked for", async () => {
    const { url } = await startComponent("postgres", folder);
    const setting = (name: string) => queryOne(url, `select current_setting('${name}')`);
    assert.equal(await setting("wal_level"), "logical");
    assert.equal(await setting("data_checksums"), "on");
    assert.equal(await setting("listen_addresses"), "127.0.0.1");
    assert.equal(await setting("server_encoding"), "UTF8");
    const wrong = new URL(url);
    wrong.password = "wrong";
    await assert.rejects(queryOne(wrong.href, "select 1"), /password authentication failed/);
  });

  it("advances the chain's finalized block within seconds", async () => {
    const { rpc } = await startComponent("anvil", folder);
    const finalized = async () => Number(((await askRpc(rpc, "eth_getBlockByNumber", ["finalized", false])) as { number: string }).number);
    const start = await finalized();
    const deadline = Date.now() + 8_000;
    while ((await finalized()) === start) assert.ok(Date.now() < deadline, "finalized did not move");
  });

  it("sees a killed component, and heals it with its data on its ports, leaving the others alone", async () => {
    const { postgres } = await up();
    await queryOne(postgres.url, "create table kept as select 42 as n");
    const before = await pids();
    await killComponent("postgres", folder);
    assert.deepEqual(
      { ...(await states()), mongodb: "" },
      { ...(await states()), postgres: "failed", azurite: "running", anvil: "running", mongodb: "" },
    );
    const again = await up();
    assert.equal(again.postgres.url, postgres.url);
    assert.equal(await queryOne(again.postgres.url, "select n from kept"), 42);
    const now = await pids();
    assert.notEqual(now.postgres, before.postgres);
    assert.equal(now.azurite, before.azurite);
    assert.equal(now.anvil, before.anvil);
  });

  it("stops one component in an orderly way, and starts it again", async () => {
    await up();
    await stopComponent("anvil", folder);
    assert.equal((await states()).anvil, "stopped");
    const { rpc } = await startComponent("anvil", folder);
    assert.equal(await askRpc(rpc, "eth_chainId"), "0x7a69");
  });

  it("keeps the chain across a stop", async () => {
    const { rpc } = await startComponent("anvil", folder);
    await askRpc(rpc, "anvil_setBalance", ["0x00000000000000000000000000000000000000aa", "0x2a"]);
    await stopComponent("anvil", folder);
    await startComponent("anvil", folder);
    assert.equal(await askRpc(rpc, "eth_getBalance", ["0x00000000000000000000000000000000000000aa", "latest"]), "0x2a");
  });

  it("is brought up once by two that ask at the same time", async () => {
    await stackDown(folder);
    const [one, other] = await Promise.all([up(), up()]);
    assert.deepEqual(one, other);
  });

  it("goes down without leaving a process, an open port or, purged, a file", async () => {
    await up();
    const { components } = readState(folder);
    const processes = names.flatMap((name) => Object.values(components[name]?.processes ?? {}));
    const ports = names.flatMap((name) => Object.values(components[name]?.ports ?? {}));
    assert.equal(processes.length, 3);
    assert.ok(processes.every(isAlive));
    await stackDown(folder);
    assert.ok(!processes.some(isAlive));
    assert.deepEqual(
      await Promise.all(ports.map(isOpen)),
      ports.map(() => false),
    );
    assert.ok(existsSync(join(folder, "stack.json")));
    await stackDown(folder, { purge: true });
    assert.ok(!existsSync(folder));
    await stackDown(folder);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { installedMongod } from "../stack/programs.ts";

/** Why a test of a real `mongod` is skipped; false where there is one. */
export const withoutMongod: string | false =
  (await installedMongod()) === undefined
    ? "no mongod 5.0 or newer on the PATH, and DBGOV_MONGOD names none: no package registry that the setup uses has it"
    : false;

/** A replica set of one real `mongod` of the test's own. */
export async function realReplicaSet(...options: string[]): Promise<{ url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const program = await installedMongod();
  if (program === undefined) throw new Error(String(withoutMongod));
  const folder = await mkdtemp(join(tmpdir(), "dbgov-mongod-"));
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind_ip",
    "127.0.0.1",
    "--dbpath",
    folder,
    "--replSet",
    "rs0",
    "--wiredTigerCacheSizeGB",
    "0.25",
  ];
  const server = spawn(program, [...args, ...options], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.kill("SIGKILL")) await once(server, "exit");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await initiate(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `mongodb://127.0.0.1:${port}/shop?replicaSet=rs0`, [Symbol.asyncDispose]: stop };
}

async function initiate(port: number): Promise<void> {
  const direct = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, { serverSelectionTimeoutMS: 30_000 });
  try {
    await direct.db("admin").command({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: `127.0.0.1:${port}` }] } });
  } finally {
    await direct.close();
  }
  // Selecting a primary waits for the election.
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?replicaSet=rs0`, { serverSelectionTimeoutMS: 30_000 });
  try {
    await client.db("admin").command({ ping: 1 });
  } finally {
    await client.close();
  }
}

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, "close");
  return port;
}

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Component, Place } from "../component.ts";
import type { Launch } from "../processes.ts";
import { findPostgresFolder } from "../programs.ts";
import { type Progress, progressToStderr } from "../progress.ts";
import { dataParent, makeDataParent, reachablePrograms, unprivilegedUser } from "./unprivileged.ts";

export const clusterUrl = (place: Place) => `postgres://postgres:${place.secrets.password}@127.0.0.1:${place.ports.sql}/postgres`;

/** A new cluster in `data`, whole or not at all. */
const initialize = async (bin: string, own: string, data: string, password: string): Promise<void> => {
  const user = unprivilegedUser();
  const partial = `${data}.partial`;
  const passwordFile = join(own, "password");
  await rm(partial, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  try {
    await promisify(execFile)(
      join(bin, "initdb"),
      [
        ...["--pgdata", partial, "--username", "postgres", "--pwfile", passwordFile],
        ...["--auth", "scram-sha-256", "--data-checksums", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
      ],
      { cwd: own, ...user },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(partial, data);
};

/** A cluster in the place's folder, made first where there is none, on its port `sql`, with its secret `password`. */
export const clusterOf = async (place: Place, progress: Progress, more: Readonly<Record<string, string | number>>): Promise<Launch> => {
  const bin = await reachablePrograms(await findPostgresFolder(progress));
  const own = makeDataParent(place.folder);
  const data = join(own, "data");
  if (!existsSync(data)) await initialize(bin, own, data, place.secrets.password!);
  const user = unprivilegedUser();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: place.ports.sql,
    unix_socket_directories: "",
    wal_level: "logical",
    max_connections: 200,
    shared_buffers: "256MB",
    ...more,
  };
  return {
    command: join(bin, "postgres"),
    args: ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    cwd: own,
    ...(user === undefined ? {} : { user }),
  };
};

/** Folders outside the place's own in which its cluster lies. */
export const clusterFolders = (place: Place): string[] => (dataParent(place.folder) === place.folder ? [] : [dataParent(place.folder)]);

/** PostgreSQL with a random superuser password, checksums and logical decoding; reached over TCP on loopback only. */
export const postgres: Component<{ url: string; bin: string }> = {
  title: "PostgreSQL",
  ports: ["sql"],
  makeSecrets: () => ({ password: randomBytes(18).toString("base64url") }),
  setUp: async (progress) => {
    await findPostgresFolder(progress);
  },
  prepare: async (place, progress) => ({ postgres: await clusterOf(place, progress, {}) }),
  check: async (place) => {
    const { Client } = (await import("pg")).default;
    const client = new Client({ connectionString: clusterUrl(place), connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
    try {
      await client.connect();
      await client.query("select 1");
    } finally {
      await client.end().catch(() => {});
    }
  },
  address: async (place) => ({ url: clusterUrl(place), bin: await findPostgresFolder(progressToStderr) }),
  shown: (place) => `postgres://postgres:***@127.0.0.1:${place.ports.sql}/postgres`,
  // Smart shutdown (SIGTERM) would wait for every client to leave.
  stopSignal: "SIGINT",
  outside: clusterFolders,
};

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Component, Place } from "../component.ts";
import { findPostgresFolder, findProgram } from "../programs.ts";
import { ask } from "./http.ts";
import { clusterFolders, clusterOf, clusterUrl } from "./postgres.ts";

const urlOf = (port: number | undefined) => `http://127.0.0.1:${port}`;
const accessKeyId = "dbgov-storj";
const grantOf = (place: Place) => join(place.folder, "grant");

/**
 * A Storj network: a satellite, ten storage nodes (any four of ten pieces are enough), and the S3 gateway that is shipped to users. It begins
 * empty at every start. `control` takes commands that stop nodes and lose their pieces (test/stack/go/storj/control.go).
 */
export const storj: Component<{
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  control: string;
  /** The serialized access grant that the gateway runs with. */
  grant: string;
}> = {
  title: "Storj",
  ports: ["gateway", "control", "sql"],
  onlyWhenNamed: true,
  makeSecrets: () => ({ key: randomBytes(24).toString("base64url"), password: randomBytes(18).toString("base64url") }),
  setUp: async (progress) => {
    await findPostgresFolder(progress);
    await findProgram("storj", progress);
  },
  prepare: async (place, progress) => {
    const temporary = join(place.folder, "temporary");
    await rm(temporary, { recursive: true, force: true });
    await rm(grantOf(place), { force: true });
    await mkdir(temporary);
    return {
      // A database server of its own: the satellite takes dozens of connections, and nothing of it has to outlive a crash.
      "storj-database": await clusterOf(place, progress, {
        fsync: "off",
        shared_buffers: "64MB",
        wal_level: "minimal",
        max_wal_senders: 0,
      }),
      storj: {
        command: await findProgram("storj", progress),
        args: [`127.0.0.1:${place.ports.gateway}`, `127.0.0.1:${place.ports.control}`, grantOf(place)],
        cwd: place.folder,
        env: {
          TMPDIR: temporary,
          HOME: temporary,
          MINIO_ACCESS_KEY: accessKeyId,
          MINIO_SECRET_KEY: place.secrets.key!,
          STORJ_TEST_POSTGRES: `${clusterUrl(place)}?sslmode=disable`,
          STORJ_TEST_COCKROACH: "omit",
          STORJ_TEST_SPANNER: "omit",
          STORJ_TEST_TIDB: "omit",
          STORJ_TEST_LOG_LEVEL: "error",
        },
      },
    };
  },
  check: async (place) => {
    await ask(`${urlOf(place.ports.control)}/nodes`);
    // Not signed, so refused: but by the gateway.
    const response = await ask(urlOf(place.ports.gateway));
    if (response.status !== 403 || !existsSync(grantOf(place))) throw new Error(`the gateway answers ${response.status}`);
  },
  address: async (place) => ({
    endpoint: urlOf(place.ports.gateway),
    accessKeyId,
    secretAccessKey: place.secrets.key!,
    control: urlOf(place.ports.control),
    grant: readFileSync(grantOf(place), "utf8").trim(),
  }),
  shown: (place, process) =>
    process === "storj-database" ? `postgres://postgres:***@127.0.0.1:${place.ports.sql}/postgres` : urlOf(place.ports.gateway),
  // Asked to end, the gateway ends the process as it is; nothing of the network is kept.
  stopSignal: "SIGINT",
  outside: clusterFolders,
};
